terraform {
  required_providers {
    digitalocean = {
      source = "digitalocean/digitalocean"
    }
  }
}

data "digitalocean_vpc" "main" {
  name = "acme"
}

resource "digitalocean_droplet" "web" {
  name       = var.name
  region     = var.region
  size       = var.size
  image      = "debian-13-x64"
  vpc_uuid   = data.digitalocean_vpc.main.id
  monitoring = true
}

output "droplet_id" {
  description = "For what is attached to the Droplet"
  value       = digitalocean_droplet.web.id
}
