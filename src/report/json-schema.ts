import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { FINDINGS } from "./finding-ids.ts";

// The document that `check --json` and `init --json` print. A new field belongs in here: the tests
// take no document with one that is unknown.

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
  v.description("Grows when a field changes its meaning or goes; not when one is added."),
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
      path: text("The file, absolute."),
    }),
    v.strictObject({ kind: v.literal("command"), program: text("Of token.command.") }),
    v.strictObject({ kind: v.picklist(["tfvars", "code"]), path: text("The file, absolute.") }),
    v.strictObject({ kind: v.literal("doctl"), context: text("doctl's context.") }),
    v.strictObject({
      kind: v.literal("adopted"),
      place: text("Where it was found under another name, in words."),
    }),
  ]),
  v.description("Where the token comes from."),
);

const isLogin = v.pipe(
  v.boolean(),
  v.description(
    "It is of a browser login in doctl: doctl renews it, and it has another fingerprint then.",
  ),
);

const token = v.strictObject({
  fingerprint,
  origin,
  isLogin,
  state: v.pipe(
    v.picklist(["alive", "refused", "unknown"]),
    v.description("What DigitalOcean says of it; unknown: it could not be asked."),
  ),
  scopes: v.pipe(
    v.nullable(v.array(v.string())),
    v.description("What the token may do; null: unknown."),
  ),
  expiresInSeconds: v.pipe(
    v.nullable(v.number()),
    v.description("Seconds from this run on; null: never, or unknown."),
  ),
  team: v.nullable(
    v.strictObject({ uuid: text("The team's UUID."), name: text("The team's name.") }),
  ),
  email: orNull("The account's address; null: unknown."),
});

const doctl = v.strictObject({
  installed: v.pipe(v.boolean(), v.description("Found on PATH, outside the repo.")),
  configFile: orNull("doctl's config, absolute; null: it has no place."),
  context: orNull("The context that the token belongs in; null: not known."),
  selectedContext: text("The context that plain doctl selects."),
});

const root = v.strictObject({
  dir: text("The root module's folder, absolute."),
  credentials: v.pipe(
    v.picklist(["tfvars", "env", "own"]),
    v.description("A variable, the environment alone, or a way of the code's own."),
  ),
  variable: text("The token's variable."),
  workspace: text("The workspace that is selected."),
  tool: v.pipe(
    v.nullable(
      v.strictObject({
        name: v.picklist(["terraform", "tofu"]),
        version: v.optional(text("Such as 1.11.4; absent where the tool did not say.")),
      }),
    ),
    v.description("null: neither is installed."),
  ),
});

const use = v.strictObject({
  tool: v.pipe(
    v.picklist(["doctl", "terraform", "scripts"]),
    v.description("scripts: a program that reads one variable of the environment."),
  ),
  via: v.pipe(
    v.picklist(["plain", "exec"]),
    v.description("As it is typed in this shell and folder, or behind `do-bootstrap exec --`."),
  ),
  dir: orNull("The root module's folder, for terraform."),
  variable: orNull("The variable that is read, for scripts."),
  state: v.pipe(
    v.picklist(["token", "none", "unknown"]),
    v.description("none: it sends no token, or does not start."),
  ),
  fingerprint: v.nullable(fingerprint),
  isLogin,
  isThisToken: v.pipe(
    v.nullable(v.boolean()),
    v.description("Whether it is the document's `token`; null: there is none to compare."),
  ),
  from: text("Where it is taken from, in words."),
  where: orNull("path:line, where that is a file."),
});

const isTaken = v.nullable(v.boolean());
const place = v.strictObject({
  kind: v.pipe(
    v.picklist(["env-file", "tfvars", "shell", "doctl", "environment", "kept", "file"]),
    v.description(
      "shell: `.envrc`. kept: what a run that was killed has left. file: another file that git has or would take.",
    ),
  ),
  name: orNull("The variable of the environment, or doctl's context."),
  path: orNull("Absolute; null: a variable of the environment."),
  mode: v.pipe(
    v.nullable(v.pipe(v.string(), v.regex(/^[0-7]{4}$/))),
    v.description("Permission bits, octal; null: none, or not read."),
  ),
  takenBy: v.pipe(
    v.strictObject({ git: isTaken, docker: isTaken, npm: isTaken }),
    v.description("Who would take the file along; null: not known."),
  ),
  unread: orNull("Why the file was not read: it may hold the token. null: it holds it."),
});

