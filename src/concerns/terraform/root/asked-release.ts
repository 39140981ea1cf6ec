import { constraintsIn } from "../../../hcl/releases.ts";
import { allows, allowsFrom } from "../../../lib/version.ts";
import type { TerraformRoot } from "./root.ts";

type Asking = Pick<TerraformRoot, "module" | "versionFiles">;

/** A requirement of the repo for its tool's release. */
interface Asked {
  /** The source and the requirement, as text: "required_version is ~> 1.5", "/repo/.terraform-version says 1.5.7". */
  readonly words: string;
  readonly constraints: readonly string[];
}

function askedBy({ module: { requiredVersions }, versionFiles }: Asking): readonly Asked[] {
  const inCode = requiredVersions.map((text) => ({
    words: `required_version is ${text}`,
    constraints: [text],
  }));
  const inFiles = versionFiles.map((file) => ({
    words: `${file.path} says ${file.says}`,
    constraints: constraintsIn(file, requiredVersions),
  }));
  return [...inCode, ...inFiles];
}

/**
 * Why no release that the repo allows has the feature of `since`, as text; undefined: at least one has it.
 *
 * @param since such as "1.10".
 */
export function whyTooOld(root: Asking, since: string): string | undefined {
  const asked = askedBy(root);
  if (
    allowsFrom(
      asked.flatMap(({ constraints }) => constraints),
      since,
    )
  ) {
    return undefined;
  }
  const [alone] = asked.filter(({ constraints }) => !allowsFrom(constraints, since));
  return alone?.words ?? asked.map(({ words }) => words).join(" and ");
}

/** Why the repo does not allow a release, as text. */
export function whyNotTaken(root: Asking, release: string): string | undefined {
  return askedBy(root).find(({ constraints }) => !allows(constraints, release))?.words;
}
