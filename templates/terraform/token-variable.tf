# Ephemeral: it never enters a plan or a state file. An ephemeral variable has to be set at plan and
# at apply alike, or at neither.
variable "{{variable}}" {
  description = "DigitalOcean API token; null: the provider reads DIGITALOCEAN_TOKEN"
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = null
}
