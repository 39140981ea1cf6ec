import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** What a package calls the texts that have to go with it: its licence, and a NOTICE of Apache's. */
const FILES = /^(?:licen[cs]e|copying|notice)(?:[-.][\w.-]*)?$/i;

/** By SPDX id: the text of a licence that a package names and does not bring. @see https://spdx.org/licenses */
const KNOWN = {
  MIT: (holder) => `MIT License

Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to
permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`,
};

/**
 * The licence texts of packages, one after the other.
 *
 * @param folders of the packages.
 * @throws Error that names a package whose licence text is neither in it nor known.
 */
export async function noticesOf(folders) {
  const texts = [...folders].sort().map(notice);
  return (await Promise.all(texts)).join(`\n${"-".repeat(72)}\n\n`);
}

async function notice(folder) {
  const text = await readFile(join(folder, "package.json"), "utf8");
  const { name, version, license, author } = JSON.parse(text);
  const title = `${name} ${version} (${license})`;
  const files = (await readdir(folder)).filter((file) => FILES.test(file)).sort();
  const read = files.map(async (file) => (await readFile(join(folder, file), "utf8")).trim());
  const texts = (await Promise.all(read)).filter((each) => each !== "");
  const holder = typeof author === "string" ? author : author?.name;
  if (texts.length === 0 && holder !== undefined && Object.hasOwn(KNOWN, license)) {
    texts.push(KNOWN[license](holder));
  }
  if (texts.length === 0) {
    throw new Error(`${title} has no licence file, and scripts/notices.mjs knows no text for it.`);
  }
  return `${title}\n\n${texts.join("\n\n")}\n`;
}
