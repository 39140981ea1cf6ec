import { type KnownOperation, type Operations, operationsOf } from "./operations.ts";

// In text mode, an error of doctl 2 has neither method nor URL, but its hint names the command
// (docs/contracts/doctl-2.md 1.5). These are doctl's command names of Aug 2026.

/** Groups whose list, get, create, update and delete are the standard calls of a collection. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  apps: "/v2/apps",
  "compute action": "/v2/actions",
  "compute cdn": "/v2/cdn/endpoints",
  "compute certificate": "/v2/certificates",
  "compute domain": "/v2/domains",
  "compute domain records": "/v2/domains/{id}/records",
  "compute droplet": "/v2/droplets",
  "compute droplet-autoscale": "/v2/droplets/autoscale",
  "compute firewall": "/v2/firewalls",
  "compute image": "/v2/images",
  "compute load-balancer": "/v2/load_balancers",
  "compute region": "/v2/regions",
  "compute reserved-ip": "/v2/reserved_ips",
  "compute reserved-ipv6": "/v2/reserved_ipv6",
  "compute size": "/v2/sizes",
  "compute snapshot": "/v2/snapshots",
  "compute ssh-key": "/v2/account/keys",
  "compute tag": "/v2/tags",
  "compute volume": "/v2/volumes",
  "compute vpc-nat-gateway": "/v2/vpc_nat_gateways",
  databases: "/v2/databases",
  "databases db": "/v2/databases/{id}/dbs",
  "databases pool": "/v2/databases/{id}/pools",
  "databases replica": "/v2/databases/{id}/replicas",
  "databases topics": "/v2/databases/{id}/topics",
  "databases user": "/v2/databases/{id}/users",
  invoice: "/v2/customers/my/invoices",
  "kubernetes cluster": "/v2/kubernetes/clusters",
  "kubernetes cluster node-pool": "/v2/kubernetes/clusters/{id}/node_pools",
  "monitoring alert": "/v2/monitoring/alerts",
  "monitoring uptime": "/v2/uptime/checks",
  "monitoring uptime alert": "/v2/uptime/checks/{id}/alerts",
  nfs: "/v2/nfs",
  projects: "/v2/projects",
  registries: "/v2/registries",
  "serverless namespaces": "/v2/functions/namespaces",
  "spaces keys": "/v2/spaces/keys",
  vpcs: "/v2/vpcs",
  "vpcs peerings": "/v2/vpc_peerings",
};

const VERBS: readonly (readonly [verb: string, methods: readonly string[], rest: string])[] = [
  ["list", ["GET"], ""],
  ["get", ["GET"], "/{id}"],
  ["create", ["POST"], ""],
  ["update", ["PUT", "PATCH"], "/{id}"],
  ["delete", ["DELETE"], "/{id}"],
];

/** Groups in which every command makes the same call, except `get`, which reads an action. */
const ACTIONS: Readonly<Record<string, string>> = {
  "compute droplet-action":
    "change-backup-policy change-kernel disable-backups enable-backups enable-private-networking password-reset power-cycle power-off power-on reboot rebuild rename resize restore shutdown snapshot",
  "compute image-action": "transfer",
  "compute reserved-ip-action": "assign unassign",
  "compute volume-action": "attach detach detach-by-droplet-id resize",
};

const ACTED_ON: Readonly<Record<string, string>> = {
  "compute droplet-action": "/v2/droplets",
  "compute image-action": "/v2/images",
  "compute reserved-ip-action": "/v2/reserved_ips",
  "compute volume-action": "/v2/volumes",
};

