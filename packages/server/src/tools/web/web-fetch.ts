/** `web_fetch`: a page of the web, as text. */

import type { PermissionRequestUrl } from "@rightseat/protocol";
import { cutText, endOfText } from "@rightseat/protocol";
import type { BuiltInToolBody, BuiltInToolHost } from "../built-in-tool.ts";
import { shownIn } from "../intention.ts";
import { limitOutput } from "../large-output.ts";
import type { ToolContext, ToolResult } from "../tool.ts";
import {
  optionalBoolean,
  optionalNumber,
  requiredText,
  ToolArgumentError,
  toArguments,
} from "../tool-arguments.ts";
import { failure, success } from "../tool-results.ts";
import { fetchPage, type Page } from "./fetch-page.ts";
import { assertFetchable } from "./guarded-request.ts";
import { toMarkdown } from "./to-markdown.ts";

const DEFAULT_CHARS = 5000;
const MAX_CHARS = 20_000;
/** What a page says that there is nothing. */
const MAX_ERROR_CHARS = 1000;

export const webFetch: BuiltInToolBody = {
  permission(args, _context, session) {
    const { url } = parse(args);
    assertFetchable(url, privateHostsOf(session.host));
    return ask({ intention: `Fetch ${shownIn(url.href)}`, url: url.href });
  },

  async run(args, context, session) {
    const wanted = parse(args);
    let denied: ToolResult | undefined;
    const page = await fetchPage(wanted.url, {
      privateHosts: privateHostsOf(session.host),
      proxies: session.host.proxies,
      signal: context.signal,
      mayFollow: async (to, from) => {
        denied = await askToFollow(to, from, context, session.host);
        return denied === undefined;
      },
    });
    if (!page) return denied ?? failure("The redirect was not followed.", "denied");
    const text = page.isHtml && !wanted.raw ? await toMarkdown(page.text, context.signal) : page.text;
    if (page.status >= 400) return httpFailure(page, text);
    return success(await limitOutput(part(page, text, wanted), session.host));
  },
};

function parse(args: unknown) {
  const given = toArguments(args);
  const text = requiredText(given, "url");
  if (!URL.canParse(text))
    throw new ToolArgumentError(`"url" must be a whole address, like https://example.com/`);
  return {
    url: new URL(text),
    maxLength: Math.floor(optionalNumber(given, "max_length", { min: 1, max: MAX_CHARS }) ?? DEFAULT_CHARS),
    startIndex: Math.floor(
      optionalNumber(given, "start_index", { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 0,
    ),
    raw: optionalBoolean(given, "raw") ?? false,
  };
}

function ask(request: Omit<PermissionRequestUrl, "kind">) {
  return { kind: "url", ...request };
}

/** What the call ends with when the redirect is not allowed. @throws as `assertFetchable`. */
async function askToFollow(
  to: URL,
  from: URL,
  context: ToolContext,
  host: BuiltInToolHost,
): Promise<ToolResult | undefined> {
  assertFetchable(to, privateHostsOf(host));
  const intention = `Follow a redirect from ${shownIn(from.href)} to ${shownIn(to.href)}`;
  const verdict = await context.ask(ask({ intention, url: to.href, redirectedFrom: from.href }));
  context.signal.throwIfAborted();
  if (verdict.allowed) return undefined;
  const { message, endsRun } = verdict;
  return {
    ...failure(`${from.href} redirects to ${to.href}. ${message}`, "denied"),
    resultType: "denied",
    ...(endsRun ? { endsTurn: true } : {}),
  };
}

function httpFailure(page: Page, text: string): ToolResult {
  const status = `${page.url.href} was answered with ${page.status} ${page.statusText}`.trim();
  return failure(`${status}.\n\n${cutText(text, MAX_ERROR_CHARS)}`.trim(), "http_error");
}

function part(page: Page, text: string, wanted: ReturnType<typeof parse>): string {
  const from = Math.min(wanted.startIndex, text.length);
  const to = Math.min(from + wanted.maxLength, text.length);
  const notes = [
    page.url.href === wanted.url.href ? "" : `Redirected to ${page.url.href}.`,
    to < text.length || from > 0 ? `Characters ${from} to ${to} of ${text.length}.` : "",
    to < text.length ? `Use start_index ${to} for what follows.` : "",
    page.isCut ? "The page is longer than can be fetched; its end is missing." : "",
    text === "" ? "The page has no text." : "",
  ].filter((note) => note !== "");
  const shown = cutText(endOfText(text, text.length - from), to - from);
  return notes.length === 0 ? shown : `${shown}\n\n(${notes.join(" ")})`.trimStart();
}

function privateHostsOf(host: BuiltInToolHost): readonly string[] {
  return host.privateHosts?.() ?? [];
}
