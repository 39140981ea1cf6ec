// The smallest possible wrapper in Node: it starts a command and passes on its exit status.
const { spawn } = require("node:child_process");
const [, , command, ...args] = process.argv;
spawn(command, args, { stdio: "inherit" }).on("exit", (status) => {
  process.exitCode = status;
});
