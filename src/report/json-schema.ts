import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { FINDINGS } from "./finding-ids.ts";

// The document that `check --json` and `init --json` print. Add each new field here: the tests reject a document with
// an unknown field.

const text = (description: string) => v.pipe(v.string(), v.description(description));
const orNull = (description: string) => v.pipe(v.nullable(v.string()), v.description(description));
const fingerprint = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8}$/),
  v.description(
    "The first 8 hexadecimal digits of the token's SHA-256; never a part of the token.",
  ),
);

const schemaVersion = v.pipe(
  v.literal(1),
  v.description(
    "Increases when a field changes its meaning or is removed, not when a field is added.",
  ),
);
const status = v.pipe(
  v.number(),
  v.integer(),
  v.description("The exit status, as in docs/reference.md."),
);

const origin = v.pipe(
  v.variant("kind", [
    v.strictObject({ kind: v.picklist(["stdin", "prompt"]) }),
    v.strictObject({ kind: v.literal("environment"), name: text("The variable.") }),
    v.strictObject({
      kind: v.literal("env-file"),
      name: text("The variable."),
      path: text("Absolute path of the file."),
    }),
    v.strictObject({ kind: v.literal("command"), program: text("The program of token.command.") }),
    v.strictObject({
      kind: v.picklist(["tfvars", "code"]),
      path: text("Absolute path of the file."),
    }),
    v.strictObject({ kind: v.literal("doctl"), context: text("doctl's context.") }),
    v.strictObject({
      kind: v.literal("adopted"),
      place: text("A description of where the token was found under another name."),
    }),
  ]),
  v.description("Where the token comes from."),
);

const isLogin = v.pipe(
  v.boolean(),
  v.description(
    "Whether the token belongs to a doctl browser login. doctl renews it, which changes the fingerprint.",
  ),
);

const token = v.strictObject({
  fingerprint,
  origin,
  isLogin,
  state: v.pipe(
    v.picklist(["alive", "refused", "unknown"]),
    v.description("The token's state at DigitalOcean; unknown: DigitalOcean could not be reached."),
  ),
  scopes: v.pipe(
    v.nullable(v.array(v.string())),
    v.description("The token's scopes; null: unknown."),
  ),
  expiresInSeconds: v.pipe(
    v.nullable(v.number()),
    v.description("Seconds from now; null: never or unknown."),
  ),
  team: v.nullable(
    v.strictObject({ uuid: text("The team's UUID."), name: text("The team's name.") }),
  ),
  email: orNull("The account's email address; null: unknown."),
});

const doctl = v.strictObject({
  installed: v.pipe(v.boolean(), v.description("Whether doctl is on PATH, outside the repo.")),
  configFile: orNull("Absolute path of doctl's config; null: it can't be located."),
  context: orNull("The context for the token; null: unknown."),
  selectedContext: text("doctl's current context."),
});

const root = v.strictObject({
  dir: text("Absolute path of the root module's folder."),
  credentials: v.pipe(
    v.picklist(["tfvars", "env", "own"]),
    v.description(
      "How the provider gets the token: tfvars: a variable. env: the environment. own: the code's own way.",
    ),
  ),
  variable: text("The token's variable."),
  workspace: text("The workspace that is selected."),
  tool: v.pipe(
    v.nullable(
      v.strictObject({
        name: v.picklist(["terraform", "tofu"]),
        version: v.optional(text("Such as 1.11.4; absent if the tool did not report it.")),
      }),
    ),
    v.description("null: neither is installed."),
  ),
});

const use = v.strictObject({
  tool: v.pipe(
    v.picklist(["doctl", "terraform", "scripts"]),
    v.description("scripts: a program that reads one environment variable."),
  ),
  via: v.pipe(
    v.picklist(["plain", "exec"]),
    v.description(
      "plain: run directly in this shell and folder. exec: run with `do-bootstrap exec --`.",
    ),
  ),
  dir: orNull("The root module's folder, for terraform."),
  variable: orNull("The variable that is read, for scripts."),
  state: v.pipe(
    v.picklist(["token", "none", "unknown"]),
    v.description("none: the tool sends no token or does not start."),
  ),
  fingerprint: v.nullable(fingerprint),
  isLogin,
  isThisToken: v.pipe(
    v.nullable(v.boolean()),
    v.description(
      "Whether this is the `token` of this document; null: there is no token to compare.",
    ),
  ),
  from: text("A description of the source."),
  where: orNull("path:line, if the source is a file."),
});

