locals {
  sizes = {
    staging = "s-1vcpu-1gb"
    prod    = "s-2vcpu-4gb"
  }
}

resource "digitalocean_vpc" "main" {
  name   = "shop-${terraform.workspace}"
  region = var.region
}

resource "digitalocean_droplet" "web" {
  name       = "shop-${terraform.workspace}"
  region     = var.region
  size       = lookup(local.sizes, terraform.workspace, local.sizes.staging)
  image      = "debian-13-x64"
  vpc_uuid   = digitalocean_vpc.main.id
  monitoring = true

  lifecycle {
    precondition {
      condition     = contains(keys(local.sizes), terraform.workspace)
      error_message = "Choose an environment: do-bootstrap --env staging"
    }
  }
}
