/** `glob`: files by their paths. */
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import type { BuiltInToolBody } from "../built-in-tool.ts";
import { shownIn } from "../intention.ts";
import { limitOutput } from "../large-output.ts";
import { pathToUse } from "../paths.ts";
import { askReadPermission } from "../read-permission.ts";
import type { ToolContext } from "../tool.ts";
import { optionalText, requiredText, toArguments } from "../tool-arguments.ts";
import { success } from "../tool-results.ts";
import { compileGlob, literalPrefix } from "./glob-pattern.ts";
import { walk } from "./walk.ts";

const MAX_FILES = 2000;

export const glob: BuiltInToolBody = {
  permission(args, context, { host }) {
    const { root, rest } = parse(args, context);
    const intention = (path: string) => `Find files named "${shownIn(rest)}" in ${path}`;
    return askReadPermission(intention, { path: root }, context, { host });
  },

  async run(args, context, session) {
    const { root, rest, shown } = parse(args, context);
    const { canonical } = await pathToUse({ path: root }, context, { access: "read", host: session.host });
    const pattern = compileGlob(rest, { dot: false });
    const namesHidden = /(^|[/{,])\\?\./.test(rest);
    const options = {
      signal: context.signal,
      links: true,
      hidden: session.host.reach?.().hidden,
      ...(namesHidden ? { includeHidden: () => true } : {}),
    };
    const found: string[] = [];
    for await (const path of walk(canonical, options)) {
      if (!pattern.matches(path)) continue;
      if (found.length === MAX_FILES) {
        found.push(`(There are more than ${MAX_FILES} files. Narrow the pattern.)`);
        break;
      }
      found.push(shown + path);
    }
    if (found.length === 0) return success("No files match the pattern.");
    return success(await limitOutput(found.join("\n"), session.host));
  },
};

/** Where to search, the pattern from there, and what goes before the paths found. */
function parse(args: unknown, context: ToolContext): { root: string; rest: string; shown: string } {
  const given = toArguments(args);
  const pattern = requiredText(given, "pattern").replace(/^(\.\/+)+/, "");
  const start = resolve(context.workingDirectory, optionalText(given, "path") || ".");
  const prefix = literalPrefix(pattern);
  const root = resolve(start, prefix);
  const below = relative(context.workingDirectory, root);
  const isBelow = !isAbsolute(below) && below !== ".." && !below.startsWith(`..${sep}`);
  // Recorded conversations have paths from the working directory, with a dot before them.
  const shown = isBelow ? `./${below === "" ? "" : `${below.split(sep).join("/")}/`}` : join(root, "/");
  return { root, rest: pattern.slice(prefix.length), shown };
}
