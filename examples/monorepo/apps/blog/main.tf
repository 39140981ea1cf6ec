module "web" {
  source = "../../modules/web"

  name   = "blog"
  region = var.region
  size   = "s-1vcpu-1gb"
}

resource "digitalocean_volume" "uploads" {
  name                    = "blog-uploads"
  region                  = var.region
  size                    = 20
  initial_filesystem_type = "ext4"
}

resource "digitalocean_volume_attachment" "uploads" {
  droplet_id = module.web.droplet_id
  volume_id  = digitalocean_volume.uploads.id
}