const OTHERS: Readonly<Record<string, string>> = {
  "account get": "GET /v2/account",
  "account ratelimit": "GET /v2/account",
  "apps console": "GET /v2/apps/{id}/components/{id}/exec",
  "apps create-deployment": "POST /v2/apps/{id}/deployments",
  "apps get-deployment": "GET /v2/apps/{id}/deployments/{id}",
  "apps list-alerts": "GET /v2/apps/{id}/alerts",
  "apps list-deployments": "GET /v2/apps/{id}/deployments",
  "apps list-instances": "GET /v2/apps/{id}/instances",
  "apps propose": "POST /v2/apps/propose",
  "apps restart": "POST /v2/apps/{id}/restart",
  "apps spec get": "GET /v2/apps/{id}",
  "balance get": "GET /v2/customers/my/balance",
  "billing-history list": "GET /v2/customers/my/billing_history",
  "compute cdn flush": "DELETE /v2/cdn/endpoints/{id}/cache",
  "compute droplet actions": "GET /v2/droplets/{id}/actions",
  "compute droplet backups": "GET /v2/droplets/{id}/backups",
  "compute droplet kernels": "GET /v2/droplets/{id}/kernels",
  "compute droplet neighbors": "GET /v2/droplets/{id}/neighbors",
  "compute droplet snapshots": "GET /v2/droplets/{id}/snapshots",
  "compute droplet tag": "POST /v2/tags/{id}/resources",
  "compute droplet untag": "DELETE /v2/tags/{id}/resources",
  "compute firewall add-droplets": "POST /v2/firewalls/{id}/droplets",
  "compute firewall add-rules": "POST /v2/firewalls/{id}/rules",
  "compute firewall add-tags": "POST /v2/firewalls/{id}/tags",
  "compute firewall list-by-droplet": "GET /v2/droplets/{id}/firewalls",
  "compute firewall remove-droplets": "DELETE /v2/firewalls/{id}/droplets",
  "compute firewall remove-rules": "DELETE /v2/firewalls/{id}/rules",
  "compute firewall remove-tags": "DELETE /v2/firewalls/{id}/tags",
  "compute image list-application": "GET /v2/images",
  "compute image list-distribution": "GET /v2/images",
  "compute image list-user": "GET /v2/images",
  "compute load-balancer add-droplets": "POST /v2/load_balancers/{id}/droplets",
  "compute load-balancer add-forwarding-rules": "POST /v2/load_balancers/{id}/forwarding_rules",
  "compute load-balancer purge-cache": "DELETE /v2/load_balancers/{id}/cache",
  "compute load-balancer remove-droplets": "DELETE /v2/load_balancers/{id}/droplets",
  "compute load-balancer remove-forwarding-rules":
    "DELETE /v2/load_balancers/{id}/forwarding_rules",
  "compute ssh-key import": "POST /v2/account/keys",
  "compute tag apply": "POST /v2/tags/{id}/resources",
  "compute tag remove": "DELETE /v2/tags/{id}/resources",
  "compute volume snapshot": "POST /v2/volumes/{id}/snapshots",
  "databases backups": "GET /v2/databases/{id}/backups",
  "databases connection": "GET /v2/databases/{id}",
  "databases fork": "POST /v2/databases",
  "databases get-ca": "GET /v2/databases/{id}/ca",
  "databases migrate": "PUT /v2/databases/{id}/migrate",
  "databases resize": "PUT /v2/databases/{id}/resize",
  "databases user reset": "POST /v2/databases/{id}/users/{id}/reset_auth",
  "kubernetes cluster get-upgrades": "GET /v2/kubernetes/clusters/{id}/upgrades",
  "kubernetes cluster kubeconfig save": "GET /v2/kubernetes/clusters/{id}/kubeconfig",
  "kubernetes cluster kubeconfig show": "GET /v2/kubernetes/clusters/{id}/kubeconfig",
  "kubernetes cluster registry add": "POST /v2/kubernetes/registry",
  "kubernetes cluster registry remove": "DELETE /v2/kubernetes/registry",
  "kubernetes cluster upgrade": "POST /v2/kubernetes/clusters/{id}/upgrade",
  "kubernetes options regions": "GET /v2/kubernetes/options",
  "kubernetes options sizes": "GET /v2/kubernetes/options",
  "kubernetes options versions": "GET /v2/kubernetes/options",
  "projects resources assign": "POST /v2/projects/{id}/resources",
  "projects resources list": "GET /v2/projects/{id}/resources",
  "registries docker-config": "GET /v2/registries/{id}/docker-credentials",
  // Except with --read-only.
  "registries login": "GET /v2/registries/{id}/docker-credentials?read_write=true",
  "registry create": "POST /v2/registry",
  "registry delete": "DELETE /v2/registry",
  "registry docker-config": "GET /v2/registry/docker-credentials",
  "registry garbage-collection list": "GET /v2/registry/{id}/garbage-collections",
  "registry garbage-collection start": "POST /v2/registry/{id}/garbage-collection",
  "registry get": "GET /v2/registry",
  "registry kubernetes-manifest": "GET /v2/registry/docker-credentials",
  "registry login": "GET /v2/registry/docker-credentials?read_write=true",
  "registry repository delete-manifest": "DELETE /v2/registry/{id}/repositories/{id}/digests/{id}",
  "registry repository delete-tag": "DELETE /v2/registry/{id}/repositories/{id}/tags/{id}",
  "registry repository list-manifests": "GET /v2/registry/{id}/repositories/{id}/digests",
  "registry repository list-tags": "GET /v2/registry/{id}/repositories/{id}/tags",
  "registry repository list-v2": "GET /v2/registry/{id}/repositoriesV2",
};

