# Not ephemeral, since this root module uses it where Terraform allows no
# ephemeral value. Plan files hold the token: keep them to yourself.
variable "{{variable}}" {
  description = "DigitalOcean API token; null: from the environment"
  type        = string
  sensitive   = true
  default     = null
}
