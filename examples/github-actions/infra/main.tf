resource "digitalocean_app" "shop" {
  spec {
    name   = "shop"
    region = "nyc"

    service {
      name               = "web"
      instance_size_slug = "apps-s-1vcpu-0.5gb"
      instance_count     = 1
      http_port          = 80

      image {
        registry_type = "DOCKER_HUB"
        registry      = "library"
        repository    = "nginx"
        tag           = "1.29"
      }
    }
  }
}

output "url" {
  description = "The URL of the app"
  value       = digitalocean_app.shop.live_url
}
