# Ephemeral: its value is in no plan and no state file. Set it for both plan and
# apply, or for neither.
variable "{{variable}}" {
  description = "DigitalOcean API token; null: from the environment"
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = null
}
