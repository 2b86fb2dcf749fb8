/** The environment of shells: the server's own, without what looks like a credential. */

const SECRET_PART = /TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|APIKEY|ACCESSKEY|PRIVATEKEY/i;
const SECRET_WORD = /(^|[_.-])(KEYS?|PAT|PASS|AUTH)($|[_.-](?!SOCK))/i;
/** `scheme://user:password@host`, as connection strings have it. */
const URL_WITH_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i;

/** What a command gets. Proxies keep their passwords: without them nothing could be reached. */
export function shellEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !isSecret(name, value)) passed[name] = value;
  }
  return passed;
}

function isSecret(name: string, value: string): boolean {
  if (SECRET_PART.test(name) || SECRET_WORD.test(name)) return true;
  return !/_proxy$/i.test(name) && URL_WITH_PASSWORD.test(value);
}
