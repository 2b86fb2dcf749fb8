/** `grep`: the contents of files, through ripgrep where there is one. */
import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { BuiltInToolBody } from "../built-in-tool.ts";
import { shownIn } from "../intention.ts";
import { limitOutput } from "../large-output.ts";
import { pathToUse } from "../paths.ts";
import { askReadPermission } from "../read-permission.ts";
import { optionalText, toArguments } from "../tool-arguments.ts";
import { failure, success } from "../tool-results.ts";
import { findRipgrep } from "./find-ripgrep.ts";
import { type GrepLine, type GrepQuery, type GrepResults, parseGrepQuery } from "./grep-query.ts";
import { searchFiles } from "./search-files.ts";
import { searchWithRipgrep } from "./search-with-ripgrep.ts";

export const grep: BuiltInToolBody = {
  permission(args, context, { host }) {
    const pattern = shownIn(parseGrepQuery(args).pattern);
    const intention = (path: string) => `Search for "${pattern}" in ${path}`;
    return askReadPermission(intention, args, context, { host, fallback: "." });
  },

  async run(args, context, session) {
    const query = parseGrepQuery(args);
    const given = optionalText(toArguments(args), "path") || ".";
    const { path, canonical } = await pathToUse(args, context, {
      access: "read",
      host: session.host,
      fallback: ".",
    });
    const found = await stat(canonical).catch(() => undefined);
    if (!found) return failure(`Path ${path} does not exist. Please provide a valid path.`, "not_found");
    if (!found.isFile() && !found.isDirectory())
      return failure(`${path} is neither a regular file nor a directory.`, "not_a_file");
    const isFile = !found.isDirectory();
    const place = {
      directory: isFile ? dirname(canonical) : canonical,
      file: isFile ? basename(canonical) : undefined,
      hidden: session.host.reach?.().hidden,
    };
    // As ripgrep shows paths: below what was named, as it was named.
    const below = withoutSlashes(given);
    const shownPath = (line: GrepLine) => (isFile ? given : `${below}/${line.path}`);
    const ripgrep = await findRipgrep(session.host.environment().PATH);
    const giveBack = ripgrep ? await session.host.takeProcess?.() : undefined;
    const results = ripgrep
      ? searchWithRipgrep(ripgrep, query, place, context.signal)
      : searchFiles(query, place, context.signal);
    const text = await format(results, query, shownPath).finally(giveBack);
    if (text === "") return success(`No matches found in ${resolve(context.workingDirectory, given)}.`);
    return success(await limitOutput(text, session.host));
  },
};

function withoutSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end--;
  return path.slice(0, end);
}

async function format(results: GrepResults, query: GrepQuery, shownPath: (line: GrepLine) => string) {
  const lines: string[] = [];
  // Leaving the loop ends the search.
  for await (const line of results) {
    if (lines.length === query.limit) {
      lines.push(`(Only the first ${query.limit} lines are shown.)`);
      break;
    }
    lines.push(line === "gap" ? "--" : formatLine(line, query, shownPath(line)));
  }
  return lines.join("\n");
}

function formatLine(line: GrepLine, query: GrepQuery, path: string): string {
  if (query.mode === "files_with_matches") return path;
  if (query.mode === "count") return `${path}:${line.text}`;
  const mark = line.isMatch ? ":" : "-";
  return query.lineNumbers ? `${path}${mark}${line.number}${mark}${line.text}` : `${path}${mark}${line.text}`;
}
