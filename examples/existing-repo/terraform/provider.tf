variable "digitalocean_api_token" {
  type      = string
  sensitive = true
}

provider "digitalocean" {
  token = var.digitalocean_api_token
}
