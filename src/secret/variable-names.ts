import { hasSecretForm } from "./redact.ts";

/**
 * Rules for names of variables. A name comes from a file that anybody may have written, so it is used only if a rule
 * here allows it: it may really be a value, or it may tell a program what to load or where to send things.
 */

const BETWEEN = /[_.-]+/;
/** The words in a part of a name: `api`, `Key2`, `JSON`. In a random text they change every few characters. */
const HUMPS = /[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+/g;
/** Parts up to this length cannot be judged, and reveal little. */
const SHORT_PART = 5;
/** Shorter texts do not have the form of a secret. */
const LEAST_SECRET = 15;

/**
 * Whether a text in the position of a name is really a name. dotenv reads `dop_v1_…: the token of production` and the
 * last line of an unquoted key as names, so texts with a token in them and random texts are rejected.
 */
export function isName(text: string): boolean {
  return isOfWords(text) && (text.length < LEAST_SECRET || !hasSecretForm(text));
}

/** The fast check, by words alone. */
function isOfWords(text: string): boolean {
  if (text.length > 80 || !/^[A-Za-z_][\w.-]*$/.test(text)) return false;
  if (text.length <= SHORT_PART) return true;
  return !/do[opr]_v1/i.test(text) && text.split(BETWEEN).every(isWord);
}

function isWord(part: string): boolean {
  if (part.length <= SHORT_PART) return true;
  const humps = part.match(HUMPS)?.length ?? 0;
  const digits = part.replace(/\D/g, "").length;
  return part.length / humps >= 3 && digits <= 4 && part.length <= 32;
}

/** Digits are at an end, or in a short part. */
const PLAIN_PART = /^([A-Z]{1,20}\d{0,4}|\d{1,4}[A-Z]{1,4}|[A-Z\d]{1,5})$/;
const HEX_PART = /^[A-F\d]{8,}$/;

/**
 * Whether a name from an env file may be shown to others, in a message or a committed file. A lower-case name is just
 * as likely a password, except for Terraform variables.
 */
export function isPublicName(name: string): boolean {
  const [, ofTerraform] = /^TF_VAR_([a-z\d_]+)$/.exec(name) ?? [];
  const plain = ofTerraform?.toUpperCase() ?? name;
  const parts = plain.split("_");
  if (!/^[A-Z]/.test(plain) || name.length > 64 || !isName(name)) return false;
  if (!parts.every((part) => PLAIN_PART.test(part) && !HEX_PART.test(part))) return false;
  const isOneWord = parts.length === 1 && ofTerraform === undefined;
  return parts.filter((part) => /\d/.test(part)).length <= 2 && !(isOneWord && name.length > 12);
}

/**
 * Whether the name of an assignment may be in a committed file.
 *
 * @param value the last line of a base64 or base32 key looks like a name with the value "" or "=".
 */
export function mayBeCommitted(name: string, value: string): boolean {
  if (!isPublicName(name) || /^=+$/.test(value)) return false;
  return value !== "" || name.includes("_") || /^[A-Z]{1,8}$/.test(name);
}

/**
 * Names that our tools read and that a file may set: those of Terraform's S3 backend and the AWS SDKs, and those that
 * apps use for their bucket. A set is faster than a pattern.
 */
const TOLD: ReadonlySet<string> = new Set(
  `AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION AWS_ACCOUNT_ID
  AWS_MAX_ATTEMPTS AWS_RETRY_MODE AWS_REQUEST_CHECKSUM_CALCULATION AWS_RESPONSE_CHECKSUM_VALIDATION
  AWS_BUCKET AWS_BUCKET_NAME AWS_S3_BUCKET AWS_S3_BUCKET_NAME AWS_STORAGE_BUCKET AWS_STORAGE_BUCKET_NAME
  SPACES_ACCESS_KEY_ID SPACES_SECRET_ACCESS_KEY SPACES_ACCESS_KEY SPACES_ACCESS_ID SPACES_SECRET_KEY SPACES_KEY
  SPACES_KEY_ID SPACES_SECRET SPACES_BUCKET SPACES_BUCKET_NAME SPACES_NAME SPACES_REGION`.split(
    /\s+/,
  ),
);
/** Additional names with --all. */
const TOLD_WITH_ALL =
  /^(TF_(LOG(_CORE|_PROVIDER)?|INPUT|IN_AUTOMATION|WORKSPACE)|PKR_VAR_.+|NODE_(ENV|PORT|VERSION)|GIT_(SHA|COMMIT|BRANCH|TAG|REF|REPO)|UV_THREADPOOL_SIZE|BUNDLE_ID)$/;

/** Prefixes of programs that read any such name, or may do so in the future. */
const FAMILIES =
  "AWS|TF|TOFU|TERRAGRUNT|TG|DO_BOOTSTRAP|LD|DYLD|BASH|GIT|NODE|NPM_CONFIG|PNPM|YARN|COREPACK|BUN|DENO|PIP|UV|CARGO|RUSTC|RUSTUP|GEM|BUNDLE|DOTNET|CORECLR|COMPLUS|COR|LUA|OPENSSL|SSL_CERT|CURL|XDG|KUBE|HELM|RESOLV|SUDO|RCLONE|ANSIBLE|PACKER|PKR|MC_HOST|GTK\\d?|QT|GST|VK|ERL|FZF";
/** Names that tell a loader, a shell, an interpreter or a client what to load or which host to use. */
const STEERING = [
  "PATH|PATHEXT|HOME|USERPROFILE|(LOCAL)?APPDATA|SHELL|COMSPEC|SYSTEMROOT|WINDIR|PSMODULEPATH",
  "IFS|CDPATH|FPATH|ZDOTDIR|PS[0-4]|PROMPT_COMMAND|SHELLOPTS|BASHOPTS|GLOBIGNORE|INPUTRC|HISTFILE",
  "EDITOR|VISUAL|PAGER|MANPAGER|BROWSER|LESS\\w*|TERMCAP|TERMINFO\\w*|MAKEFLAGS|MAKEFILES|GNUMAKEFLAGS",
  "GLIBC_TUNABLES|MALLOC_CONF|LIBPATH|SHLIB_PATH|ELECTRON_RUN_AS_NODE|VSCODE_INSPECTOR_OPTIONS|TMPDIR",
  "(RSYNC|CVS)_RSH|SVN_SSH|HGRCPATH|(TAR|GREP|ZIP|XZ)_?OPT(ION)?S?|RIPGREP_CONFIG_PATH|VIMINIT|EXINIT|SCREENRC",
  "BOTO_CONFIG|S3CFG|S3CMD_CONFIG|MC_CONFIG_DIR|KUBERNETES_(MASTER|SERVICE_HOST)|CC|CXX|PSQLRC|PGSERVICEFILE",
  "GCONV_PATH|LOCPATH|NLSPATH|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS|GIO_MODULE_DIR|GETCONF_DIR",
  "\\w*_CA_BUNDLE|SSLKEYLOGFILE|WGETRC|NETRC|KRB5\\w*|GNUPGHOME|KUBECONFIG",
  "(HTTPS?|ALL|NO|FTP|SOCKS|GRPC)_PROXY|DOCKER_(HOST|CONFIG|CONTEXT|CERT_PATH|TLS\\w*)",
  "SSH_(ASKPASS\\w*|AUTH_SOCK|AGENT_PID|SK_\\w+)|\\w+_ASKPASS|TERRAFORM_CONFIG",
  "PYTHON(PATH|HOME|STARTUP|INSPECT|USERBASE|EXECUTABLE|PLATLIBDIR|WARNINGS|BREAKPOINT|PYCACHEPREFIX)",
  "PERL5?(LIB|OPT|DB|SHELL|IO)\\w*|RUBY(OPT|LIB|SHELL|GEMS_\\w+)|CLASSPATH|PHPRC|PHP_INI_SCAN_DIR",
  "_?JAVA_(TOOL_)?(OPTIONS|OPTS|HOME)|JAVACMD|JDK_JAVA_OPTIONS|(MAVEN|GRADLE|SBT|ANT|JVM|CATALINA|LEIN_JVM)_OPTS|JULIA_\\w+|R_\\w+",
  "GO(DEBUG|FLAGS|PROXY|SUMDB|PATH|ROOT|BIN|ENV|TOOLCHAIN|TOOLDIR|AUTH|VCS|INSECURE|PRIVATE|NOPROXY)",
  // Settings of doctl and the provider: the host, and the file that may name one.
  "(DIGITALOCEAN|SPACES)_(\\w*_)?(CONFIG|CONTEXT|API|PROXY)",
  "(DIGITALOCEAN|SPACES)_\\w*(URL|URI|ENDPOINT|HOST|ORIGIN|DOMAIN|SERVER|ADDR)\\w*",
].join("|");
let made: RegExp | undefined;

/** Whether a program is known to use this variable. Ignores case, since on Windows it is the same variable. */
export function steers(name: string): boolean {
  // A pattern that ignores case takes V8 half as long again to compile.
  made ??= new RegExp(`^((${FAMILIES})_.*|${STEERING})$`);
  return made.test(name.toUpperCase());
}

/**
 * Whether `exec` and `env` pass on a variable from the env file. A file must not decide where a token or a key is sent
 * (docs/design.md rule 2), name a program or a config that gets them (rule 7), or set our own variables. Of the AWS and
 * Terraform families, only listed names pass.
 *
 * @param all with --all: also the variables of the app.
 */
export function passesFromFile(name: string, value: string, all: boolean): boolean {
  if (TOLD.has(name)) return true;
  const isOfTerraform = /^TF_VAR_./.test(name);
  if (!(all || isOfTerraform) || !isOfWords(name)) return false;
  if (isOfTerraform) return true;
  // For a shell, ENV is a file to run. For most apps, it is a word such as production.
  if (name.toUpperCase() === "ENV") return !/[^\w -]/.test(value);
  return TOLD_WITH_ALL.test(name) || !steers(name);
}
