resource "digitalocean_container_registry" "shop" {
  name                   = "acme-shop"
  subscription_tier_slug = "basic"
  region                 = "fra1"
}
