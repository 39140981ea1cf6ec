/** The package's version, set by the build. */
declare const __VERSION__: string;

declare module "proxy-from-env" {
  /** The proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name for an address, or "". */
  export function getProxyForUrl(url: URL): string;
}

declare module "cosmiconfig/dist/Explorer.js" {
  /** Exported by the file, but stripped from its published types. */
  export class Explorer {
    constructor(options: object);
    load(file: string): Promise<{ config: unknown; isEmpty?: boolean } | null>;
  }
}
