// Preloaded: leaves the peak memory of its process, in KiB, in the file that PEAK_MEMORY names.
const { writeFileSync } = require("node:fs");
process.on("exit", () => {
  writeFileSync(process.env.PEAK_MEMORY, String(process.resourceUsage().maxRSS));
});
