import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { allOption } from "../../../src/cli/options.ts";
import { exec, type Hint, hint, own, run, unset } from "../../../src/errors/hint.ts";
import { type Shell, shellWord } from "../../../src/lib/shell-word.ts";
import { wrap } from "../../../src/lib/wrap.ts";
import { edgeOf, type HintEdge, hintWords, shellOf } from "../../../src/report/hint-text.ts";
import { said } from "../../fixtures/hint.ts";

const SHELLS = ["posix", "powershell", "cmd"] as const satisfies readonly Shell[];

describe("a part of a hint, in each shell", () => {
  const file = { path: "/repo/a b" };
  it.each<[Hint, posix: string, powershell: string, cmd: string]>([
    [hint`Ask a colleague.`, "Ask a colleague.", "Ask a colleague.", "Ask a colleague."],
    [hint`${2} of ${"a b"}`, "2 of a b", "2 of a b", "2 of a b"],
    [hint`Run ${own()}.`, "Run do-bootstrap.", "Run do-bootstrap.", "Run do-bootstrap."],
    [
      hint`${run("rm", "a b")}, then: ${hint`${own("check")}`}`,
      "rm 'a b', then: do-bootstrap check",
      "rm 'a b', then: do-bootstrap check",
      'rm "a b", then: do-bootstrap check',
    ],
    [
      hint`${exec(["tofu", "plan"], "--explain")}`,
      "do-bootstrap exec --explain -- tofu plan",
      "do-bootstrap exec --explain '--' tofu plan",
      "do-bootstrap exec --explain -- tofu plan",
    ],
    [hint`${unset("A", "B")}`, "unset A B", "Remove-Item Env:A,Env:B", 'set "A=" & set "B="'],
    [
      hint`${{ inTurn: [run("cd", file), own()] }}`,
      "cd '/repo/a b' && do-bootstrap",
      "cd '/repo/a b'; if ($?) { do-bootstrap }",
      'cd "/repo/a b" && do-bootstrap',
    ],
    [
      hint`${{ line: own("--token-stdin"), input: "token.txt" }}`,
      "do-bootstrap --token-stdin < ~/token.txt",
      "Get-Content ~/token.txt | do-bootstrap --token-stdin",
      'do-bootstrap --token-stdin < "%USERPROFILE%\\token.txt"',
    ],
    [
      hint`${{ line: run("doctl", "auth", "list"), without: "A" }}`,
      "env -u A doctl auth list",
      "Remove-Item Env:A; doctl auth list",
      'set "A=" & doctl auth list',
    ],
    [
      hint`${{ listing: file, isFolder: true }}`,
      "ls -ld '/repo/a b'",
      "icacls '/repo/a b'",
      'icacls "/repo/a b"',
    ],
    [hint`${{ listing: "f" }}`, "ls -l f", "icacls f", "icacls f"],
    [
      hint`${{ allow: file }}`,
      "chmod u+rw '/repo/a b'",
      `icacls '/repo/a b' /grant "\${env:USERNAME}:F"`,
      'icacls "/repo/a b" /grant "%USERNAME%:F"',
    ],
    [
      hint`${{ lookUp: "api.digitalocean.com" }}`,
      "getent hosts api.digitalocean.com",
      "nslookup api.digitalocean.com",
      "nslookup api.digitalocean.com",
    ],
    [
      hint`${{ set: "A", to: "it's 50%" }}`,
      "export A='it'\\''s 50%'",
      "$env:A = 'it''s 50%'",
      "set A=it's 50^%",
    ],
    [hint`${{ set: "A", to: "007" }}`, "export A=007", "$env:A = '007'", "set A=007"],
    [
      hint`${{ set: "A", from: "TF_VAR_a-b" }}`,
      'export A="$TF_VAR_a-b"',
      "$env:A = ${env:TF_VAR_a-b}",
      'set "A=%TF_VAR_a-b%"',
    ],
    [
      hint`${{ append: "/.env 2", file, isOpen: false }}`,
      "echo '/.env 2' >> '/repo/a b'",
      "Add-Content -LiteralPath '/repo/a b' -Value '/.env 2'",
      '>> "/repo/a b" echo /.env 2',
    ],
    [
      hint`${{ append: "\\#a&b", file, isOpen: false }}`,
      "printf '%s\\n' ''\\\\'#a&b' >> '/repo/a b'",
      "Add-Content -LiteralPath '/repo/a b' -Value '\\#a&b'",
      '>> "/repo/a b" echo \\#a^&b',
    ],
    [
      hint`${{ append: "-n", file: "f", isOpen: false }}`,
      "printf '%s\\n' -n >> f",
      "Add-Content -LiteralPath f -Value '-n'",
      ">> f echo -n",
    ],
    [
      hint`${{ remove: file }}`,
      "rm '/repo/a b'",
      "Remove-Item -LiteralPath '/repo/a b'",
      'del "/repo/a b"',
    ],
    [
      hint`${{ rename: file, into: { ...file, after: ".broken" } }}`,
      "mv '/repo/a b' '/repo/a b.broken'",
      "Move-Item -LiteralPath '/repo/a b' -Destination '/repo/a b.broken'",
      'move "/repo/a b" "/repo/a b.broken"',
    ],
    [
      hint`${{ withoutVariable: "A", file }}`,
      "sed -i -E '/^[[:space:]]*(export[[:space:]]+)?A[[:space:]]*[=:]/d' '/repo/a b'",
      "Set-Content -LiteralPath '/repo/a b' -Value (@(Get-Content -LiteralPath '/repo/a b') -cnotmatch '^\\s*(export\\s+)?A\\s*[=:]')",
      'take the lines that set A out of "/repo/a b"',
    ],
    [
      hint`${{ withoutKeys: ["api-url"], file }}`,
      "sed -i '/^api-url:/d' '/repo/a b'",
      "Set-Content -LiteralPath '/repo/a b' -Value (@(Get-Content -LiteralPath '/repo/a b') -cnotmatch '^api-url:')",
      'take the lines that set api-url out of "/repo/a b"',
    ],
    [
      hint`${{ withoutKeys: ["api-url", "config"], file }}`,
      "sed -i '/^api-url:/d;/^config:/d' '/repo/a b'",
      "Set-Content -LiteralPath '/repo/a b' -Value (@(Get-Content -LiteralPath '/repo/a b') -cnotmatch '^api-url:|^config:')",
      'take the lines that set api-url and config out of "/repo/a b"',
    ],
    [
      hint`${{ append: ".env", file, isOpen: true }}`,
      "printf '\\n%s\\n' .env >> '/repo/a b'",
      "Add-Content -LiteralPath '/repo/a b' -Value '','.env'",
      '>> "/repo/a b" echo. & >> "/repo/a b" echo .env',
    ],
    [
      hint`${{ trim: "A" }}`,
      `export A="$(printf %s "$A" | tr -d "'\\"[:space:]")"`,
      `$env:A = $env:A -replace '[''"\\s]'`,
      "set A again, without quotes and white space",
    ],
  ])("%j", (part, posix, powershell, cmd) => {
    expect(SHELLS.map((shell) => said(part, { shell }))).toEqual([posix, powershell, cmd]);
  });

  it("on macOS, sed -i has an extra argument", () => {
    expect(said([{ withoutKeys: ["a"], file: "c.yaml" }], { platform: "darwin" })).toBe(
      "sed -i '' '/^a:/d' c.yaml",
    );
  });

  it("macOS has no getent", () => {
    expect(said([{ lookUp: "a.b" }], { platform: "darwin" })).toBe("nslookup a.b");
  });

  it("empty texts add no parts, so equal hints compare equal", () => {
    expect(hint`${""}a${hint``}`).toEqual(["a"]);
  });
});

