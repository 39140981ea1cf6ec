/** The name of a Spaces bucket. It becomes a part of a host name, so no other character may be in it. */
export const BUCKET_NAME = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
