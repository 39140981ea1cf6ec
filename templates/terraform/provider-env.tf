# template: 1
# The provider reads the token from DIGITALOCEAN_TOKEN in the environment.
provider "{{provider}}" {}
