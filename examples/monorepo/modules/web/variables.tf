variable "name" {
  description = "Name of the Droplet"
  type        = string
}

variable "region" {
  description = "Region of the VPC acme"
  type        = string
}

variable "size" {
  description = "doctl compute size list lists them"
  type        = string
  default     = "s-1vcpu-1gb"
}
