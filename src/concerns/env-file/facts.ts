import type { Snapshot } from "../../host/host.ts";

export interface EnvFileFacts {
  /** The env file of the chosen environment. */
  readonly file: Snapshot;
  readonly example: Snapshot;
  /** `.env.local` beside the config: frameworks prefer it to .env, and we do not read it. */
  readonly local: Snapshot;
  /** direnv's file. */
  readonly envrc: Snapshot;
  readonly templates: { readonly example: string; readonly envrc: string };
}
