import type { FileSnapshot } from "../../host/host.ts";
import type { ApplyContext, Change } from "../change.ts";

/** Removes a file. */
export class RemoveFile implements Change {
  readonly stage = "removal";
  readonly sign = "-";
  readonly isForClones = false;
  readonly before: FileSnapshot;
  readonly why: string;
  readonly #emptyBelow: string | undefined;

  /** @param emptyBelow folders below this one are removed too if they are then empty. */
  constructor(before: FileSnapshot, why: string, emptyBelow?: string) {
    this.before = before;
    this.why = why;
    this.#emptyBelow = emptyBelow;
  }

  get label(): string {
    return this.before.path;
  }

  get file(): string {
    return this.before.path;
  }

  diff(): undefined {
    return undefined;
  }

  json(): object {
    return { kind: "remove", path: this.before.path, why: this.why };
  }

  async apply({ host, step }: ApplyContext): Promise<void> {
    await step(host.files.remove(this.before, this.#emptyBelow));
  }
}
