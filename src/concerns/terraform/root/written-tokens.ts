import type { Block, Expression, ParsedFile, SourceLocation } from "../../../hcl/syntax.ts";
import { Secret } from "../../../secret/secret.ts";
import { isTokenName, saysOurs } from "../../../secret/token-name.ts";
import { tokensIn } from "../../../secret/token-search.ts";

/** A token written into the code. */
export interface WrittenToken {
  /**
   * provider: the provider's argument. default: a variable's default. local: a local that a provider's token refers to.
   * value: another local, or a module argument. text: any other text, which the user has to edit.
   */
  readonly kind: "provider" | "default" | "local" | "value" | "text";
  readonly place: SourceLocation;
  /** As text: `provider "digitalocean"`, `user_data of digitalocean_droplet.web`. */
  readonly where: string;
  readonly token: Secret;
  /** Its offsets in the file, including the quotes. */
  readonly span: Pick<Expression, "start" | "end">;
}

/** A token that is a whole expression. */
export interface TokenValue extends WrittenToken {
  readonly value: Expression;
}

/** Every token in the blocks that is a whole expression. 64 hex digits count only under a name for a token. */
export function tokenValuesIn(blocks: readonly Block[]): TokenValue[] {
  // The source of an expression with a secret is empty.
  const isSecret = ({ source }: Expression) => source === "";
  return argumentsIn(blocks, isSecret).flatMap(({ name, value, kind, where, vendor }) =>
    literalsIn(name, value).flatMap(([key, each]) => {
      const token = tokenIn(each, key, vendor);
      return token === undefined ? [] : { ...writtenToken(each, token, kind, where), value: each };
    }),
  );
}

export function writtenToken(
  { place, start, end }: Expression,
  token: Secret,
  kind: WrittenToken["kind"],
  where: string,
): WrittenToken {
  return { kind, place, where, token, span: { start, end } };
}

/** An argument of a block, with the description of a token in it. */
interface Argument {
  readonly name: string;
  readonly value: Expression;
  readonly kind: WrittenToken["kind"];
  readonly where: string;
  /** The vendor of the resource or provider; undefined: DigitalOcean or none. */
  readonly vendor: string | undefined;
}

function argumentsIn(
  blocks: readonly Block[],
  isWanted: (value: Expression) => boolean,
): Argument[] {
  return blocks.flatMap((block) => {
    const { type, labels } = block;
    const attributes = allAttributes(block).filter(([, value]) => isWanted(value));
    if (attributes.length === 0) return [];
    const [first = "", second = first] = labels;
    const put = (name: string, value: Expression, more: Partial<Argument>): Argument => {
      const owner = { resource: labels.join("."), data: `data.${labels.join(".")}` }[type];
      const labelled = first === "" ? type : `${type} "${second}"`;
      const where = `${name} of ${owner ?? labelled}`;
      return { name, value, kind: "text", where, vendor: undefined, ...more };
    };
    switch (type) {
      case "locals":
        return attributes.map(([name, value]) =>
          put(name, value, { kind: "value", where: `local.${name}` }),
        );
      case "variable": {
        // A default of a non-nullable variable cannot become null.
        const mayBeNull = block.attributes.get("nullable")?.literal !== false;
        return attributes.map(([name, value]) => {
          const where =
            name === "default" ? `variable "${first}"` : `${name} of variable "${first}"`;
          const isMoved = name === "default" && mayBeNull;
          return put(first, value, { kind: isMoved ? "default" : "text", where });
        });
      }
      case "module":
        return attributes.map(([name, value]) =>
          put(name, value, { kind: "value", where: `${name} of module.${first}` }),
        );
      case "output":
        return attributes.map(([name, value]) =>
          put(first, value, { where: `${name} of output "${first}"` }),
        );
      default: {
        const [vendor = ""] = first.split("_");
        const isOurs = vendor === "digitalocean" || vendor === "";
        return attributes.map(([name, value]) =>
          put(name, value, { vendor: isOurs ? undefined : vendor }),
        );
      }
    }
  });
}

