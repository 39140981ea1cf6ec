import { TEMPLATE_NAMES, type Templates } from "../../core/generated.ts";
import type { Host } from "../../host/host.ts";
import type { TerraformRootConfig } from "../config/resolved.ts";
import { renderConfiguration } from "./files.ts";
import { renderBackend } from "./root/backend.ts";
import { BACKEND_TF } from "./root/names.ts";
import { needsOf } from "./root/needs.ts";
import { readRoot, type TerraformRoot } from "./root/root.ts";

/** Reads a root module's folder. Files whose text we would write unchanged are not parsed. */
export function observeRoot(
  host: Pick<Host, "files" | "env" | "template">,
  config: TerraformRootConfig,
): Promise<TerraformRoot> {
  const { backend } = config;
  return readRoot(host, config, (root) => {
    const templates = readTemplates(host);
    const texts = renderConfiguration(root, needsOf(root), templates);
    if (backend === undefined) return texts;
    return new Map([...texts, [BACKEND_TF, renderBackend(backend, templates)]]);
  });
}

export function readTemplates({ template }: Pick<Host, "template">): Templates {
  const entries = TEMPLATE_NAMES.map((name) => [name, template(`terraform/${name}`)] as const);
  return Object.fromEntries(entries) as Templates;
}
