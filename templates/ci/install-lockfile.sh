# Install from the repo's lock file, by hash, without scripts. Never by name: anyone could register the name.
(
  cd "{{at}}"
  node -e '
    const { existsSync, readFileSync } = require("fs");
    const lock = existsSync("npm-shrinkwrap.json") ? "npm-shrinkwrap.json" : "package-lock.json";
    const { packages = {} } = JSON.parse(readFileSync(lock));
    const { resolved = "", integrity = "" } = packages["node_modules/do-bootstrap"] ?? {};
    const isChosen = /^(file:|https:\/\/)/.test(resolved) && !/\/-\/[^/]+$/.test(resolved);
    const hasHash = /^sha512-[A-Za-z0-9+\/]{86}==$/.test(integrity);
    if (!isChosen || !hasHash) throw lock + " has no package of do-bootstrap with a hash";
  '
  npm ci --ignore-scripts --include=dev --dry-run=false --no-audit --no-fund
)
program="{{at}}/node_modules/do-bootstrap/dist/bin.cjs"
