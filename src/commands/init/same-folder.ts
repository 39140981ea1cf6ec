import { relative } from "node:path";
import type { ResolvedConfig } from "../../concerns/config/resolved.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import type { Files } from "../../host/host.ts";

/**
 * Refuses two roots that are the same folder through a link: two plans for the same files would conflict, and two
 * environments with a backend would write the same backend.tf. Duplicates that are visible in the config were already
 * refused.
 */
export async function refuseSameFolder(
  files: Pick<Files, "realpath">,
  { roots, file, base, othersFolders }: ResolvedConfig,
): Promise<void> {
  const seen = new Map<string, string>();
  for (const { dir } of roots) {
    const real = await files.realpath(dir);
    const [first, second] = [seen.get(real), relative(base, dir) || "."];
    if (first !== undefined) {
      const what = `${first} and ${second}`;
      throw new AppError(
        "CONFIG_INVALID",
        `${file}: terraform lists the same folder twice: ${what}.`,
        {
          hint: hint`List each root once.`,
        },
      );
    }
    seen.set(real, second);
  }
  for (const dir of othersFolders) {
    const mine = seen.get(await files.realpath(dir));
    if (mine === undefined) continue;
    const what = `${mine} and ${relative(base, dir) || "."} are the same folder, which can have only one backend.tf`;
    throw new AppError("CONFIG_INVALID", `${file}: ${what}.`, {
      hint: hint`Give each environment its own folder: environments.NAME.terraform.dir`,
    });
  }
}
