data "digitalocean_ssh_key" "admin" {
  name = var.ssh_key
}

resource "digitalocean_droplet" "web" {
  name       = "web"
  region     = var.region
  size       = "s-1vcpu-1gb"
  image      = "debian-13-x64"
  ssh_keys   = [data.digitalocean_ssh_key.admin.id]
  monitoring = true
}

resource "digitalocean_firewall" "web" {
  name        = "web"
  droplet_ids = [digitalocean_droplet.web.id]

  inbound_rule {
    protocol         = "tcp"
    port_range       = "22"
    source_addresses = var.admin_addresses
  }

  inbound_rule {
    protocol         = "tcp"
    port_range       = "443"
    source_addresses = ["0.0.0.0/0", "::/0"]
  }

  outbound_rule {
    protocol              = "tcp"
    port_range            = "1-65535"
    destination_addresses = ["0.0.0.0/0", "::/0"]
  }

  outbound_rule {
    protocol              = "udp"
    port_range            = "1-65535"
    destination_addresses = ["0.0.0.0/0", "::/0"]
  }
}

output "address" {
  description = "The Droplet's public IPv4 address"
  value       = digitalocean_droplet.web.ipv4_address
}
