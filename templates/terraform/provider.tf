# template: 1
# The token is in do-bootstrap.secret.auto.tfvars.json, which git ignores.
# Without that file, as in CI, the variable is null and the provider reads
# DIGITALOCEAN_TOKEN.
provider "{{provider}}" {
  token = var.{{variable}}
}
