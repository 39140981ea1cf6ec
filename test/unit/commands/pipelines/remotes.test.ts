import { expect, it } from "vitest";
import { repoNamed, reposIn } from "../../../../src/commands/pipelines/github/remotes.ts";

const remote = (url: string, name = "origin") => `${name}\t${url} (fetch)\n`;

it.each<[url: string, expected: string]>([
  ["https://github.com/acme/web.git", "github.com/acme/web"],
  ["https://github.com/acme/web", "github.com/acme/web"],
  ["https://GitHub.com/acme/web/", "github.com/acme/web"],
  ["https://user:secret@github.com/acme/web.git", "github.com/acme/web"],
  ["git@github.com:acme/web.git", "github.com/acme/web"],
  ["github.com:acme/web", "github.com/acme/web"],
  ["git@github.com:/acme/web.git", "github.com/acme/web"],
  ["ssh://git@github.com/acme/web.git", "github.com/acme/web"],
  ["ssh://git@ssh.github.com:443/acme/web.git", "github.com/acme/web"],
  ["git@git.acme.example:acme/web.git", "git.acme.example/acme/web"],
  ["https://gitlab.com/acme/web.git", ""],
  ["https://github.com.evil.example/acme/web.git", ""],
  ["https://evil.example/github.com/acme/web", ""],
  ["https://github.com/acme/web;rm -rf", ""],
  ["https://github.com/acme/../web", ""],
  ["https://github.com/acme", ""],
  ["/srv/git/acme/web.git", ""],
  ["C:\\repos\\web", ""],
])("%s -> %s", (url, expected) => {
  const found = reposIn(remote(url), ["git.acme.example"]);
  expect(found.map(({ host, name }) => `${host}/${name}`).join()).toBe(expected);
});

it("counts where git pushes to", () => {
  const text =
    "origin\thttps://github.com/up/web (fetch)\norigin\tgit@github.com:acme/web (push)\n";
  expect(reposIn(text, []).map(({ name }) => name)).toEqual(["up/web", "acme/web"]);
});

it.each<[wanted: string, expected: string | undefined]>([
  ["acme/web", "github.com/acme/web"],
  ["git.acme.example/acme/web", "git.acme.example/acme/web"],
  ["web", undefined],
  ["acme/..", undefined],
  ["a/b/c/d", undefined],
  ["https://github.com/acme/web", undefined],
])("--repo %s", (wanted, expected) => {
  const repo = repoNamed(wanted, "github.com");
  expect(repo && `${repo.host}/${repo.name}`).toBe(expected);
});

it("lists each repo once, that of origin first", () => {
  const text = [
    remote("https://github.com/upstream/web", "upstream"),
    remote("git@github.com:Acme/web.git"),
    remote("https://github.com/acme/web", "backup"),
  ].join("");
  expect(reposIn(text, []).map(({ name }) => name)).toEqual(["acme/web", "upstream/web"]);
});
