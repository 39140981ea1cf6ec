# Ephemeral: it never enters a plan or a state file, and has to be set at
# plan and at apply alike, or at neither.
variable "{{variable}}" {
  description = "DigitalOcean API token; null: from the environment"
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = null
}
