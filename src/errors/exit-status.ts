/** The exit statuses of docs/design.md §5, by meaning. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  findings: 3,
  token: 4,
  scope: 5,
  expiry: 6,
  network: 7,
  /** `exec` itself failed. Every other status is the command's own. */
  exec: 125,
  interrupted: 130,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];
