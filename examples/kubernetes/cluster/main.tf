data "digitalocean_kubernetes_versions" "current" {
  version_prefix = "${var.kubernetes}."
}

resource "digitalocean_vpc" "cluster" {
  name     = var.name
  region   = var.region
  ip_range = "10.100.0.0/20"
}

resource "digitalocean_kubernetes_cluster" "main" {
  name     = var.name
  region   = var.region
  version  = data.digitalocean_kubernetes_versions.current.latest_version
  vpc_uuid = digitalocean_vpc.cluster.id

  # Patch versions only: the data source stays within one minor version.
  auto_upgrade  = true
  surge_upgrade = true

  maintenance_policy {
    day        = "sunday"
    start_time = "04:00"
  }

  node_pool {
    name       = "default"
    size       = "s-2vcpu-4gb"
    auto_scale = true
    min_nodes  = 2
    max_nodes  = 4
  }
}

output "name" {
  description = "NAME for: doctl kubernetes cluster kubeconfig save NAME"
  value       = digitalocean_kubernetes_cluster.main.name
}
