variable "region" {
  description = "Region of all resources (not of the state bucket)"
  type        = string
  default     = "nyc3"
}
