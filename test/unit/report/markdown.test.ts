import { describe, expect, it } from "vitest";
import { code, prose } from "../../../src/report/markdown.ts";

describe("a name is formatted as code", () => {
  it.each([
    ["main.tf", "`main.tf`"],
    ["", "` `"],
    ["a`b", "``a`b``"],
    ["``", "``` `` ```"],
    ["`", "`` ` ``"],
    [" a ", "`  a  `"],
    ["a|b", "`a\\|b`"],
    ["a\\|b", "`a\\x5c\\|b`"],
    ["a\\", "`a\\`"],
    ["<img src=x>", "`<img src=x>`"],
    ["a\n\n# b", "`a\\x0a\\x0a# b`"],
    ["\u202egro", "`\\x202egro`"],
  ])("%j", (name, expected) => {
    expect(code(name)).toBe(expected);
  });
});

describe("a sentence keeps plain words and formats other words as code", () => {
  it.each([
    ["digitalocean_ssh_key.me, main.tf:1", "digitalocean_ssh_key.me, main.tf:1"],
    ["The repo's own (in équipe).", "The repo's own (in équipe)."],
    ["terraform apply in infra: 4 scopes", "terraform apply in infra: 4 scopes"],
    ['<img src="x"> is', '`<img` `src="x">` is'],
    ["by @octocat and a@b.example", "by `@octocat` and `a@b.example`"],
    ["see #12, acme/web#3 and GH-4", "see `#12,` `acme/web#3` and `GH-4`"],
    ["[a](https://evil.example)", "`[a](https://evil.example)`"],
    ["https://evil.example www.evil.example", "`https://evil.example` `www.evil.example`"],
    ["*a* **b** _c_ ~~d~~ `e`", "`*a*` `**b**` `_c_` `~~d~~` `` `e` ``"],
    ["a &lt; b", "a `&lt;` b"],
    ["!5 $6 %7 ~bug", "`!5` `$6` `%7` `~bug`"],
    [":smile: a:smile:b", "`:smile:` `a:smile:b`"],
    ["a | b", "a `\\|` b"],
    ["a\n# b", "`a\\x0a#` b"],
    ["\\<b>", "`\\<b>`"],
  ])("%j", (sentence, expected) => {
    expect(prose(sentence)).toBe(expected);
  });
});