describe("--env", () => {
  it.each<[words: readonly string[], line: string]>([
    [[], "do-bootstrap --env prod"],
    [["--save"], "do-bootstrap --env prod --save"],
    [["rotate", "--revoke"], "do-bootstrap rotate --env prod --revoke"],
    [["check", "--env", "dev"], "do-bootstrap check --env dev"],
    [["--env", "dev"], "do-bootstrap --env dev"],
    [["exec", "--", "make"], "do-bootstrap exec --env prod -- make"],
    [["exec", "--", "make", "--env", "x"], "do-bootstrap exec --env prod -- make --env x"],
    [["exec", "--env", "dev", "--", "make"], "do-bootstrap exec --env dev -- make"],
    [["ci", "github"], "do-bootstrap ci github"],
    [["logout", "--all"], "do-bootstrap logout --all"],
    [["exec", "--all", "--", "make"], "do-bootstrap exec --env prod --all -- make"],
    [["env", "--all"], "do-bootstrap env --env prod --all"],
  ])("%j", (words, line) => {
    expect(said([own(...words)], { environment: "prod" })).toBe(line);
  });

  it("is not added without an environment", () => {
    expect(said([own("check"), own()])).not.toContain("--env");
  });

  it("is not added to another program's line", () => {
    expect(said([run("git", "init")], { environment: "prod" })).toBe("git init");
  });

  it.each(COMMANDS.map(({ name, options }) => [name, "env" in options] as const))(
    "%s takes one: %s",
    (name, takesOne) => {
      const line = said([own(name)], { environment: "prod" });
      expect(line).toBe(`do-bootstrap ${name}${takesOne ? " --env prod" : ""}`);
    },
  );

  it.each(COMMANDS.map(({ name, options }) => [name, options] as const))(
    "is added to %s --all unless that means every environment",
    (name, options) => {
      const isAdded = "env" in options && options["all"] !== allOption.all;
      const line = said([own(name, "--all")], { environment: "prod" });
      expect(line).toBe(`do-bootstrap ${name}${isAdded ? " --env prod" : ""} --all`);
    },
  );

  it.each<[environment: string | null | undefined, line: string]>([
    [undefined, "do-bootstrap check --env prod"],
    ["dev", "do-bootstrap check --env dev"],
    [null, "do-bootstrap check"],
  ])("is that of the finding's environment: %s", (environment, line) => {
    const edge = edgeOf(
      { environment: "prod", cwd: undefined, platform: "linux", shell: "posix" },
      environment === undefined ? {} : { environment },
    );
    expect(said([own("check")], edge)).toBe(line);
  });

  it("has a quoted value if needed", () => {
    expect(said([own()], { environment: "a b" })).toBe("do-bootstrap --env 'a b'");
  });
});

