import { describe, expect, it } from "vitest";
import { textsOf, textsOfProgram } from "../../scripts/strings.mjs";

const SOURCE = `
import { x } from "a path with words.ts";
type Kind = "not a text" | "nor this one";
const pattern = new RegExp("a regular expression");
finding("git.none", \`\${path} is \${isNew ? "a new one" : "not new"}.\`, { fix: hint\`Run \${run("a")}.\` });
throw new AppError("NOT_IGNORED", "It is not\\nignored.", { list: ["in a list"] });
command({ describe: "Do one thing", examples: [["do-bootstrap it", "what it does"]] });
const change = { why: "so that it works", id: "oneWord" };
terminal.confirm("Is it so?");
terminal.confirm("Is it so?");
progress(\`Waiting for \${lock.holder}\`);
say(\`Done with \${few(all)}\`);
`;

const texts = textsOfProgram();

describe("the list of the program's texts", () => {
  it("has each text of a source once, with its line and purpose", () => {
    const lines = textsOf("src/a.ts", SOURCE).map(({ line, id, text }) => `${line} ${id} ${text}`);
    expect(lines).toEqual([
      "5 git.none ${path} is ${…}.",
      "5 git.none a new one",
      "5 git.none not new",
      "5 hint Run ${run(…)}.",
      "6 NOT_IGNORED It is not\nignored.",
      "6 NOT_IGNORED in a list",
      "7 help Do one thing",
      "7 help do-bootstrap it",
      "7 help what it does",
      "8 why so that it works",
      "9 question Is it so?",
      "11 progress Waiting for ${lock.holder}",
      "12 text Done with ${few(…)}",
    ]);
  });

  it("has the messages of the config's schema", () => {
    const [only] = textsOf("src/concerns/config/schema.ts", 'v.nonEmpty("name a path")');
    expect(only).toMatchObject({ id: "schema", text: "name a path" });
  });

  it.each([
    ["src/concerns/git/", "git.none"],
    ["src/errors/app-error.ts", "hint"],
    ["src/cli/commands/check.ts", "help"],
    ["src/cli/", "USAGE"],
    ["src/core/apply.ts", "progress"],
    ["src/concerns/token/guide.ts", "question"],
  ])("finds texts in %s for %s", (file, id) => {
    const found = texts.filter((text) => text.file.startsWith(file) && text.id === id);
    expect(found).not.toEqual([]);
  });
});
