# From the repo's lock file, by its hash; no package runs a script. Never by its name, which may be anybody's.
(
  cd "{{at}}"
  node -e '
    const { packages = {} } = require("./{{lock}}");
    const { resolved = "", integrity = "" } = packages["node_modules/do-bootstrap"] ?? {};
    const isChosen = /^(file:|https:\/\/)/.test(resolved) && !/\/-\/[^/]+$/.test(resolved);
    if (!isChosen || !/^sha512-\S+$/.test(integrity)) throw "{{lock}} has no package of do-bootstrap with a hash";
  '
  npm ci --ignore-scripts --include=dev --no-audit --no-fund
)
program="{{at}}/node_modules/do-bootstrap/dist/bin.cjs"