describe("a path", () => {
  const at = (path: string, more: Partial<HintEdge> = {}) =>
    said([run("ls", { path })], { cwd: "/repo", ...more });

  it.each([
    ["/repo/infra/main.tf", "ls infra/main.tf"],
    ["/repo", "ls ."],
    ["/repo/-rf", "ls ./-rf"],
    ["/repo/:.env", "ls ./:.env"],
    ["/repo/:(top)x", "ls './:(top)x'"],
    ["/repo/..a", "ls ..a"],
    ["/repository/a", "ls /repository/a"],
    ["/etc/a b", "ls '/etc/a b'"],
  ])("%s is shown relative to the folder", (path, line) => {
    expect(at(path)).toBe(line);
  });

  it.each([["/repo/infra/main.tf"], ["/repo"], ["/repo/-rf"]])(
    "%s is absolute if the folder is unknown",
    (path) => {
      expect(at(path, { cwd: undefined })).toBe(`ls ${path}`);
    },
  );

  it("is relative after -chdir=, which is omitted for the current folder", () => {
    const chdir = (path: string) =>
      said([run("tofu", { path, before: "-chdir=" }, "plan")], { cwd: "/repo" });
    expect(chdir("/repo/a b")).toBe("tofu '-chdir=a b' plan");
    expect(chdir("/other")).toBe("tofu -chdir=../other plan");
    expect(chdir("/repo")).toBe("tofu plan");
  });

  it("is only a path part, never a text", () => {
    expect(said([run("ls", "/repo/a")], { cwd: "/repo" })).toBe("ls /repo/a");
  });

  it("has slashes in Git Bash", () => {
    const more = { platform: "win32" } as const;
    expect(at("C:\\a\\b", more)).toBe("ls C:/a/b");
    expect(at("C:\\a\\b", { ...more, shell: "cmd" })).toBe("ls C:\\a\\b");
  });
});

it.each<[NodeJS.Platform, Record<string, string>, Shell]>([
  ["linux", { PROMPT: "%" }, "posix"],
  ["darwin", {}, "posix"],
  ["win32", {}, "powershell"],
  ["win32", { PROMPT: "$P$G" }, "cmd"],
  ["win32", { MSYSTEM: "MINGW64" }, "posix"],
])("the shell on %s with %j is %s", (platform, env, shell) => {
  expect(shellOf(platform, env)).toBe(shell);
});