/** Each command, with its possible calls. PUT and PATCH need the same scopes. */
export const DOCTL_COMMANDS: ReadonlyMap<string, readonly string[]> = new Map([
  ...Object.entries(COLLECTIONS).flatMap(([group, collection]) =>
    VERBS.map(([verb, methods, rest]): [string, readonly string[]] => [
      `${group} ${verb}`,
      methods.map((method) => `${method} ${collection}${rest}`),
    ]),
  ),
  ...Object.entries(ACTIONS).flatMap(([group, verbs]) => {
    const of = `${ACTED_ON[group]}/{id}/actions`;
    return [
      [`${group} get`, [`GET ${of}/{id}`]] as [string, readonly string[]],
      ...verbs
        .split(" ")
        .map((verb): [string, readonly string[]] => [`${group} ${verb}`, [`POST ${of}`]]),
    ];
  }),
  ...Object.entries(OTHERS).map(([command, call]): [string, readonly string[]] => [
    command,
    [call],
  ]),
]);

/** Every prefix of a command: "compute", "compute droplet", … */
const BEGINNINGS: ReadonlySet<string> = new Set(
  Array.from(DOCTL_COMMANDS.keys(), (command) => {
    const words = command.split(" ");
    return words.map((_, at) => words.slice(0, at + 1).join(" "));
  }).flat(),
);

/**
 * The command in a line, as far as it is known: "doctl compute droplet create". Words that may be arguments are left
 * out. undefined: the line names no doctl command.
 */
export function doctlCommandIn(line: string): string | undefined {
  let best: string | undefined;
  for (const [, said = ""] of line.matchAll(/\bdoctl((?: [a-z0-9][a-z0-9-]{0,30}){0,5})/g)) {
    const words = said.trim().split(" ");
    let known = words.length;
    while (known > 0 && !BEGINNINGS.has(words.slice(0, known).join(" "))) known--;
    const command = ["doctl", ...words.slice(0, known)].join(" ");
    if (DOCTL_COMMANDS.has(words.slice(0, known).join(" "))) return command;
    if (best === undefined || command.length > best.length) best = command;
  }
  return best;
}

/**
 * The main operation of a command. doctl may make other calls, too: it looks up a name first, or waits for the result.
 */
export function operationOfCommand(
  command: string,
  operations: Operations,
): KnownOperation | undefined {
  for (const call of DOCTL_COMMANDS.get(command.replace(/^doctl /, "")) ?? []) {
    const [method, address = ""] = call.split(" ");
    const [path = "", query] = address.split("?");
    const [known] = operationsOf({ method, path, ...(query && { query }) }, operations);
    if (known !== undefined) return known;
  }
  return undefined;
}