/** The attributes of a block and its nested blocks. */
function allAttributes({ attributes, blocks }: Block): [string, Expression][] {
  return [...attributes, ...blocks.flatMap(allAttributes)];
}

/** The literals of an expression, each with its name there. */
function literalsIn(name: string, value: Expression): [string, Expression][] {
  const fields = [...(value.fields ?? [])].flatMap(([key, each]) => literalsIn(key, each));
  const items = (value.items ?? []).flatMap((each) => literalsIn(name, each));
  return value.literal instanceof Secret ? [[name, value]] : [...fields, ...items];
}

function tokenIn(
  { literal }: Expression,
  name: string,
  vendor: string | undefined,
): Secret | undefined {
  if (!(literal instanceof Secret)) return undefined;
  if (literal.hasPrefix) return literal.isToken ? literal : undefined;
  const isOld = literal.asToken() instanceof Secret && isNameOfOurs(name, vendor);
  return isOld ? literal : undefined;
}

/** In another vendor's provider or resource, `token` is that vendor's token. */
function isNameOfOurs(written: string, vendor?: string): boolean {
  const name = written.replaceAll("-", "_");
  if (!isTokenName(name)) return false;
  return vendor === undefined || saysOurs(name) || isTokenName(`${vendor}_${name}`);
}

/** The maximum of different tokens reported per file, and of places per token. */
const MOST = 10;

/**
 * Tokens in a file's text that are not whole expressions: in a longer string, in a comment, in a name, or in a broken
 * file.
 *
 * @param known tokens that are whole expressions. They are left out.
 */
export function tokensElsewhere(
  text: string,
  name: string,
  { blocks, problem }: ParsedFile,
  known: readonly WrittenToken[],
): WrittenToken[] {
  const bytes = Buffer.from(text);
  const found = tokensIn(bytes, MOST);
  if (found.length === 0) return [];
  const spans = known.filter(({ place }) => place.file === name).map(({ span }) => span);
  const around = argumentsIn(blocks, ({ place }) => place.file === name);
  const seen = new Set<number>();
  return found.flatMap(({ value, at: first }) => {
    const token = Secret.of(value, { kind: "code", path: name });
    const places = [...new Set([first, ...token.placesIn(bytes)])].sort((a, b) => a - b);
    return places.slice(0, MOST).flatMap((byte): WrittenToken[] => {
      const before = bytes.subarray(0, byte).toString();
      const at = before.length;
      if (spans.some((span) => isIn(at, span))) return [];
      const line = before.split("\n").length;
      // For base64, the position is approximate, and one token may be found in several forms.
      if (seen.has(line)) return [];
      seen.add(line);
      const inside = around.find((each) => isIn(at, each.value));
      const outside = problem === undefined ? "a comment or a name" : "the code";
      const span = { start: at, end: at };
      return [
        { kind: "text", place: { file: name, line }, where: inside?.where ?? outside, token, span },
      ];
    });
  });
}

function isIn(at: number, { start, end }: Pick<Expression, "start" | "end">): boolean {
  return at >= start && at < end;
}

/** The line of the first token in a value file, from 1. */
export function lineOfToken(text: string): number | undefined {
  const [found] = tokensIn(Buffer.from(text), 1);
  const [old] = Array.from(text.matchAll(OLD_VALUE)).filter(([, name = ""]) => isNameOfOurs(name));
  const ends = [
    ...(found === undefined ? [] : [Buffer.from(text).subarray(0, found.at).toString().length]),
    ...(old === undefined ? [] : [old.index + old[0].length]),
  ];
  if (ends.length === 0) return undefined;
  return text.slice(0, Math.min(...ends)).split("\n").length;
}

const OLD_VALUE = /(?<![\w-])([A-Za-z_][\w-]{0,80})"?[ \t]*[=:]\s*"[0-9a-f]{64}"/g;
