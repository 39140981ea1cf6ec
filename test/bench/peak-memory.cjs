// Preloaded. Writes the peak memory of its process, in KiB, to the file in PEAK_MEMORY.
const { writeFileSync } = require("node:fs");
process.on("exit", () => {
  writeFileSync(process.env.PEAK_MEMORY, String(process.resourceUsage().maxRSS));
});
