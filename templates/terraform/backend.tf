# template: 1
# The state is on DigitalOcean Spaces. Its keys are in no file that git has.
# Terraform reads AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. do-bootstrap exec
# sets both from SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY. These keys
# are not the API token.
terraform {
  required_version = ">= {{since}}"

  backend "s3" {
    endpoints = { s3 = "https://{{region}}.digitaloceanspaces.com" }
    bucket    = "{{bucket}}"
    key       = "{{key}}"

    # Spaces is not AWS. The endpoint names the real region, and there is no STS,
    # no IAM and no EC2 metadata.
    region                      = "us-east-1"
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
    skip_s3_checksum            = true
    {{lock}}
  }
}
