variable "domain" {
  description = "The domain; its name servers must be DigitalOcean's"
  type        = string
}

variable "address" {
  description = "IPv4 address of the web server; the default is for documentation only (RFC 5737)"
  type        = string
  default     = "203.0.113.10"
}
