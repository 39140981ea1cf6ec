resource "digitalocean_database_cluster" "shop" {
  name       = "shop"
  engine     = "pg"
  version    = "17"
  size       = "db-s-1vcpu-1gb"
  region     = "fra1"
  node_count = 1
}

resource "digitalocean_database_db" "shop" {
  cluster_id = digitalocean_database_cluster.shop.id
  name       = "shop"
}
