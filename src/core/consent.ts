/** What the user allows on the command line. */
export interface Consent {
  /** Replace logins and files that are not ours. */
  readonly force: boolean;
  /** Replace another login in doctl's context: a person has said yes to that alone. */
  readonly replaceLogin: boolean;
  /** Select the token's context in doctl. */
  readonly use: boolean;
  /** Write a token from the environment into the repo's env file. */
  readonly save: boolean;
  /** Move tokens that stand in Terraform code to a variable. */
  readonly fix: boolean;
  /** Write a config of what was chosen. */
  readonly writeConfig: boolean;
  /** Write direnv's file. */
  readonly envrc: boolean;
  /** Write doctl's config even where doctl is not installed. */
  readonly doctlConfig: boolean;
  /** Give the token to doctl on argv (docs/design.md rule 1). */
  readonly asFlag: boolean;
}
