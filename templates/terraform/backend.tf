# template: 1
# The state is on DigitalOcean Spaces. Its keys stand in no file that git takes:
# Terraform reads AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and
# do-bootstrap exec sets them from SPACES_ACCESS_KEY_ID and
# SPACES_SECRET_ACCESS_KEY. They are not the API token.
terraform {
  required_version = ">= {{since}}"

  backend "s3" {
    endpoints = { s3 = "https://{{region}}.digitaloceanspaces.com" }
    bucket    = "{{bucket}}"
    key       = "{{key}}"

    # Spaces is not AWS: the endpoint says the region, and there is no STS, IAM
    # or EC2 metadata to ask.
    region                      = "us-east-1"
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
    skip_s3_checksum            = true
    {{lock}}
  }
}
