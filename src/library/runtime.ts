import type { Facts } from "../commands/init/observe.ts";
import type { Prompter } from "../commands/init/prompter.ts";
import type { Host } from "../host/host.ts";
import type { HookReport } from "../report/hook.ts";
import type { Report } from "../report/report.ts";

/** The host that a task runs on, and the questions it may ask. */
export interface Runtime extends Asking {
  readonly host: Host;
  /** `now`: how much is done, shown where the terminal can redraw a line. */
  readonly progress: (what: string, now?: string) => void;
}

/** The questions of a task. Absent where nobody can be asked. */
export interface Asking {
  /** Helps a person to create a token and asks for it. */
  readonly askForToken: Prompter<Facts>["ask"];
  /** Asks whether to ask DigitalOcean about a token again. */
  readonly retry: Prompter<Facts>["retry"];
  /** Offers a login in the browser instead of a token. */
  readonly offerLogin: Prompter<Facts>["offerLogin"];
  /** What a person sees and is asked during a login. */
  readonly loginTalk: Prompter<Facts>["loginTalk"];
  /** Asks whether to replace another login in doctl. */
  readonly replace: Prompter<Facts>["replace"];
  /** Asks whether to make a context doctl's current one. */
  readonly makeCurrent: Prompter<Facts>["makeCurrent"];
  /** Asks whether to make a Spaces key for the state, and its bucket. */
  readonly askForKeys: Prompter<Facts>["keys"];
  /** Asks whether to set up a pipeline on a repo, too, such as "github.com/acme/web". */
  readonly askToSetUp: ((repo: string) => Promise<boolean>) | undefined;
  /** Asks which root modules to prepare. */
  readonly askForRoots: Prompter<Facts>["roots"];
  /** Asks which token under another name to use. */
  readonly adopt: Prompter<Facts>["adopt"];
  /** Asks which environment to use. */
  readonly choose: Prompter<Facts>["choose"];
  /** Asks whether a command of the repo's config may run. */
  readonly trust: Prompter<Facts>["trust"];
  /** Shows a plan and asks for approval; true immediately where nobody can be asked. */
  readonly approve: (report: Report | HookReport) => Promise<boolean>;
}
