/** Where keys of Spaces are made: they are not API tokens, and open buckets alone. */
export const KEYS_PAGE = "https://cloud.digitalocean.com/spaces/access_keys";
