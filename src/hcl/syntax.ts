import type { Secret } from "../secret/secret.ts";

/** Terraform's configuration language, in either of its two syntaxes, reduced to what we ask of it. */
export interface Block {
  readonly type: string;
  readonly labels: readonly string[];
  readonly attributes: ReadonlyMap<string, Expression>;
  readonly blocks: readonly Block[];
  readonly place: SourceLocation;
}

export interface Expression {
  /** As it stands in the file; empty: there is a secret in it. */
  readonly source: string;
  /** What it is without evaluating anything; undefined: not a literal. */
  readonly literal: string | number | boolean | null | Secret | undefined;
  /** The fields of an object written out. */
  readonly fields: ReadonlyMap<string, Expression> | undefined;
  /** The elements of a list written out. */
  readonly items: readonly Expression[] | undefined;
  /** Offsets in the file's text, the quotes of a string included. */
  readonly start: number;
  readonly end: number;
  readonly place: SourceLocation;
}

export interface SourceLocation {
  /** A file's name in its root module. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** What could not be read. */
export interface Problem extends SourceLocation {
  /** Where it is not the code that is wrong, in words. */
  readonly why?: string;
}

/** `data.digitalocean_droplets.all.droplets[0].image`, wherever it stands; indexes are left out. */
export interface Reference {
  readonly mode: "data" | "resource";
  readonly type: string;
  readonly name: string;
  readonly attributes: readonly string[];
}

export interface ParsedFile {
  readonly blocks: readonly Block[];
  /** What is asked of DigitalOcean's data sources and resources. */
  readonly references: readonly Reference[];
  /** Where the grammar found no sense; the rest is read all the same. */
  readonly problem: Problem | undefined;
}

/** The variable that an expression is, and nothing else: `var.x`, and `"${var.x}"` as of 0.11. */
export function variableIn({ source }: Expression): string | undefined {
  const reference = /^(?:var\.(?<plain>[\w-]+)|"?\$\{\s*var\.(?<wrapped>[\w-]+)\s*\}"?)$/;
  const { plain, wrapped } = reference.exec(source.trim())?.groups ?? {};
  return plain ?? wrapped;
}
