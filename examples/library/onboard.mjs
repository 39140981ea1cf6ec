// A team's onboarding script: `node onboard.mjs` in a fresh clone.
import { spawnSync } from "node:child_process";
import { bootstrap, DoBootstrapError, environment } from "do-bootstrap";

try {
  const report = await bootstrap({ save: true, progress: (what) => console.error(`${what} …`) });
  for (const { level, message, fix } of report.findings) {
    console.error(`${level}: ${message}${fix ? ` → ${fix}` : ""}`);
  }
  console.error(`${report.project}: ${report.applied.length} changes made.`);
  process.exitCode = report.status;

  if (report.status === 0) {
    // Only this child gets the token.
    const { variables } = await environment();
    const env = { ...process.env, ...variables };
    spawnSync("terraform", ["plan"], { env, stdio: "inherit" });
  }
} catch (error) {
  if (!(error instanceof DoBootstrapError)) throw error;
  console.error(`${error.message}${error.hint ? ` → ${error.hint}` : ""}`);
  process.exitCode = error.status;
}
