resource "digitalocean_domain" "main" {
  name = var.domain
}

resource "digitalocean_record" "web" {
  domain = digitalocean_domain.main.id
  type   = "A"
  name   = "@"
  value  = var.address
  ttl    = 3600
}

resource "digitalocean_record" "www" {
  domain = digitalocean_domain.main.id
  type   = "CNAME"
  name   = "www"
  value  = "@"
  ttl    = 3600
}

# Nobody else may issue certificates for the domain.
resource "digitalocean_record" "certificates" {
  domain = digitalocean_domain.main.id
  type   = "CAA"
  name   = "@"
  flags  = 0
  tag    = "issue"
  value  = "letsencrypt.org."
  ttl    = 3600
}
