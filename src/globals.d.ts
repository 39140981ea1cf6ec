/** The package's version, set by the build. */
declare const __VERSION__: string;

declare module "cosmiconfig/dist/Explorer.js" {
  /** Exported by the file, but stripped from its published types. */
  export class Explorer {
    constructor(options: object);
    load(file: string): Promise<{ config: unknown; isEmpty?: boolean } | null>;
  }
}

declare module "npm-packlist" {
  /** The files of a package, relative to its folder. The tree is the one that Arborist builds. */
  export default function packlist(tree: {
    path: string;
    package: object;
    isProjectRoot: true;
    edgesOut: ReadonlyMap<string, never>;
  }): Promise<string[]>;
}
