variable "name" {
  description = "Name of the cluster and of its VPC"
  type        = string
  default     = "main"
}

variable "region" {
  description = "Region; to list all: doctl kubernetes options regions"
  type        = string
  default     = "nyc3"
}

variable "kubernetes" {
  description = "Minor version; to list all: doctl kubernetes options versions"
  type        = string
  default     = "1.36"
}
