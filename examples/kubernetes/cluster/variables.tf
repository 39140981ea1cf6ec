variable "name" {
  description = "Name of the cluster and of its VPC"
  type        = string
  default     = "main"
}

variable "region" {
  description = "doctl kubernetes options regions lists them"
  type        = string
  default     = "nyc3"
}

variable "kubernetes" {
  description = "Minor release; doctl kubernetes options versions lists them"
  type        = string
  default     = "1.36"
}
