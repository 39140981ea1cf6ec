/** Terraform reads it by itself; git ignores it; mode 0600. */
export const SECRET_TFVARS = "do-bootstrap.secret.auto.tfvars.json";
