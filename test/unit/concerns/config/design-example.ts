/** The example in docs/design.md §6. It uses every key. */
export const EXAMPLE = `
$schema: ./node_modules/do-bootstrap/schema.json
project: acme-web
token:
  name: DIGITALOCEAN_TOKEN
  envFile: .env
  doctl: acme-web
  command: [op, read, "op://Private/DigitalOcean/token"]
  minTtl: 7d
account: { team: 5df3e300-4a17-4e24-8b7c-20ca6c9fc25b }
doctl: { context: acme-web }
terraform:
  dir: infra
  tool: terraform
  credentials: tfvars
  variable: do_token
  variables: { region: nyc3 }
  backend: { bucket: acme-tfstate, region: nyc3, key: web.tfstate }
  workspace: prod
  init: true
environments:
  prod: { token: { envFile: .env.prod }, doctl: { context: acme-prod }, terraform: { workspace: prod } }
`;