const isTaken = v.nullable(v.boolean());
const place = v.strictObject({
  kind: v.pipe(
    v.picklist(["env-file", "tfvars", "shell", "doctl", "environment", "kept", "file"]),
    v.description(
      "shell: `.envrc`. kept: left behind by a killed run. file: another file that git tracks or does not ignore.",
    ),
  ),
  name: orNull("The variable of the environment, or doctl's context."),
  path: orNull("Absolute path; null: an environment variable."),
  mode: v.pipe(
    v.nullable(v.pipe(v.string(), v.regex(/^[0-7]{4}$/))),
    v.description("Permission bits, octal; null: none (Windows) or not read."),
  ),
  takenBy: v.pipe(
    v.strictObject({ git: isTaken, docker: isTaken, npm: isTaken }),
    v.description("Whether git, Docker and npm would include the file; null: unknown."),
  ),
  unread: orNull(
    "Why the file was not read, so it may hold the token. null: it was read and holds the token.",
  ),
});

const finding = v.strictObject({
  id: v.pipe(
    v.picklist(Object.keys(FINDINGS)),
    v.description("Stable; listed in docs/findings.md."),
  ),
  level: v.picklist(["error", "warning", "info"]),
  message: text("For a person."),
  fix: v.optional(text("The command or step that fixes it.")),
  where: v.optional(text("A path, with a line number if known.")),
  setsAside: v.optional(
    text("The root that is skipped because of this error; the other roots are prepared."),
  ),
  environment: v.optional(
    orNull(
      "The environment of this finding, if it is not the document's: with --all, or for an environment that was not changed. null: no environment (a run without --env).",
    ),
  ),
});

const why = text("The reason, as text.");
const context = v.strictObject({
  kind: v.literal("doctl-context"),
  path: text("Absolute path of doctl's config."),
  context: text("The context that gets the token."),
  why,
});
const file = v.strictObject({
  kind: v.picklist(["create", "change"]),
  path: text("Absolute."),
  mode: v.pipe(
    v.nullable(v.pipe(v.string(), v.regex(/^[0-7]{4}$/))),
    v.description("Permission bits, octal; null: none (Windows)."),
  ),
  holdsSecret: v.boolean(),
  why,
});
const gone = v.strictObject({
  kind: v.literal("remove"),
  path: text("Absolute path of the removed file."),
  why,
});
const loggedOut = v.strictObject({
  kind: v.literal("doctl-removal"),
  path: text("Absolute path of doctl's config."),
  context: text("The context that loses its token."),
  why,
});
const selection = v.strictObject({
  kind: v.literal("doctl-selection"),
  path: text("Absolute path of doctl's config."),
  context: text("doctl's new current context."),
  why,
});
const revocation = v.strictObject({
  kind: v.literal("revoke"),
  token: fingerprint,
  why,
});
const loggedIn = v.strictObject({
  kind: v.literal("login"),
  context: text("The doctl context that gets the login."),
  why,
});
const madeBucket = v.strictObject({
  kind: v.literal("bucket"),
  bucket: text("A bucket for the state, made only if it did not exist."),
  region: text("Such as nyc3."),
  why,
});
const madeKey = v.strictObject({
  kind: v.literal("spaces-key"),
  name: orNull("The key's name; null: not made yet."),
  buckets: v.array(text("A bucket that it opens.")),
  why,
});
const removedKey = v.strictObject({
  kind: v.literal("spaces-key-removal"),
  name: text("The name of a key that an interrupted or earlier run made."),
  why,
});
const onGithub = {
  repo: text("Host, owner and name."),
  environment: text("The environment on GitHub."),
  why,
};
const githubEnvironment = v.strictObject({
  kind: v.literal("github-environment"),
  ...onGithub,
});
const githubBranch = v.strictObject({
  kind: v.literal("github-branch"),
  branch: text("The only branch that may use the environment."),
  ...onGithub,
});
const githubSecret = v.strictObject({
  kind: v.literal("github-secret"),
  names: v.array(text("The name of a secret.")),
  ...onGithub,
});
const removedSecret = v.strictObject({
  kind: v.literal("github-secret-removal"),
  names: v.array(text("The name of a secret that is deleted.")),
  ...onGithub,
});
const atHcp = {
  names: v.array(text("The name of a variable.")),
  organization: text("HOST/ORGANIZATION."),
  workspace: text("The name of the workspace."),
  why,
};
const hcpVariable = v.strictObject({ kind: v.literal("hcp-variable"), ...atHcp });
const removedVariable = v.strictObject({ kind: v.literal("hcp-variable-removal"), ...atHcp });
const command = {
  kind: v.literal("run"),
  command: text("The command as you would type it."),
  cwd: text("Absolute."),
  why,
};

