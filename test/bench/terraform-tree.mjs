// A tree of Terraform code, for the benchmark.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const PER_MODULE = 10;

/**
 * Files of 60 lines in a root module and its child modules, ten in each. Every file has two resources
 * and a data source of DigitalOcean, resources of two other providers, a variable, locals, an output
 * and comments, so a reader can skip none of them.
 *
 * @param others uses DigitalOcean in only one of four files, as in a repo with many providers.
 */
export async function writeTerraformTree(folder, files, { others = false } = {}) {
  const modules = Math.ceil(files / PER_MODULE);
  const calls = [];
  for (let module = 0; module < modules; module++) {
    const path = module === 0 ? folder : join(folder, "modules", `area-${module}`);
    await mkdir(path, { recursive: true });
    if (module > 0)
      calls.push(`module "area_${module}" {\n  source = "./modules/area-${module}"\n}\n`);
    for (let at = 0; at < Math.min(PER_MODULE, files - module * PER_MODULE); at++) {
      const text = textOf(`${module}_${at}`);
      const isOthers = others && at % 4 !== 0;
      await writeFile(
        join(path, `part-${at}.tf`),
        isOthers ? text.replaceAll("digitalocean_", "cloud_") : text,
      );
    }
  }
  if (calls.length > 0) await writeFile(join(folder, "modules.tf"), calls.join("\n"));
}

function textOf(id) {
  return `# Part ${id}: what serves the web, and where its backups go.
variable "size_${id}" {
  type        = string
  default     = "s-1vcpu-1gb"
  description = "The size of each droplet in this part; see the runbook."
}

locals {
  name_${id} = "\${var.project}-web-${id}"
  tags_${id} = [for tag in var.tags : lower(tag) if tag != ""]
}

data "digitalocean_ssh_key" "ops_${id}" {
  name = "ops"
}

resource "digitalocean_droplet" "web_${id}" {
  count    = var.is_production ? 3 : 1
  name     = format("%s-%02d", local.name_${id}, count.index)
  image    = "ubuntu-24-04-x64"
  region   = var.region
  size     = var.size_${id}
  vpc_uuid = var.vpc_id
  ssh_keys = [data.digitalocean_ssh_key.ops_${id}.id]
  tags     = concat(local.tags_${id}, ["web"])
  # Starts the service; the image has everything else.
  user_data = <<-EOT
    #!/bin/sh
    echo "role=web id=\${var.size_${id}}" > /etc/role
    systemctl enable --now web
  EOT
}

resource "digitalocean_record" "web_${id}" {
  domain = var.domain
  type   = "A"
  name   = "web-${id}"
  value  = digitalocean_droplet.web_${id}[0].ipv4_address
  ttl    = 300
}

resource "aws_s3_bucket" "backup_${id}" {
  bucket = "\${local.name_${id}}-backup"
  tags = {
    part  = "${id}"
    owner = "ops"
  }

  // Emptied by hand before it goes.
  force_destroy = false
}

resource "random_password" "admin_${id}" {
  length  = 32
  special = false
}

output "address_${id}" {
  value = digitalocean_droplet.web_${id}[*].ipv4_address
}
`;
}
