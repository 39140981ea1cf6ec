// The smallest wrapper that Node can be: it starts a command and passes its exit status on.
const { spawn } = require("node:child_process");
const [, , command, ...args] = process.argv;
spawn(command, args, { stdio: "inherit" }).on("exit", (status) => {
  process.exitCode = status;
});