const finding = v.strictObject({
  id: v.pipe(
    v.picklist(Object.keys(FINDINGS)),
    v.description("Stable; listed in docs/findings.md."),
  ),
  level: v.picklist(["error", "warning", "info"]),
  message: text("For a person."),
  fix: v.optional(text("The one command, or the one step, that fixes it.")),
  where: v.optional(text("A path, with a line where there is one.")),
  setsAside: v.optional(
    text("The root that is left as it is because of this error; the others are prepared."),
  ),
  environment: v.optional(
    orNull(
      "The environment that it is about, where that is not the document's: with --all, or one that was left as it is. null: what a run without --env uses.",
    ),
  ),
});

const why = text("Why, in words.");
const context = v.strictObject({
  kind: v.literal("doctl-context"),
  path: text("doctl's config, absolute."),
  context: text("The context that gets the token."),
  why,
});
const file = v.strictObject({
  kind: v.picklist(["create", "change"]),
  path: text("Absolute."),
  mode: v.pipe(v.string(), v.regex(/^[0-7]{4}$/), v.description("Permission bits, octal.")),
  holdsSecret: v.boolean(),
  why,
});
const gone = v.strictObject({
  kind: v.literal("remove"),
  path: text("The file that goes, absolute."),
  why,
});
const loggedOut = v.strictObject({
  kind: v.literal("doctl-removal"),
  path: text("doctl's config, absolute."),
  context: text("The context that loses its token."),
  why,
});
const selection = v.strictObject({
  kind: v.literal("doctl-selection"),
  path: text("doctl's config, absolute."),
  context: text("The context that plain doctl uses from then on."),
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
const command = {
  kind: v.literal("run"),
  command: text("As a person would type it."),
  cwd: text("Absolute."),
  why,
};

const whoIsWho = {
  token: v.pipe(v.nullable(token), v.description("null: no token, or not one that can be used.")),
  doctl: v.pipe(v.nullable(doctl), v.description("null: `doctl: false` in the config.")),
  terraform: v.array(root),
  uses: v.pipe(
    v.array(use),
    v.description("Which token each tool takes: plain ones first. doctl where it is installed."),
  ),
  places: v.pipe(
    v.array(place),
    v.description("Where this machine holds the token; looked at by `check` alone."),
  ),
};

const environment = v.strictObject({
  environment: orNull("null: what a run without --env uses, where that has a token of its own."),
  status: v.pipe(
    v.number(),
    v.integer(),
    v.description("What the command would have ended with for this one alone."),
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
    configFile: orNull("The config that was found, absolute."),
    ...whoIsWho,
    environments: v.optional(
      v.pipe(
        v.array(environment),
        v.description(
          "With --all: each environment, while `token` and `doctl` are null, `terraform` and `uses` empty. What was found and done in all of them is in `findings`, `pending` and `applied`.",
        ),
      ),
    ),
    findings: v.array(finding),
    pending: v.pipe(
      v.array(
        v.union([
          file,
          context,
          gone,
          loggedOut,
          selection,
          revocation,
          loggedIn,
          v.strictObject(command),
        ]),
      ),
      v.description("What is left to do."),
    ),
    applied: v.pipe(
      v.array(v.union([file, context, gone, loggedOut, selection, revocation, loggedIn])),
      v.description("What was done."),
    ),
    commands: v.pipe(
      v.array(
        v.strictObject({
          ...command,
          tookMs: v.pipe(v.number(), v.description("Milliseconds.")),
          failure: orNull("Why it failed; null: it did not."),
        }),
      ),
      v.description("What init has run."),
    ),
    doubts: v.pipe(
      v.array(v.string()),
      v.description("What did not go as hoped and does not matter."),
    ),
    next: v.pipe(
      v.array(v.string()),
      v.description(
        "What is left to do, in this order; where nothing is, the command to try. Empty where that is not known.",
      ),
    ),
    commit: v.pipe(v.array(v.string()), v.description("Files for git to have, absolute.")),
    api: text("The host that stands for api.digitalocean.com."),
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
      hint: orNull("What fixes it."),
    }),
  }),
  v.title("a run that failed"),
);

export type SchemaReport = v.InferOutput<typeof report>;

/** The JSON Schema of what `check --json` prints, and the commands that change something. */
export function reportSchema(): object {
  return toJsonSchema(
    v.pipe(
      v.union([report, failure]),
      v.title("do-bootstrap check --json, and of init, rotate, logout, uninstall and ci"),
    ),
    { target: "draft-07" },
  );
}