describe("a command is not wrapped", () => {
  it.each<[Hint, lines: readonly string[]]>([
    [hint`Then run: ${run("rm", "a b c d e f")}`, ["Then run:", "rm 'a b c d e f'"]],
    [hint`Or ${{ set: "A", to: "x y z" }}.`, ["Or", "export A='x y z'."]],
    [hint`${{ trim: "A" }}`, [`export A="$(printf %s "$A" | tr -d "'\\"[:space:]")"`]],
    [
      hint`${{ withoutVariable: "A", file: "f" }}`,
      ["sed -i -E '/^[[:space:]]*(export[[:space:]]+)?A[[:space:]]*[=:]/d' f"],
    ],
  ])("%j", (part, lines) => {
    const edge = { environment: undefined, cwd: undefined } as const;
    const words = hintWords(part, { ...edge, platform: "linux", shell: "posix" });
    expect(wrap(words, 10)).toEqual(lines);
  });
});

/** Hostile names from a repo, a config or an API. */
const HOSTILE = [
  "a; touch PWNED",
  "$(touch PWNED)",
  "`touch PWNED`",
  "&& touch PWNED",
  "| touch PWNED",
  "> PWNED",
  "a\ntouch PWNED\n",
  "'; touch PWNED; '",
  '"; touch PWNED; "',
  "\\'; touch PWNED; \\'",
  "'",
  "it's",
  'a"b',
  "\\",
  "back\\slash",
  "trail\\",
  "\\n\\t\\x41",
  "-rf",
  "--",
  "~",
  "~root",
  "a=~",
  "a:~",
  "=ls",
  "*",
  "?",
  "[a-z]*",
  "a b",
  " a ",
  "$HOME",
  "${HOME}",
  "%HOME%",
  "%self",
  "#x",
  "!x",
  "a!!",
  "^a^b",
  "{a,b}",
  "(a)",
  "\t",
  "é ‘’ “” 😀",
] as const;

