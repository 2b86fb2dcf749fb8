/** Takes credentials out of a text before it becomes a message. */
export type Redact = (text: string) => string;

/** Headers whose values are secret wherever they come from. */
const SECRET_HEADER = /authorization|cookie|key|token|secret|password/i;

/** Headers whose values tell nothing that is not known, and would garble texts if they were masked. */
const PLAIN_HEADER =
  /^(accept|accept-\w+|content-\w+|user-agent|copilot-integration-id|editor-\S*version|openai-intent|x-initiator|x-github-api-version|anthropic-version|anthropic-beta)$/i;
/** The shortest masked value of other headers, which may hold anything: shorter values are words. */
const LEAST_HEADER_LENGTH = 8;

/** Shapes of well-known keys, for those that a provider echoes from elsewhere. */
const SECRET_SHAPES = /\b(?:sk-[\w-]{8,}|gh[opsur]_\w{8,}|github_pat_\w{8,}|Bearer\s+[\w.~+/=-]{6,})/g;

const MASK = "[redacted]";

/**
 * Builds a `Redact` that knows the given secrets, the values of headers that applications set, and user, password and query
 * of the URL. Secrets of fewer than four characters are left: masking them would garble the text.
 */
export function createRedact(parts: {
  readonly secrets?: readonly (string | undefined)[];
  readonly headers?: readonly (Readonly<Record<string, string>> | undefined)[];
  readonly url?: string;
}): Redact {
  // Gathered for the first text: most calls go well, and have none.
  let longestFirst: readonly string[] | undefined;
  return (text) => {
    longestFirst ??= gatherSecrets(parts);
    return longestFirst
      .reduce((masked, secret) => masked.replaceAll(secret, MASK), text)
      .replace(SECRET_SHAPES, MASK);
  };
}

function gatherSecrets(parts: Parameters<typeof createRedact>[0]): readonly string[] {
  const secrets = new Set<string>();
  const add = (secret: string | undefined): void => {
    if (secret !== undefined && secret.length >= 4) secrets.add(secret);
  };
  parts.secrets?.forEach(add);
  for (const headers of parts.headers ?? []) addHeaderSecrets(headers ?? {}, add);
  if (parts.url !== undefined) addUrlSecrets(parts.url, add);
  return [...secrets].sort((a, b) => b.length - a.length);
}

function addHeaderSecrets(headers: Readonly<Record<string, string>>, add: (secret: string) => void): void {
  for (const [name, value] of Object.entries(headers)) {
    if (PLAIN_HEADER.test(name)) continue;
    if (!SECRET_HEADER.test(name) && value.length < LEAST_HEADER_LENGTH) continue;
    add(value);
    const word = value.split(/\s+/).at(-1);
    if (word !== undefined) add(word);
  }
}

function addUrlSecrets(url: string, add: (secret: string) => void): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) return;
  add(parsed.username);
  add(parsed.password);
  add(decodeURIComponentSafe(parsed.password));
  for (const [name, value] of parsed.searchParams) if (name !== "api-version") add(value);
}

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * A copy of a thrown value that is safe to carry as `cause`: names, codes and messages stay, secrets
 * go, and so does everything else that a library hung on it (request headers, for one).
 */
export function toSafeCause(thrown: unknown, redact: Redact, depth = 4): Error | undefined {
  if (thrown === undefined || depth === 0) return undefined;
  if (!(thrown instanceof Error)) return new Error(redact(String(thrown)));
  const copy = new Error(redact(thrown.message), { cause: toSafeCause(thrown.cause, redact, depth - 1) });
  copy.name = thrown.name;
  copy.stack = redact(thrown.stack ?? "");
  const code: unknown = (thrown as { code?: unknown }).code;
  return typeof code === "string" ? Object.assign(copy, { code }) : copy;
}
