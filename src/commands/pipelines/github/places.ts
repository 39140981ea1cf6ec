import type { ResolvedConfig } from "../../../concerns/config/resolved.ts";
import type { Bucket } from "../../../concerns/spaces/s3.ts";
import { bucketsOf } from "../../../concerns/terraform/root/keys.ts";
import type { TerraformRoot } from "../../../concerns/terraform/root/root.ts";
import { keyNames, type Pipeline } from "../render.ts";
import type { Root } from "../roots.ts";

/** A GitHub environment of the pipeline, and the secrets that it needs. */
export interface Place {
  /** Such as "prod-plan". */
  readonly name: string;
  readonly purpose: "plan" | "apply";
  readonly config: ResolvedConfig;
  /** The secret with the token. */
  readonly tokenSecret: string;
  /** The variable that gives its token to a script. */
  readonly variable: string;
  /** The secrets with the id and the secret of a Spaces key; undefined: do-bootstrap can't make it. */
  readonly keySecrets: readonly [id: string, secret: string] | undefined;
  /** The buckets that the key opens. */
  readonly buckets: readonly Bucket[];
}

/** The GitHub environments of a pipeline: two for each environment of the config. */
export function placesOf(pipeline: Pipeline, roots: readonly Root[]): readonly Place[] {
  const configs = [...new Set(roots.map(({ config }) => config))];
  return configs.flatMap((config) => {
    const its = roots.filter((each) => each.config === config).map(({ root }) => root);
    const of = config.environment ?? "digitalocean";
    const suffix =
      config.environment === undefined ? "" : `_${of.toUpperCase().replace(/\W/g, "_")}`;
    return (["plan", "apply"] as const).map((purpose): Place => {
      const tokenSecret = `DIGITALOCEAN_TOKEN_${purpose.toUpperCase()}`;
      const [id, secret, ...others] = keyNames(pipeline.keys);
      const canMake = canMakeKey(pipeline, its) && others.length === 0;
      return {
        ...{ name: `${of}-${purpose}`, purpose, config, tokenSecret },
        variable: `${tokenSecret}${suffix}`,
        keySecrets: canMake && id !== undefined && secret !== undefined ? [id, secret] : undefined,
        buckets: bucketsOf(its),
      };
    });
  });
}

/** A key for the state's bucket is enough, and the bucket is known: no resource of the code needs another. */
function canMakeKey({ keys }: Pipeline, roots: readonly TerraformRoot[]): boolean {
  return !keys.spaces && roots.every((root) => bucketsOf([root]).length === 1);
}
