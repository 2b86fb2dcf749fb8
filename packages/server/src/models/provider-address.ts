/**
 * The address and the secrets of a provider as people paste them: with spaces and newlines around, with the path of
 * the request behind the base URL, with a query. What is meant is taken; what cannot be meant is said.
 */
import type { ProviderSource } from "./provider-source.ts";

/** Paths of requests, behind what a base URL is. */
const REQUESTS = [
  { path: /\/(?:chat\/)?completions\/*$/, type: "openai", wireApi: "completions" },
  { path: /\/responses\/*$/, type: "openai", wireApi: "responses" },
  { path: /\/messages\/*$/, type: "anthropic", wireApi: undefined },
] as const;

/** The same provider, without what is around its values, and with the path of a request taken for what it says. */
export function tidyProvider<T extends ProviderSource>(given: T): T {
  const { baseUrl, apiKey, bearerToken, headers, azure } = given;
  const tidy = {
    ...given,
    ...(typeof baseUrl === "string" ? { baseUrl: baseUrl.trim() } : {}),
    ...(typeof apiKey === "string" ? { apiKey: apiKey.trim() } : {}),
    ...(typeof bearerToken === "string" ? { bearerToken: bearerToken.trim() } : {}),
    ...(headers ? { headers: trimmedHeaders(headers) } : {}),
    ...(typeof azure?.apiVersion === "string"
      ? { azure: { ...azure, apiVersion: azure.apiVersion.trim() } }
      : {}),
  };
  return given.type === "azure" ? tidy : withoutRequestPath(tidy);
}

/** What is wrong with a provider that `tidyProvider` gave; undefined when nothing is. Repeats no secret. */
export function providerProblem(
  provider: ProviderSource,
): { readonly field: string; readonly message: string } | undefined {
  const { baseUrl, type = "openai", wireApi = "completions" } = provider;
  if (!URL.canParse(baseUrl) || !/^https?:$/.test(new URL(baseUrl).protocol))
    return {
      field: "baseUrl",
      message: `expected an address that begins with https:// or http://, got ${JSON.stringify(shown(baseUrl))}`,
    };
  const request = type === "azure" ? undefined : requestOf(baseUrl);
  if (request) {
    const wanted = request.type === "openai" ? `'openai' and wireApi '${request.wireApi}'` : "'anthropic'";
    const has = type === "openai" ? `'openai' and wireApi '${wireApi}'` : `'${type}'`;
    return {
      field: "baseUrl",
      message: `expected what comes before the path of a request of type ${has}, got an address of type ${wanted}: change the one or the other`,
    };
  }
  for (const field of ["apiKey", "bearerToken"] as const)
    if (!canBeSent(provider[field] ?? ""))
      return {
        field,
        message: "expected characters that a header can carry, got a newline or another that it cannot",
      };
  for (const [name, value] of Object.entries(provider.headers ?? {}))
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !canBeSent(value))
      return {
        field: "headers",
        message: `expected names and values that a header can carry; ${JSON.stringify(name)} is none, or has none`,
      };
  return undefined;
}

/** The query of a base URL is one of each request. Fragments are never sent. */
export function splitAddress(baseUrl: string): {
  readonly baseUrl: string;
  readonly query?: Readonly<Record<string, string>>;
} {
  const [address = ""] = baseUrl.split("#");
  const at = address.indexOf("?");
  if (at < 0) return { baseUrl: address };
  const query = Object.fromEntries(new URLSearchParams(address.slice(at + 1)));
  return { baseUrl: address.slice(0, at), ...(Object.keys(query).length > 0 ? { query } : {}) };
}

function withoutRequestPath<T extends ProviderSource>(provider: T): T {
  const request = requestOf(provider.baseUrl);
  if (!request) return provider;
  const { type = request.type, wireApi = request.wireApi } = provider;
  if (type !== request.type || (request.wireApi && wireApi !== request.wireApi)) return provider;
  const [path = "", ...rest] = provider.baseUrl.split(/(?=[?#])/);
  return {
    ...provider,
    type,
    ...(wireApi ? { wireApi } : {}),
    baseUrl: [path.replace(request.path, ""), ...rest].join(""),
  };
}

function requestOf(baseUrl: unknown): (typeof REQUESTS)[number] | undefined {
  const [path = ""] = String(baseUrl).split(/[?#]/);
  return REQUESTS.find((request) => request.path.test(path));
}

function trimmedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.trim(),
      typeof value === "string" ? value.trim() : value,
    ]),
  );
}

/** As `node:http` has it. */
function canBeSent(value: unknown): boolean {
  return !/[^\t\x20-\x7e\x80-\xff]/.test(String(value));
}

/** Without user, password and query, which may be secrets. */
function shown(baseUrl: unknown): string {
  return String(baseUrl)
    .replace(/\/\/[^/]*@/, "//")
    .split(/[?#]/, 1)
    .join("")
    .slice(0, 200);
}
