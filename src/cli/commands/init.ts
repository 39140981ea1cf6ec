import { bootstrap } from "../../library/tasks.ts";
import { command } from "../command.ts";
import { changeOptions, lookOptions } from "../options.ts";
import { lookFrom } from "../request.ts";

export const init = command({
  name: "init",
  describe: "Prepare this repo: env file, .gitignore, doctl, Terraform files",
  options: {
    ...lookOptions,
    ...changeOptions,
    force: {
      type: "boolean",
      describe: "Replace another login in the doctl context",
      rare: true,
    },
    use: {
      type: "boolean",
      describe: "Make the token's context doctl's current context",
      rare: true,
    },
    save: {
      type: "boolean",
      describe: "Write a token from the environment to disk too",
      rare: true,
    },
    "all-roots": {
      type: "boolean",
      describe: "Prepare every Terraform root module in the repo and list them in a config",
      rare: true,
    },
    terraform: {
      type: "boolean",
      describe: "Write a root module in a repo that has none",
      rare: true,
    },
    adopt: {
      type: "boolean",
      describe: "Use the only token found under another name (such as DO_TOKEN)",
      rare: true,
    },
    "write-config": {
      type: "boolean",
      describe: "Write a commented config with the current choices",
      rare: true,
    },
    "create-backend": {
      type: "string",
      value: "BUCKET",
      describe: "Create the state's bucket, and a Spaces key that opens nothing else",
      rare: true,
    },
    envrc: {
      type: "boolean",
      describe: "Write an .envrc for direnv (contains no secret)",
      rare: true,
    },
    fix: { type: "boolean", describe: "Move tokens in Terraform code to a variable", rare: true },
    "doctl-config": {
      type: "boolean",
      describe: "Write doctl's context even in CI or if doctl is not installed",
      rare: true,
    },
    "access-token-flag": {
      type: "boolean",
      describe: "Pass the token to doctl as an argument, which other users can see",
      rare: true,
    },
  },
  examples: [
    ["do-bootstrap", "ask for the token, then for confirmation"],
    ["pass show do | do-bootstrap --token-stdin", "in a script"],
    ["do-bootstrap --dry-run", "what would change"],
    ["do-bootstrap --env prod --yes", "set up prod without prompts"],
  ],
  async run(args, context) {
    const { force, use, save, adopt, fix, envrc, trust, strict, yes, "dry-run": dryRun } = args;
    return bootstrap(context, {
      ...(await lookFrom(args, context)),
      ...{ force, use, save, adopt, fix, envrc, trust, strict, yes, dryRun },
      roots: args["all-roots"] ? "all" : args.terraform ? "new" : undefined,
      createBackend: args["create-backend"]?.split(","),
      writeConfig: args["write-config"],
      doctlConfig: args["doctl-config"],
      accessTokenFlag: args["access-token-flag"],
    });
  },
});
