variable "{{name}}" {
  type = {{type}}
}
