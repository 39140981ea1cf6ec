import { dirname } from "node:path";
import type { ApplyContext, Change, Difference } from "../../core/change.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import { content } from "../../secret/content.ts";
import type { Secret } from "../../secret/secret.ts";
import type { ApiHosts } from "../token/hosts.ts";

/** Asks doctl whether it accepts the token, before the token is stored. */
export interface DoctlCheck {
  /** The executable. */
  readonly doctl: string;
  readonly hosts: ApiHosts;
  /** Pass the token on argv. */
  readonly asFlag: boolean;
}

interface Login {
  /** doctl's config file. */
  readonly path: string;
  readonly context: string;
  readonly why: string;
}

/** Stores a token in a context of doctl's config. */
export class StoreContext implements Change {
  readonly stage = "login";
  readonly file = undefined;
  readonly isForClones = false;
  readonly label: string;
  readonly why: string;
  readonly secretAt: string;
  readonly #login: Login;
  readonly #token: Secret;
  readonly #replaces: Secret | undefined;
  readonly #check: DoctlCheck | undefined;

  /**
   * @param replaces what the context held when the plan was made.
   * @param check missing if the context is stored without asking doctl.
   */
  constructor(
    login: Login,
    { token, replaces, check }: { token: Secret; replaces: Secret | undefined; check?: DoctlCheck },
  ) {
    this.label = labelOf(login);
    this.why = login.why;
    this.secretAt = login.path;
    this.#login = login;
    this.#token = token;
    this.#replaces = replaces;
    this.#check = check;
  }

  get sign(): Change["sign"] {
    return this.#replaces === undefined ? "+" : "~";
  }

  diff(): Difference {
    const before = this.#replaces === undefined ? content() : content(this.#replaces);
    return { before, after: content(this.#token) };
  }

  json(): object {
    return { kind: "doctl-context", ...this.#login };
  }

  async check({ host, progress, step }: ApplyContext): Promise<readonly string[]> {
    const folder = dirname(await host.files.realpath(this.#login.path));
    await step(host.files.makeDirectory(folder, 0o700));
    await host.files.sweep(folder);
    if (this.#check === undefined) return [];
    progress("Checking the token with doctl");
    const { authInit } = await import("./auth-init.ts");
    const result = await authInit(host, { ...this.#check, folder, token: this.#token });
    if (result.kind === "refused") {
      throw new AppError(
        "DOCTL_REFUSED_TOKEN",
        "doctl reports that DigitalOcean rejects the token (401).",
        {
          hint: hint`Nothing was changed. If the token is new, wait a minute. Then run the same command again.`,
        },
      );
    }
    return result.kind === "accepted"
      ? []
      : [
          `doctl could not check the token (${result.why}). Context ${this.#login.context} was written because do-bootstrap's own check succeeded.`,
        ];
  }

  async apply({ host, progress, step }: ApplyContext): Promise<void> {
    // Loading the YAML editor takes 10 ms, and a finished repo does not need it.
    const { storeContext } = await import("./store-context.ts");
    const { path, context } = this.#login;
    const expected = this.#replaces?.fingerprint;
    await step(storeContext(host, { path, context, token: this.#token, expected, progress }));
  }
}

/** Removes the token from a context of doctl's config. */
export class RemoveContext implements Change {
  readonly stage = "removal";
  readonly sign = "-";
  readonly file = undefined;
  readonly isForClones = false;
  readonly label: string;
  readonly why: string;
  readonly #login: Login;
  readonly #holds: Secret | undefined;

  /** @param holds the token in it; undefined: a login without a token. */
  constructor(login: Login, holds: Secret | undefined) {
    this.label = labelOf(login);
    this.why = login.why;
    this.#login = login;
    this.#holds = holds;
  }

  diff(): Difference {
    return {
      before: content(...(this.#holds === undefined ? [] : [this.#holds])),
      after: content(),
    };
  }

  json(): object {
    return { kind: "doctl-removal", ...this.#login };
  }

  async apply({ host, progress, step }: ApplyContext): Promise<void> {
    const { removeContext } = await import("./store-context.ts");
    const { path, context } = this.#login;
    const expected = this.#holds?.fingerprint;
    await step(removeContext(host, { path, context, expected, progress }));
  }
}

/** Selects the context that plain doctl uses. */
export class SelectContext implements Change {
  readonly stage = "login";
  readonly sign = "~";
  readonly file = undefined;
  readonly isForClones = false;
  readonly label = "doctl's current context";
  readonly why: string;
  readonly #selection: { readonly path: string; readonly from: string; readonly to: string };

  constructor(selection: { path: string; from: string; to: string }) {
    this.why = `${selection.to} in place of ${selection.from}`;
    this.#selection = selection;
  }

  diff(): undefined {
    return undefined;
  }

  json(): object {
    const { path, to } = this.#selection;
    return { kind: "doctl-selection", path, context: to, why: this.why };
  }

  async apply({ host, progress, step }: ApplyContext): Promise<void> {
    const { selectContext } = await import("./store-context.ts");
    const { path, from, to } = this.#selection;
    await step(selectContext(host, { path, context: to, expected: from, progress }));
  }
}

function labelOf({ context }: Login): string {
  return `doctl context ${context}`;
}