describe("a command pasted into this shell keeps its arguments:", () => {
  const PASTED = [
    ["sh"],
    ["dash"],
    ["bash", "--norc", "--noprofile"],
    // Only with these options !x expands from the history.
    ["bash", "--norc", "--noprofile", "--noediting", "-i"],
    ["zsh", "-f"],
    ["zsh", "-f", "-i"],
    ["fish", "--no-config"],
  ];
  for (const [shell = "", ...args] of PASTED) {
    const isThere = spawnSync(shell, ["-c", "exit 0"]).status === 0;
    const title = `${[shell, ...args].join(" ")}${isThere ? "" : ` (needs ${shell})`}`;

    describe.skipIf(!isThere)(title, () => {
      it.each(HOSTILE)("%j", (name) => {
        const { pasted } = bench(shell, args);
        expect(pasted(run("show", name, "x"))).toEqual([[name, "x"]]);
      });

      it("an empty word and all names in one line", () => {
        const { pasted } = bench(shell, args);
        expect(pasted(run("show", "", ...HOSTILE))).toEqual([["", ...HOSTILE]]);
      });

      it("any words", () => {
        const { pasted } = bench(shell, args);
        const unit = fc.constantFrom(..."aA=\\'\"`$!*?~#%;&|<>(){}[]^@+:,./- \n");
        // bash expands ! and ^ on a second line at its prompt, even between quotes.
        const text = fc.string({ unit, maxLength: 8 }).map((each) => each.replace(/\n.*/gs, "\n"));
        const words = fc.sample(text, 400);
        expect(pasted(run("show", ...words))).toEqual([words]);
      });

      it("file names", () => {
        const { pasted, at, files } = bench(shell, args);
        const parts = HOSTILE.map((name) => ({ name, file: at(name) }));
        pasted(...parts.map(({ name, file }) => ({ append: name, file, isOpen: false })));
        expect(files()).toEqual(Object.fromEntries(HOSTILE.map((name) => [name, `${name}\n`])));

        const broken = (name: string) => ({ ...at(name), after: ".broken" });
        pasted(...parts.map(({ name, file }) => ({ rename: file, into: broken(name) })));
        expect(Object.keys(files()).sort()).toEqual(HOSTILE.map((name) => `${name}.broken`).sort());

        pasted(...HOSTILE.map((name) => ({ remove: broken(name) })));
        expect(files()).toEqual({});
      });

      it("lines of a file", () => {
        const { pasted, at, files } = bench(shell, args);
        const file = at("-a b'");
        writeFileSync(
          file.path,
          "A=1\nB=2\n A=3\nA  =4\nAB=5\nexport A=6\nA: 7\nexportA=8\n#A=9\n",
        );
        pasted({ withoutVariable: "A", file });
        expect(files()).toEqual({ "-a b'": "B=2\nAB=5\nexportA=8\n#A=9\n" });

        writeFileSync(file.path, "a.b: 1\nconfig: 2\naxb: 2\nc:\n  a.b: 3");
        pasted({ withoutKeys: ["a.b", "config"], file });
        pasted({ append: "d: 4", file, isOpen: true });
        expect(files()).toEqual({ "-a b'": "axb: 2\nc:\n  a.b: 3\nd: 4\n" });
      });

      it("values of a variable", () => {
        const { pasted } = bench(shell, args);
        const shown = hint`\nshow "$X"\n`;
        const set = HOSTILE.map((to) => hint`${{ set: "X", to }}${shown}`);
        expect(pasted(...set.flat())).toEqual(HOSTILE.map((name) => [name]));

        const value = ` "'a$b'"\t\n`;
        const first = { set: "Y", to: value };
        expect(pasted(first, "\n", { set: "X", from: "Y" }, ...shown)).toEqual([[value]]);
        expect(pasted({ set: "X", to: value }, "\n", { trim: "X" }, ...shown)).toEqual([["a$b"]]);
      });

      // fish has no unset.
      if (shell === "fish") return;
      it("an unset variable", () => {
        const { pasted } = bench(shell, args);
        const set = [...hint`${{ set: "X", to: "x" }}\n`, unset("X", "Y")];
        expect(pasted(...set, '\nshow "${X-unset}"')).toEqual([["unset"]]);
      });
    });
  }

  /** A folder with a function that pastes lines into a shell. */
  function bench(shell: string, args: readonly string[]) {
    const root = mkdtempSync(join(tmpdir(), "hint-"));
    onTestFinished(() => rmSync(root, { recursive: true }));
    writeFileSync(join(root, "show"), `#!/bin/sh\nprintf '%s\\0' "$#" "$@"\n`);
    chmodSync(join(root, "show"), 0o755);
    const cwd = mkdtempSync(join(root, "repo-"));
    const env = { PATH: `${root}:${process.env["PATH"]}`, HOME: root, LC_ALL: "C.UTF-8" };
    const edge = { cwd, platform: process.platform } as const;
    const at = (name: string) => ({ path: join(cwd, name) });
    const names = () => readdirSync(cwd);
    const files = () =>
      Object.fromEntries(names().map((name) => [name, readFileSync(join(cwd, name), "utf8")]));
    const pasted = (...parts: Hint): string[][] => {
      const isApart = parts.some((part) => typeof part === "string");
      const input = isApart
        ? said(parts, edge)
        : parts.map((part) => said([part], edge)).join("\n");
      writeFileSync(join(root, "pasted"), `${input}\n`);
      // fish can't read sockets, and Node's pipes are sockets.
      const stdin = openSync(join(root, "pasted"), "r");
      const { stdout } = spawnSync(shell, args, { cwd, env, stdio: [stdin, "pipe", "ignore"] });
      closeSync(stdin);
      expect(names()).not.toContain("PWNED");
      return wordsIn(stdout.toString());
    };
    return { pasted, at, files };
  }

  /** The output of `show`, by call: the number of words, then each word. */
  function wordsIn(output: string): string[][] {
    const texts = output.split("\0").slice(0, -1);
    const calls: string[][] = [];
    while (texts.length > 0) calls.push(texts.splice(0, Number(texts.shift())));
    return calls;
  }
});

