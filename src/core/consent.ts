/** What the user allows on the command line. */
export interface Consent {
  /** Replace logins and files that are not ours. */
  readonly force: boolean;
  /** Replace another login in doctl's context: a person agreed to this alone. */
  readonly replaceLogin: boolean;
  /** Select the token's context in doctl. */
  readonly use: boolean;
  /** Write a token from the environment into the repo's env file. */
  readonly save: boolean;
  /** Move tokens in Terraform code to a variable. */
  readonly fix: boolean;
  /** Write a config with what was chosen. */
  readonly writeConfig: boolean;
  /** Write an .envrc for direnv. */
  readonly envrc: boolean;
  /** Write doctl's config even where doctl is not installed. */
  readonly doctlConfig: boolean;
  /** Pass the token to doctl in argv (docs/design.md rule 1). */
  readonly asFlag: boolean;
}
