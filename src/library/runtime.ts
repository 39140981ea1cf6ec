import type { Facts } from "../commands/init/observe.ts";
import type { Prompter } from "../commands/init/prompter.ts";
import type { Host } from "../host/host.ts";
import type { HookReport } from "../report/hook.ts";
import type { Report } from "../report/report.ts";

/** What a task runs on, and whom it may ask. */
export interface Runtime extends Asking {
  readonly host: Host;
  /** `now`: how far it has got, shown where a line can be drawn over. */
  readonly progress: (what: string, now?: string) => void;
}

/** The questions of a task. */
export interface Asking {
  /** Leads a person to a token; absent where nobody can be asked. */
  readonly askForToken: Prompter<Facts>["ask"];
  /** Asks whether DigitalOcean is to be asked again about a token; absent where nobody can be asked. */
  readonly retry: Prompter<Facts>["retry"];
  /** Offers a login in the browser in place of a token; absent where nobody can be asked. */
  readonly offerLogin: Prompter<Facts>["offerLogin"];
  /** Accompanies a login. */
  readonly loginTalk: Prompter<Facts>["loginTalk"];
  /** Asks whether another login in doctl may be replaced; absent where nobody can be asked. */
  readonly replace: Prompter<Facts>["replace"];
  /** Asks whether to make a context doctl's current one; absent where nobody can be asked. */
  readonly makeCurrent: Prompter<Facts>["makeCurrent"];
  /** Asks which root modules to prepare. */
  readonly askForRoots: Prompter<Facts>["roots"];
  /** Asks which token under another name to use. */
  readonly adopt: Prompter<Facts>["adopt"];
  /** Asks which environment is meant; absent where nobody can be asked. */
  readonly choose: Prompter<Facts>["choose"];
  /** Asks whether a command of the repo's config may run. */
  readonly trust: Prompter<Facts>["trust"];
  /** Shows a plan and asks for leave; true at once where nobody can be asked. */
  readonly approve: (report: Report | HookReport) => Promise<boolean>;
}
