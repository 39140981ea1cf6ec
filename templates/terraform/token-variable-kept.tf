# Not ephemeral, because this root module uses it where Terraform allows no
# ephemeral value. Plan files contain the token: don't share them.
variable "{{variable}}" {
  description = "DigitalOcean API token; null: from the environment"
  type        = string
  sensitive   = true
  default     = null
}
