variable "region" {
  description = "Of everything but the state"
  type        = string
  default     = "nyc3"
}
