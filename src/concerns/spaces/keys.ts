/** Where Spaces keys are created. They are not API tokens: they give access only to buckets. */
export const KEYS_PAGE = "https://cloud.digitalocean.com/spaces/access_keys";
