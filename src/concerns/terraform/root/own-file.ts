import { type Block, type Expression, type ParsedFile, variableIn } from "../../../hcl/syntax.ts";
import { type BackendBlock, describeBackends } from "./backend.ts";
import { isOurProvider } from "./local-name.ts";
import { BACKEND_TF } from "./names.ts";

/** A file with one of our names and our header. */
export interface OwnFile {
  /** The user has changed it: we neither overwrite nor remove it, and it is part of the module. */
  readonly edited: boolean;
  /** The block of our provider, if the file is not edited. */
  readonly provider?: { readonly variable: string | undefined };
  /** Where the state is kept, if the file is not edited and has another backend than we would write now. */
  readonly backend?: BackendBlock;
}

/** Describes a text that we would write now. */
export function renderedFile(text: string): OwnFile {
  const hasProvider = /^provider "/m.test(text);
  const variable = /^\s*token\s*=\s*var\.([\w-]+)/m.exec(text)?.[1];
  return { edited: false, ...(hasProvider ? { provider: { variable } } : {}) };
}

/**
 * Describes another text with a matching header. The header is no proof, because anyone can compute the hash. The file
 * is ours if it contains only what some release could have written with some config.
 */
export function writtenFile(name: string, { blocks, problem }: ParsedFile): OwnFile {
  const kinds = name === BACKEND_TF ? BACKEND_KINDS : KINDS;
  if (problem !== undefined || !blocks.every((block) => isOurs(block, kinds))) {
    return { edited: true };
  }
  const provider = blocks.find(({ type }) => type === "provider");
  const token = provider?.attributes.get("token");
  const backend = describeBackends(
    blocks.flatMap((block) => block.blocks).filter(({ type }) => type === "backend"),
  );
  return {
    edited: false,
    ...(provider === undefined ? {} : { provider: { variable: token && variableIn(token) } }),
    ...(backend === undefined ? {} : { backend }),
  };
}

type Test = (value: Expression) => boolean;

/** What one of our blocks may contain. */
interface Kind {
  readonly labels?: (labels: readonly string[]) => boolean;
  readonly attributes: Readonly<Record<string, Test>>;
  readonly blocks?: Readonly<Record<string, Kind>>;
}

const isText: Test = ({ literal }) => typeof literal === "string";
const isTrue: Test = ({ literal }) => literal === true;
const isNull: Test = ({ literal }) => literal === null;
const isAnything: Test = () => true;

function hasFields(fields: Readonly<Record<string, Test>>): Test {
  return ({ fields: found }) =>
    found !== undefined &&
    [...found].every(([name, value]) => Object.hasOwn(fields, name) && fields[name]?.(value));
}

function matches(pattern: RegExp): Test {
  return ({ literal }) => typeof literal === "string" && pattern.test(literal);
}

const REQUIRED_PROVIDERS: Kind = {
  attributes: {
    digitalocean: hasFields({
      source: ({ literal }) => isOurProvider(literal),
      version: isText,
    }),
  },
};

const KINDS: Readonly<Record<string, Kind>> = {
  terraform: {
    attributes: { required_version: isText },
    blocks: { required_providers: REQUIRED_PROVIDERS },
  },
  provider: {
    // The name depends on the code at that time.
    labels: ([label = ""]) => /^[a-z][a-z0-9-]*$/.test(label),
    attributes: { token: (value) => variableIn(value) !== undefined },
  },
  variable: {
    attributes: {
      ...{ description: isText, sensitive: isTrue, ephemeral: isTrue, default: isNull },
      type: isAnything,
    },
  },
};

const BACKEND_KINDS: Readonly<Record<string, Kind>> = {
  terraform: {
    attributes: { required_version: isText },
    blocks: {
      backend: {
        labels: ([label]) => label === "s3",
        attributes: {
          endpoints: hasFields({ s3: matches(/^https:\/\/[a-z0-9-]+\.digitaloceanspaces\.com$/) }),
          ...{ bucket: isText, key: isText, region: isText },
          ...{ skip_credentials_validation: isTrue, skip_requesting_account_id: isTrue },
          ...{ skip_metadata_api_check: isTrue, skip_s3_checksum: isTrue, use_lockfile: isTrue },
        },
      },
    },
  },
};

function isOurs(block: Block, kinds: Readonly<Record<string, Kind>>): boolean {
  const kind = Object.hasOwn(kinds, block.type) ? kinds[block.type] : undefined;
  return (
    kind !== undefined &&
    kind.labels?.(block.labels) !== false &&
    [...block.attributes].every(
      ([name, value]) => Object.hasOwn(kind.attributes, name) && kind.attributes[name]?.(value),
    ) &&
    block.blocks.every((inner) => isOurs(inner, kind.blocks ?? {}))
  );
}
