import { Script } from "node:vm";
import { loaderIn } from "./load.ts";

// The first file of the standalone binary, where Node's own require() loads no files.
loaderIn(process.execPath, (_, text, filename) => new Script(text, { filename }))("bin.cjs");