const CHANGES = [
  ...([file, context, gone, loggedOut, selection, revocation, loggedIn] as const),
  ...([madeBucket, madeKey, removedKey, githubEnvironment, githubBranch] as const),
  ...([githubSecret, removedSecret, hcpVariable, removedVariable] as const),
] as const;

const whoIsWho = {
  token: v.pipe(v.nullable(token), v.description("null: no usable token.")),
  doctl: v.pipe(v.nullable(doctl), v.description("null: `doctl: false` in the config.")),
  terraform: v.array(root),
  uses: v.pipe(
    v.array(use),
    v.description(
      "Which token each tool uses: first without exec, then with exec. doctl is listed only if installed.",
    ),
  ),
  places: v.pipe(
    v.array(place),
    v.description("Where this machine stores the token; only `check` fills this."),
  ),
};

const environment = v.strictObject({
  environment: orNull("null: no environment (a run without --env), if it has its own token."),
  status: v.pipe(
    v.number(),
    v.integer(),
    v.description("The exit status for this environment alone."),
  ),
  ...whoIsWho,
});

const report = v.pipe(
  v.strictObject({
    schemaVersion,
    command: v.picklist(["init", "login", "check", "rotate", "logout", "uninstall", "ci"]),
    status,
    project: text("The project's name."),
    environment: orNull("The environment chosen with --env; null with --all."),
    configFile: orNull("Absolute path of the config."),
    ...whoIsWho,
    environments: v.optional(
      v.pipe(
        v.array(environment),
        v.description(
          "With --all: one entry for each environment. `token` and `doctl` are then null, `terraform` and `uses` empty. `findings`, `pending` and `applied` cover all environments.",
        ),
      ),
    ),
    findings: v.array(finding),
    pending: v.pipe(
      v.array(v.union([...CHANGES, v.strictObject(command)])),
      v.description("Changes still to make."),
    ),
    applied: v.pipe(v.array(v.union(CHANGES)), v.description("Changes that were made.")),
    commands: v.pipe(
      v.array(
        v.strictObject({
          ...command,
          tookMs: v.pipe(v.number(), v.description("Milliseconds.")),
          failure: orNull("Why it failed; null: it succeeded."),
          output: v.pipe(
            v.array(v.string()),
            v.description("The last lines that a failed command printed."),
          ),
        }),
      ),
      v.description("Commands that init ran."),
    ),
    doubts: v.pipe(
      v.array(v.string()),
      v.description("Minor problems that do not affect the result."),
    ),
    next: v.pipe(
      v.array(v.string()),
      v.description(
        "The remaining steps, in order. If there are none, a command to try; empty if unknown.",
      ),
    ),
    commit: v.pipe(v.array(v.string()), v.description("Files to commit, as absolute paths.")),
    api: text("The API host that is used instead of api.digitalocean.com."),
  }),
  v.title("what was found"),
);

const failure = v.pipe(
  v.strictObject({
    schemaVersion,
    status,
    error: v.strictObject({
      code: text("Stable."),
      message: text("For a person."),
      hint: orNull("How to fix it."),
    }),
  }),
  v.title("a run that failed"),
);

export type SchemaReport = v.InferOutput<typeof report>;

/** The JSON Schema for the output of `check --json` and of the commands that change something. */
export function reportSchema(): object {
  return toJsonSchema(
    v.pipe(
      v.union([report, failure]),
      v.title("--json output of do-bootstrap check, init, rotate, logout, uninstall and ci"),
    ),
    { target: "draft-07" },
  );
}
