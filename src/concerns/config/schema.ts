import { sep } from "node:path";
import * as v from "valibot";
import { isOtherOnWindows } from "../../lib/paths.ts";
import { isTokenName } from "../../secret/token-name.ts";
import { BUCKET_NAME } from "./bucket-name.ts";

/**
 * The config as written (docs/design.md §6). The types, the checks and the published JSON Schema are all derived from
 * it.
 */
const slug = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9_-]*$/, "use lower-case letters, digits, - and _ only"),
);

const tokenName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "use letters, digits and _ only"),
  // Every command under exec gets this variable: GIT_AUTHOR_NAME would end up in commits, GITHUB_TOKEN at GitHub.
  v.check(
    isTokenName,
    "use a name that identifies a DigitalOcean token and that no other program reads, such as DIGITALOCEAN_TOKEN or ACME_DO_TOKEN",
  ),
);

const relativePath = v.pipe(
  v.string(),
  v.nonEmpty("enter a path"),
  // Each lookup of a path checks all of its folders, even missing ones.
  v.maxLength(1000, "use a path of at most 1000 characters"),
  v.regex(/^(?![/\\]|[A-Za-z]:)/, "use a path relative to the config file"),
  v.check(
    (path) => !path.split(/[/\\]/).includes(".."),
    "stay inside the folder of the config file",
  ),
  // Case-insensitive: some file systems ignore case. git~1 is its short name on Windows.
  v.check(
    (path) => !/(^|[/\\])(\.git|git~\d+)([/\\]|$)/i.test(path),
    "stay out of git's own folder",
  ),
  v.check((path) => !/[\u0000-\u001f\u007f]/.test(path), "use a path without control characters"),
  v.check(
    (path) => sep === "/" || !path.split(/[/\\]/).some(isOtherOnWindows),
    "use names that mean the same on Windows: no colon, no device such as aux or nul, no short name such as SECRET~1, no dot or space at the end",
  ),
);

const duration = v.pipe(
  v.string(),
  v.regex(/^\d+[smhdw]$/, 'use a number and a unit, such as "12h" or "7d"'),
  v.description("A number with s, m, h, d or w."),
);

// Terraform variable names are identifiers; a dash is allowed.
const terraformName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, "use letters, digits, - and _ only"),
);

// Names that Terraform reserves in a module block.
const RESERVED = /^(count|for_each|depends_on|lifecycle|providers|source|version|locals)$/;
const variableOfTerraform = v.pipe(
  terraformName,
  v.check((name) => !RESERVED.test(name), "Terraform reserves this name"),
);

const token = v.strictObject({
  name: v.optional(v.pipe(tokenName, v.description("Variable in the environment and in envFile."))),
  envFile: v.optional(v.pipe(relativePath, v.description("The env file; git must ignore it."))),
  doctl: v.optional(
    v.pipe(
      slug,
      v.description(
        "Use the browser login of this doctl context. doctl renews it, and the repo holds no token. Not for CI.",
      ),
    ),
  ),
  command: v.optional(
    v.pipe(
      v.array(v.string()),
      v.minLength(1, "give a program"),
      v.description(
        "A program that prints the token, as a list of arguments. Environments do not inherit it.",
      ),
    ),
  ),
  minTtl: v.optional(
    v.pipe(
      duration,
      v.description("Reject a token that expires within this time (exit status 6)."),
    ),
  ),
});

const account = v.strictObject({
  team: v.optional(v.pipe(v.string(), v.description("Reject tokens of any other team (UUID)."))),
});

const doctl = v.union([
  v.literal(false),
  v.strictObject({
    context: v.optional(v.pipe(slug, v.description("The name of the doctl context."))),
  }),
]);

// Values that go into URLs and .tf files follow the rules of Spaces, or stricter ones.
const backend = v.pipe(
  v.strictObject({
    bucket: v.pipe(
      v.string(),
      v.regex(
        BUCKET_NAME,
        "use the name of a Spaces bucket: 3 to 63 lower-case letters, digits and -",
      ),
      v.description("The Spaces bucket. init creates it with --create-backend NAME."),
    ),
    region: v.pipe(
      v.string(),
      v.regex(/^[a-z]{3}\d$/, "use the bucket's region, such as nyc3"),
      v.description("The bucket's region, such as nyc3."),
    ),
    key: v.optional(
      v.pipe(
        v.string(),
        v.regex(
          /^(?!(.*\/)?\.{1,2}(\/|$))[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/,
          "use a path of letters, digits, -, _ and ., such as web/terraform.tfstate",
        ),
        v.description("The state's name in the bucket. Default: PROJECT/DIR/terraform.tfstate."),
      ),
    ),
    lock: v.optional(
      v.pipe(
        v.boolean(),
        v.description(
          "Lock the state with a lock file, so that only one run changes it. init first tests that the bucket supports this.",
        ),
      ),
    ),
    create: v.optional(
      v.pipe(
        v.boolean(),
        v.description(
          "On a terminal, propose to create the bucket. Nothing is created without a yes or --create-backend.",
        ),
      ),
    ),
  }),
  v.description(
    "Store the state on Spaces: writes backend.tf. An environment with its own folder (terraform.dir) may have its own backend. Environments that share a folder share the backend and need separate workspaces.",
  ),
);

const terraformRoot = v.strictObject({
  dir: v.optional(v.pipe(relativePath, v.description("The root module's folder."))),
  tool: v.optional(v.picklist(["terraform", "tofu"])),
  credentials: v.optional(
    v.pipe(
      v.picklist(["tfvars", "env"]),
      v.description(
        "How the provider gets the token: from a variable (tfvars) or from the environment (env).",
      ),
    ),
  ),
  variable: v.optional(v.pipe(variableOfTerraform, v.description("The token's variable."))),
  variables: v.optional(
    v.pipe(
      v.record(variableOfTerraform, v.unknown()),
      v.description("Non-secret values, written to do-bootstrap.auto.tfvars.json."),
    ),
  ),
  backend: v.optional(backend),
  workspace: v.optional(v.pipe(v.string(), v.regex(/^[\w.~-]+$/, "use URL safe characters only"))),
  init: v.optional(v.boolean()),
});

const environment = v.strictObject({
  token: v.optional(token),
  account: v.optional(account),
  doctl: v.optional(doctl),
  terraform: v.optional(v.union([v.literal(false), terraformRoot])),
});

export const writtenConfig = v.pipe(
  v.strictObject({
    $schema: v.optional(v.string()),
    project: v.optional(v.pipe(slug, v.description("Default: the package's or folder's name."))),
    token: v.optional(token),
    account: v.optional(account),
    doctl: v.optional(doctl),
    terraform: v.optional(
      v.union([
        v.literal(false),
        terraformRoot,
        v.pipe(v.array(terraformRoot), v.minLength(1, "list a root, or set false")),
      ]),
    ),
    environments: v.optional(v.record(slug, environment)),
  }),
  v.title("do-bootstrap"),
);

/** The config as the user wrote it: every key may be missing. */
export type WrittenConfig = v.InferOutput<typeof writtenConfig>;
export type WrittenEnvironment = v.InferOutput<typeof environment>;
export type WrittenRoot = v.InferOutput<typeof terraformRoot>;
