module "web" {
  source = "../../modules/web"

  name   = "shop"
  region = var.region
  size   = "s-2vcpu-2gb"
}
