import type { Secret } from "../secret/secret.ts";

/** The parts of Terraform's language that we use, from either of its two syntaxes. */
export interface Block {
  readonly type: string;
  readonly labels: readonly string[];
  readonly attributes: ReadonlyMap<string, Expression>;
  readonly blocks: readonly Block[];
  readonly place: SourceLocation;
}

export interface Expression {
  /** The text in the file; empty: it contains a secret. */
  readonly source: string;
  /** The value without evaluation; undefined: not a literal. */
  readonly literal: string | number | boolean | null | Secret | undefined;
  /** The fields of an object literal. */
  readonly fields: ReadonlyMap<string, Expression> | undefined;
  /** The elements of a list literal. */
  readonly items: readonly Expression[] | undefined;
  /** Offsets in the file's text, including the quotes of a string. */
  readonly start: number;
  readonly end: number;
  readonly place: SourceLocation;
}

export interface SourceLocation {
  /** The file's name in its root module. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** A place that could not be parsed. */
export interface Problem extends SourceLocation {
  /** The reason, as text, if the code itself is not wrong. */
  readonly why?: string;
}

/** `data.digitalocean_droplets.all.droplets[0].image`, anywhere in the code, without indexes. */
export interface Reference {
  readonly mode: "data" | "resource";
  readonly type: string;
  readonly name: string;
  readonly attributes: readonly string[];
  /** The attributes belong to it only if it has instances; else, they may belong to one of its attributes. */
  readonly isElement?: boolean;
}

export interface ParsedFile {
  readonly blocks: readonly Block[];
  /** References to DigitalOcean's data sources and resources. */
  readonly references: readonly Reference[];
  /** The first syntax error. The rest of the file is still read. */
  readonly problem: Problem | undefined;
}

/** The name of the variable, if the expression is nothing else: `var.x`, or `"${var.x}"` as in 0.11. */
export function variableIn({ source }: Expression): string | undefined {
  const reference = /^(?:var\.(?<plain>[\w-]+)|"?\$\{\s*var\.(?<wrapped>[\w-]+)\s*\}"?)$/;
  const { plain, wrapped } = reference.exec(source.trim())?.groups ?? {};
  return plain ?? wrapped;
}
