import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { workbench } from "../fixtures/workbench.ts";

const KEY = 'resource "digitalocean_ssh_key" "me" {\n  name = "me"\n}\n';
const MANY = 10_000;
const TEN_MB = 10 * 1024 * 1024;

const nested = (open: string, middle: string, close: string) =>
  `${KEY}locals {\n  a = ${open.repeat(MANY)}${middle}${close.repeat(MANY)}\n}\n`;
const json = (open: string, close: string) =>
  `{"resource": {"digitalocean_tag": {"x": {"name":\n${open.repeat(MANY)}1${close.repeat(MANY)}}}}}`;
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, "utf16le");
const filled = (piece: string, size = TEN_MB) => piece.repeat(Math.ceil(size / piece.length));

/** The text of each file, and what is reported; undefined: no problem. */
const FILES: Readonly<Record<string, readonly [text: string | Buffer, said: string | undefined]>> =
  {
    "empty.tf": ["", undefined],
    "empty.tf.json": ["{}", undefined],
    "itself.tf": ['module "again" {\n  source = "./"\n}\n', undefined],
    "not-ours.tf": [filled("# x\n", 1024 * 1024), undefined],
    "conflict.tf": [`<<<<<<< HEAD\n${KEY}=======\n>>>>>>> other\n`, ":1"],
    "open-block.tf": [`${KEY}\nresource "digitalocean_tag" "t" {\n  name = "t"\n`, ":5"],
    "open-text.tf": [`${KEY}\nlocals {\n  a = "digitalocean_\n}\n`, ":6"],
    "bytes.tf": [Buffer.from([...Buffer.from(KEY), 0, 255, 0]), ":1 … not a text file"],
    "latin1.tf": [Buffer.from(`${KEY}\xff\xfe\x80 {`, "latin1"), ":4"],
    "utf16.tf": [utf16(KEY), ":1 … not a text file"],
    "half.tf.json": [`{\n"resource": {"digitalocean_tag": {`, ":2"],
    "huge-blocks.tf": [filled(KEY), ":1 … larger than 4 MB"],
    "huge-comment.tf": [`/* ${filled("digitalocean_ ")} */`, ":1 … larger than 4 MB"],
    "huge-text.tf": [`a = "${filled("digitalocean_")}"`, ":1 … larger than 4 MB"],
    "huge-braces.tf": [filled("{"), ":1 … larger than 4 MB"],
    "large-braces.tf": [`${KEY}${filled("{", 1024 * 1024)}`, ":1 … larger than 512 kB"],
    "large.tf.json": [`{"module": [${filled("{},", 1024 * 1024)}{}]}`, ":1 … larger than 512 kB"],
    "deep-blocks.tf": [
      `${KEY}${"a {\n".repeat(MANY)}${"}\n".repeat(MANY)}`,
      ":68 … nested too deep",
    ],
    "deep-parentheses.tf": [nested("(", "1", ")"), ":5 … nested too deep"],
    "deep-lists.tf": [nested("[", "1", "]"), ":5 … nested too deep"],
    "deep-objects.tf": [nested("{ b = ", "1", " }"), ":5 … nested too deep"],
    "deep-calls.tf": [nested("f(", "digitalocean_tag.x.id", ")"), ":5 … nested too deep"],
    "deep-templates.tf": [nested('"${', "1", '}"'), ":5 … nested too deep"],
    "deep-lists.tf.json": [json("[", "]"), ":2"],
    "deep-objects.tf.json": [json('{"a":', "}"), ":2"],
    "good.tf": ['resource "digitalocean_tag" "t" {\n  name = "t"\n}\n', undefined],
  };

it("reports where each broken file is broken, and reads the others", async () => {
  const bench = await workbench();
  const folder = join(bench.repo, "infra");
  for (const [name, [text]] of Object.entries(FILES)) await bench.write(`infra/${name}`, text);
  await bench.write("infra/hidden.tf", KEY, 0o000);
  await mkdir(join(folder, "folder.tf"));
  await execa("mkfifo", [join(folder, "fifo.tf")]);
  await symlink("loop.tf", join(folder, "loop.tf"));
  await symlink("nowhere", join(folder, "dangling.tf"));
  await symlink(".", join(folder, "here"));
  await bench.write("infra/here.tf", 'module "here" {\n  source = "./here/here"\n}\n');

  const { status, stdout } = await bench.run(["scopes", "--json", "infra"]);
  const { scopes, own, findings } = JSON.parse(stdout);
  const said: string[] = findings.map(({ id, where, message }: Record<string, string>) => {
    const why = / could not be read in full(?:: (.*))?\.$/.exec(message ?? "")?.[1];
    return `${id} ${where}${why === undefined ? "" : ` … ${why}`}`;
  });
  const isRoot = process.getuid?.() === 0;
  const expected = [
    ...Object.entries(FILES).flatMap(([name, [, place]]) => (place ? `${name}${place}` : [])),
    "fifo.tf:1 … a FIFO",
    "loop.tf:1 … not readable (ELOOP)",
    "dangling.tf:1 … it is a broken link",
    ...(isRoot ? [] : ["hidden.tf:1 … not readable (EACCES)"]),
  ];
  expect(said.toSorted()).toEqual(expected.map((each) => `terraform.broken ${each}`).toSorted());
  expect(status).toBe(0);
  expect(scopes).toEqual(expect.arrayContaining(["tag:create", "ssh_key:create"]));
  const files = own.flatMap(({ reasons }: { reasons: { place: { file: string } }[] }) =>
    reasons.map(({ place }) => place.file),
  );
  // Code before a broken part counts.
  expect(files).toEqual(
    expect.arrayContaining(["good.tf", "open-block.tf", "open-text.tf", "deep-lists.tf"]),
  );
});
