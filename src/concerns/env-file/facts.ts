import type { Snapshot } from "../../host/host.ts";

export interface EnvFileFacts {
  /** The env file of the chosen environment. */
  readonly file: Snapshot;
  readonly example: Snapshot;
  /** `.env.local` next to the config. Frameworks prefer it to .env; we don't take a token from it. */
  readonly local: Snapshot;
  /** direnv's file. */
  readonly envrc: Snapshot;
  readonly templates: { readonly example: string; readonly envrc: string };
}
