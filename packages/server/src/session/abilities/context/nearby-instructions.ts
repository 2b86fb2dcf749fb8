/**
 * Instructions of folders further down in the project than where the session works: with
 * `enableOnDemandInstructionDiscovery` the model is given them with the first file of such a folder that
 * it views. What it was given is in its context, so nothing else has to be kept: once a compaction has
 * taken it out, the next view gives it again.
 */
import { dirname, join, relative, resolve, sep } from "node:path";
import type { InstructionSource } from "../../../discovery/instructions.ts";
import { mentions, renderInstructions } from "../../../discovery/render-instructions.ts";
import { canonicalPath, isInside } from "../../../tools/paths.ts";
import type { Tool, ToolContext } from "../../../tools/tool.ts";
import type { Conversation } from "../../open/conversation.ts";
import type { Session } from "../../open/session.ts";
import type { ConversationState } from "../../state/session-state.ts";
import { type SurroundingServices, surroundingsOf } from "./surroundings.ts";

/** The most characters of one view: the files are in the conversation from then on. */
const MAX_CHARACTERS = 64 * 1024;
const MAX_FOLDERS = 32;

/** The tools as they are, unless the session wants instructions with what it views. */
export function withNearbyInstructions(
  viewer: Conversation,
  services: SurroundingServices,
  tools: readonly Tool[],
): readonly Tool[] {
  const { enableOnDemandInstructionDiscovery, skipCustomInstructions } = viewer.session.settings;
  if (enableOnDemandInstructionDiscovery !== true || skipCustomInstructions === true) return tools;
  return tools.map((tool) =>
    tool.definition.name === "view" ? new InstructedView(tool, viewer, services) : tool,
  );
}

class InstructedView implements Tool {
  readonly source = "builtin";
  readonly #view: Tool;
  readonly #viewer: Conversation;
  readonly #services: SurroundingServices;

  constructor(view: Tool, viewer: Conversation, services: SurroundingServices) {
    this.#view = view;
    this.#viewer = viewer;
    this.#services = services;
  }

  get definition() {
    return this.#view.definition;
  }

  permission(args: unknown, context: ToolContext) {
    return this.#view.permission?.(args, context);
  }

  async run(args: unknown, context: ToolContext) {
    const result = await this.#view.run(args, context);
    const { path } = args as { readonly path?: unknown };
    if (result.resultType !== "success" || typeof path !== "string") return result;
    const viewed = await canonicalPath(resolve(context.workingDirectory, path));
    const { session, state } = this.#viewer;
    const found = take(state, await nearby(session, this.#services, viewed));
    if (found.length === 0) return result;
    const text = `${result.text}\n\n${renderInstructions({ sources: found })}`;
    // People see the file alone.
    return { ...result, text, detailedText: result.detailedText ?? result.text };
  }
}

/** From the folders between the project's root and the file, the nearest last, without those known from the start. */
async function nearby(
  session: Session,
  services: SurroundingServices,
  viewed: string,
): Promise<InstructionSource[]> {
  const { workingDirectory, git, instructions } = await surroundingsOf(session, services);
  const gitRoot = await canonicalPath(git.gitRoot ?? workingDirectory);
  const known = new Set(instructions.sources.map(({ sourcePath }) => sourcePath));
  const disabled = new Set(session.settings.disabledInstructionSources);
  const folders = foldersBetween(gitRoot, dirname(viewed));
  const found = await Promise.all(
    folders.map((folder) => services.load({ workingDirectory: folder, gitRoot })),
  );
  return found
    .flatMap(({ sources }) => sources)
    .filter(
      ({ id, location, sourcePath }) =>
        location === "working-directory" &&
        !known.has(sourcePath) &&
        !disabled.has(id) &&
        join(gitRoot, sourcePath) !== viewed,
    );
}

/** Below the root, down to the folder; none when that is elsewhere. */
function foldersBetween(root: string, folder: string): string[] {
  if (folder === root || !isInside(folder, root)) return [];
  const names = relative(root, folder).split(sep);
  return names.map((_, index) => join(root, ...names.slice(0, index + 1))).slice(-MAX_FOLDERS);
}

interface Given {
  readonly turn: number;
  readonly paths: Set<string>;
}

/** What calls of one turn were given, which is not in the context before all of them have ended. */
const given = new WeakMap<ConversationState, Given>();

/** Those that the model does not have yet; it has them from now on. */
function take(state: ConversationState, sources: readonly InstructionSource[]): InstructionSource[] {
  if (sources.length === 0) return [];
  let now = given.get(state);
  if (now?.turn !== state.turns) {
    now = { turn: state.turns, paths: new Set() };
    given.set(state, now);
  }
  const { paths } = now;
  const isInContext = (source: InstructionSource) =>
    state.messages.some((message) => message.role === "tool" && mentions(message.content, source));
  let room = MAX_CHARACTERS;
  const taken = sources
    .filter((source) => !paths.has(source.sourcePath) && !isInContext(source))
    .map((source) => {
      room -= source.content.length;
      return room >= 0 ? source : { ...source, content: "Too long to be quoted here: view the file." };
    });
  for (const { sourcePath } of taken) paths.add(sourcePath);
  return taken;
}
