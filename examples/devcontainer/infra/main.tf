resource "digitalocean_vpc" "main" {
  name   = "main"
  region = "nyc3"
}
