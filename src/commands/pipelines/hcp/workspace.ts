import type { TerraformRoot } from "../../../concerns/terraform/root/root.ts";
import { AppError } from "../../../errors/app-error.ts";
import { hint, own } from "../../../errors/hint.ts";
import type { Host } from "../../../host/host.ts";
import { recordOf } from "../../../lib/json.ts";
import { sha256 } from "../../../lib/sha256.ts";
import type { SecretStore, SeenStore } from "../secret-store.ts";
import { IS_VERSION } from "../stored-secrets.ts";
import { type HcpAnswer, type HcpApi, hcpApi } from "./api.ts";
import { credentialsFor } from "./credentials.ts";
import { type Destination, isFor, variableOf } from "./destination.ts";

export type HcpHost = Pick<Host, "http" | "env" | "files" | "home" | "platform">;

/** A workspace of HCP Terraform as a place for secrets: its sensitive variables. */
export interface Workspace extends SecretStore {
  /**
   * The variable set that gives this variable to the runs, if one does.
   *
   * @returns `wins`: it also overrides the workspace's own variable.
   */
  setWith(name: string): Promise<{ readonly set: string; readonly wins: boolean } | undefined>;
}

/**
 * Opens a workspace. The record in git names it and its variable, so it is opened only if the code names both, too. Only
 * then are the user's own credentials for that host looked up.
 *
 * @throws AppError HCP_FAILED
 */
export async function openHcp(
  host: HcpHost,
  { roots }: { readonly roots: readonly TerraformRoot[] },
  place: Pick<Destination, "repo" | "workspace" | "name">,
): Promise<Workspace> {
  const its = roots.filter((root) => isFor(root, host.env, place)).map(variableOf);
  const variable = its.find(({ name }) => name === place.name);
  if (variable === undefined) {
    const what = its.length === 0 ? "workspace" : `variable for its token: ${place.name}`;
    throw new AppError("HCP_FAILED", `No code that this command reads names that ${what}.`, {
      hint: hint`For the code of an environment, use --all or --env. If the runs are elsewhere now: ${own("ci", "hcp", "--apply")}`,
    });
  }
  const [name = "", organization = ""] = place.repo.split("/");
  const api = hcpApi(host, name, await credentialsFor(host, name));
  const { workspace } = place;
  return openWorkspace(api, { organization, workspace, category: variable.category });
}

/** A listing has at most this many pages, of 100 items. */
const MOST_PAGES = 20;

interface Place extends Pick<Destination, "workspace" | "category"> {
  readonly organization: string;
}

function openWorkspace(api: HcpApi, { organization, workspace, category }: Place): Workspace {
  let found: Promise<string> | undefined;

  return {
    name: `workspace ${workspace} of ${organization} on ${api.name}`,
    async look(): Promise<SeenStore> {
      const variables = await list();
      return { isThere: true, secrets: new Map(variables.map((each) => [each.key, each.version])) };
    },
    async store(name, value) {
      const base = `workspaces/${await id()}/vars`;
      const old = (await list()).find(({ key }) => key === name);
      const variable = { key: name, value, category, ...(old && { id: old.id }) } as const;
      const { isThere, body } = await (old === undefined
        ? api.call("POST", base, variable)
        : api.call("PATCH", `${base}/${encodeURIComponent(old.id)}`, variable));
      if (!isThere) throw notAllowed("change its variables");
      const [stored] = itemsOf([body["data"]]);
      return stored?.version === UNKNOWN ? undefined : stored?.version;
    },
    async remove(name) {
      const old = (await list()).find(({ key }) => key === name);
      if (old === undefined) return;
      await api.call("DELETE", `workspaces/${await id()}/vars/${encodeURIComponent(old.id)}`);
    },
    async setWith(name) {
      const pages = await pagesOf("varsets?include=vars&", "read its variable sets");
      const included = pages.flatMap((body) => itemsOf(body["included"]));
      const isIt = (each: unknown) =>
        included.some((item) => item.id === recordOf(each)["id"] && isOurs(item, name));
      const sets = pages
        .flatMap((body) => itemsOf(body["data"]))
        .filter(({ vars }) => vars.some(isIt));
      const [first] = [...sets].sort((a, b) => Number(b.wins) - Number(a.wins));
      return first && { set: first.name, wins: first.wins };
    },
  };

  /** HCP answers 404 for what an account may not see, too, so it may still hold a token. */
  function id(): Promise<string> {
    found ??= (async () => {
      const path = `organizations/${organization}/workspaces/${workspace}`;
      const { isThere, body } = await api.call("GET", path);
      const { id, attributes } = recordOf(body["data"]);
      const { permissions } = recordOf(attributes);
      if (!isThere || typeof id !== "string") {
        throw new AppError(
          "HCP_FAILED",
          `${api.name} knows no workspace ${workspace} in ${organization}, or your account can't see it.`,
          { hint: hint`Create it there, or ask an owner of ${organization} for access.` },
        );
      }
      if (recordOf(permissions)["can-update-variable"] === false) {
        throw notAllowed("change its variables");
      }
      return encodeURIComponent(id);
    })();
    return found;
  }

  function notAllowed(what: string): AppError {
    const message = `Your account may not ${what}: workspace ${workspace} of ${organization} on ${api.name}.`;
    return new AppError("HCP_FAILED", message, {
      hint: hint`Ask an owner of ${organization} for permission to read and write variables.`,
    });
  }

  function isOurs(item: Item, name: string): boolean {
    return item.key === name && item.category === category;
  }

  /** The variables of the category that the code reads. */
  async function list(): Promise<readonly { id: string; key: string; version: string }[]> {
    const pages = await pagesOf("vars?", "read its variables");
    const items = pages.flatMap((body) => itemsOf(body["data"]));
    return items
      .filter((item) => isOurs(item, item.key))
      .map(({ id, key, version }) => ({ id, key, version }));
  }

  /** @param path ends where a parameter may follow. @param what the account needs permission for. */
  async function pagesOf(path: string, what: string): Promise<readonly HcpAnswer["body"][]> {
    const all: HcpAnswer["body"][] = [];
    for (let page = 1; page <= MOST_PAGES; page++) {
      const paged = `${path}page%5Bsize%5D=100&page%5Bnumber%5D=${page}`;
      const { isThere, body } = await api.call("GET", `workspaces/${await id()}/${paged}`);
      if (!isThere) throw notAllowed(what);
      all.push(body);
      const { pagination } = recordOf(body["meta"]);
      if (typeof recordOf(pagination)["next-page"] !== "number") break;
    }
    return all;
  }
}

interface Item {
  readonly id: string;
  readonly name: string;
  readonly key: string;
  readonly category: unknown;
  readonly version: string;
  readonly wins: boolean;
  readonly vars: readonly unknown[];
}

function itemsOf(all: unknown): readonly Item[] {
  if (!Array.isArray(all)) return [];
  return all.map((each) => {
    const { id, attributes, relationships } = recordOf(each);
    const { name, key, category, priority, "version-id": version } = recordOf(attributes);
    const { data } = recordOf(recordOf(relationships)["vars"]);
    return {
      ...{ id: textOf(id), name: textOf(name), key: textOf(key), category },
      ...{ version: versionOf(textOf(version)), wins: priority === true },
      vars: Array.isArray(data) ? data : [],
    };
  });
}

/** Without a version, a change can't be seen, so the variable counts as not stored. */
const UNKNOWN = "unknown";

/** What the host says, as the record may contain it. */
function versionOf(said: string): string {
  if (said === "") return UNKNOWN;
  return IS_VERSION.test(said) ? said : sha256(said);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
