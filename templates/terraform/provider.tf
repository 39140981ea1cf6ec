# template: 1
# The token comes from do-bootstrap.secret.auto.tfvars.json, which git ignores. Where that file does
# not exist, such as in CI, the variable is null and the provider reads DIGITALOCEAN_TOKEN.
provider "digitalocean" {
  token = var.{{variable}}
}
