resource "digitalocean_vpc" "main" {
  name     = "acme"
  region   = var.region
  ip_range = "10.10.0.0/20"
}