describe("PowerShell", () => {
  it.each([
    // Names and options.
    ["git", "git"],
    [".gitignore", ".gitignore"],
    ["C:\\a\\b.tf", "C:\\a\\b.tf"],
    ["--cached", "--cached"],
    ["-migrate-state", "-migrate-state"],
    ["-lock=false", "-lock=false"],
    // An option ends at its first dot or colon.
    ["-chdir=.", "'-chdir=.'"],
    ["-a:b", "'-a:b'"],
    // PowerShell removes this one.
    ["--", "'--'"],
    // Number, array, splat, home folder.
    ["007", "'007'"],
    ["a,b", "'a,b'"],
    ["@a", "'@a'"],
    ["~", "'~'"],
    // Between single quotes only these characters are special; doubled they are literal.
    ["", "''"],
    ["it's", "'it''s'"],
    ["‘a’ ‚b‛ “c”", "'‘‘a’’ ‚‚b‛‛ “c”'"],
    ['$(a) `b` "c" $env:D; e', "'$(a) `b` \"c\" $env:D; e'"],
    ["a\nb", "'a\nb'"],
  ])("%j is %s", (text, word) => {
    expect(shellWord(text, "powershell")).toBe(word);
  });

  it.each(HOSTILE)("reads %j back", (text) => {
    const word = shellWord(text, "powershell");
    if (word === text) return expect(word).toMatch(/^(?!--$|\d)[\w./\\-]+$/);
    expect(word).toMatch(/^'(?:[^'‘’‚‛]|(['‘’‚‛])\1)*'$/);
    expect(word.slice(1, -1).replace(/(['‘’‚‛])\1/g, "$1")).toBe(text);
  });
});

describe("cmd", () => {
  it.each([
    ["git", "git"],
    ["C:\\a\\b.tf", "C:\\a\\b.tf"],
    ["-chdir=infra", '"-chdir=infra"'],
    ["", '""'],
    ["a b", '"a b"'],
    ["a&b|c<d>e^f", '"a&b|c<d>e^f"'],
    // A quote is doubled, and so are backslashes before a quote.
    ['a"b', '"a""b"'],
    ['a\\"b', '"a\\\\""b"'],
    ["a b\\", '"a b\\\\"'],
    // A % must be outside the quotes.
    ["%PATH%", '""^%"PATH"^%""'],
    ["a\\%b", '"a\\\\"^%"b"'],
    // cmd has no line breaks.
    ["a\r\nb", '"a b"'],
  ])("%j is %s", (text, word) => {
    expect(shellWord(text, "cmd")).toBe(word);
  });

  it.each(HOSTILE)("passes %j to a program", (text) => {
    const line = handedOn(`show ${shellWord(text, "cmd")} ${shellWord("x", "cmd")}`);
    expect(programWords(line)).toEqual(["show", text.replace(/\n/g, " "), "x"]);
  });

  it.each(HOSTILE)("takes %j as the text of its own commands", (text) => {
    const flat = text.replace(/\n/g, " ");
    expect(handedOn(said([{ set: "A", to: text }], { shell: "cmd" }))).toBe(`set A=${flat}`);
  });

  /** cmd's own parsing: a caret outside quotes escapes. @throws Error for an unescaped special character. */
  function handedOn(line: string): string {
    let isQuoted = false;
    return line.replace(/\^(.)|[\s\S]/g, (found, freed: string | undefined) => {
      if (freed !== undefined && !isQuoted) return freed;
      if (found === '"') isQuoted = !isQuoted;
      const isActive = isQuoted ? /[%\n]/ : /[%\n&|<>()^]/;
      if (freed === undefined && isActive.test(found)) throw new Error(`${found} in ${line}`);
      return found;
    });
  }

  /** Splits a line like a program: "Parsing C command-line arguments" (learn.microsoft.com). */
  function programWords(line: string): string[] {
    const words: string[] = [];
    let word: string | undefined;
    let isQuoted = false;
    let isClosed = false;
    for (const [part] of line.matchAll(/\\*"|\\+|[\s\S]/g)) {
      const wasClosed = isClosed;
      isClosed = false;
      if (/\s/.test(part) && !isQuoted) {
        if (word !== undefined) words.push(word);
        word = undefined;
        continue;
      }
      word ??= "";
      if (!part.endsWith('"')) word += part;
      else {
        word += "\\".repeat((part.length - 1) / 2);
        const isFreed = part.length % 2 === 0;
        // Two quotes between quotes are one.
        if (isFreed || (part === '"' && wasClosed)) word += '"';
        if (isFreed) continue;
        isClosed = isQuoted;
        isQuoted = !isQuoted;
      }
    }
    return word === undefined ? words : [...words, word];
  }
});
