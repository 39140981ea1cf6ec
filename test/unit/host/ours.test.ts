import { expect, it } from "vitest";
import { hasOthers } from "../../../src/host/ours.ts";

const PASSWD = "root:x:0:0::/root:/bin/sh\nsammy:x:1000:1000::/home/sammy:/bin/sh\n";

it.each<[what: string, gid: number, group: string, passwd: string, others: boolean]>([
  ["without members", 1000, "sammy:x:1000:", "", false],
  ["with only the user", 1000, "sammy:x:1000:sammy", "", false],
  ["with only the user, under another name", 1000, "team:x:1000:sammy", "", false],
  ["with root, who has access anyway", 1000, "sammy:x:1000:root", "", false],
  ["with a service's user", 1000, "sammy:x:1000:www-data", "", true],
  ["with the user and another", 1000, "sammy:x:1000:sammy,mallory", "", true],
  ["with another in a second line", 1000, "sammy:x:1000:\nsame:x:1000:mallory", "", true],
  [
    "that is another user's primary group",
    1000,
    "sammy:x:1000:",
    "mallory:x:1001:1000::/:/bin/sh",
    true,
  ],
  [
    "of the user's id, beside another group with members",
    1000,
    "sammy:x:1000:\nstaff:x:10000:mallory",
    "",
    false,
  ],
  ["of root with a member", 0, "root:x:0:mallory", "", true],
  ["that the file does not list", 1000, "root:x:0:", "", false],
])("a group %s", (_, gid, group, passwd, others) => {
  expect(hasOthers(gid, { group, passwd: PASSWD + passwd })).toBe(others);
});
