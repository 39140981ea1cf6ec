# template: 1
# The provider reads the token from the environment variable DIGITALOCEAN_TOKEN.
provider "{{provider}}" {}
