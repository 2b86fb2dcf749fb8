/**
 * Which addresses a URL rule covers: `example.com`, `*.example.com`, `http://example.com:8080`,
 * `https://example.com/docs`. Without a scheme, `https` is meant: an approval is no wider than it reads.
 */

/** Whether the pattern covers the URL; false for what is no pattern or no URL. */
export function coversUrl(pattern: string, url: string): boolean {
  const wanted = parsePattern(pattern);
  const actual = parse(url);
  if (!wanted || !actual) return false;
  if (wanted.url.protocol !== actual.protocol || wanted.url.port !== actual.port) return false;
  const host = wanted.url.hostname;
  const isHost = wanted.withSubdomains ? actual.hostname.endsWith(`.${host}`) : actual.hostname === host;
  return isHost && isBelow(actual.pathname, wanted.url.pathname);
}

/** Whether text is a pattern that can cover anything. */
export function isUrlPattern(pattern: string): boolean {
  return parsePattern(pattern) !== undefined;
}

function parsePattern(pattern: string): { url: URL; withSubdomains: boolean } | undefined {
  const text = pattern.trim();
  const [, scheme = "https://", rest = ""] = /^(https?:\/\/)?(.*)$/is.exec(text) ?? [];
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(rest)) return undefined;
  const withSubdomains = rest.startsWith("*.");
  const url = parse(scheme + (withSubdomains ? rest.slice(2) : rest));
  return url && !url.hostname.includes("*") ? { url, withSubdomains } : undefined;
}

function parse(text: string): URL | undefined {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url : undefined;
  } catch {
    return undefined;
  }
}

/** Whole segments: `/docs` covers `/docs/a`, not `/docs-of-others`. */
function isBelow(path: string, root: string): boolean {
  const folder = root.endsWith("/") ? root : `${root}/`;
  return path === root || path.startsWith(folder);
}
