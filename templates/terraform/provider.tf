# template: 1
# The token is in do-bootstrap.secret.auto.tfvars.json, which git ignores.
# Without that file (in CI, for example), the variable is null, and the provider
# reads the environment variable DIGITALOCEAN_TOKEN.
provider "{{provider}}" {
  token = var.{{variable}}
}
