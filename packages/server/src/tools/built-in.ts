/** The server's own tools, for one session. */
import type { ModelTool } from "../models/model-provider.ts";
import { BuiltInSession, type BuiltInToolHost, type BuiltInToolSpec } from "./built-in-tool.ts";
import { FILE_TOOLS } from "./files/definitions.ts";
import { SEARCH_TOOLS } from "./search/definitions.ts";
import { SHELL_TOOLS } from "./shell/definitions.ts";
import type { ShellTasks } from "./shell-task.ts";
import { SQL_TOOLS } from "./sql/definitions.ts";
import type { PermissionAsk, Tool, ToolContext, ToolResult } from "./tool.ts";
import { USER_TOOLS } from "./user/definitions.ts";
import type { UserCommand, UserCommandOptions } from "./user-command.ts";
import { WEB_TOOLS } from "./web/definitions.ts";

export type { BuiltInToolHost } from "./built-in-tool.ts";

/** In the order in which models are offered them. */
const SPECS: readonly BuiltInToolSpec[] = [
  ...SHELL_TOOLS,
  ...FILE_TOOLS,
  ...WEB_TOOLS,
  ...SQL_TOOLS,
  ...SEARCH_TOOLS,
  ...USER_TOOLS,
];

export const BUILT_IN_TOOL_DEFINITIONS: readonly ModelTool[] = SPECS.map((spec) => spec.definition);

export const BUILT_IN_TOOL_NAMES: ReadonlySet<string> = new Set(
  BUILT_IN_TOOL_DEFINITIONS.map(({ name }) => name),
);

export interface BuiltInTools {
  readonly tools: readonly Tool[];
  /** Runs a command that a person asked for. @throws Error when it cannot be started; RpcError, too many run. */
  startCommand(options: UserCommandOptions): Promise<UserCommand>;
  /** The commands that went on when their call had ended. */
  shellTasks(): Promise<ShellTasks>;
  /** Keeps text that is too large in a file, and says where; gives it back as it is where no file can be kept. */
  keepOutput(text: string): Promise<string>;
  /** Ends the shells of the session and their processes. May be called twice; does not throw. */
  dispose(): Promise<void>;
}

/** Starts and loads nothing: that waits for the first call of a tool. */
export function createBuiltInTools(host: BuiltInToolHost): BuiltInTools {
  return new SessionTools(new BuiltInSession(host));
}

class SessionTools implements BuiltInTools {
  readonly tools: readonly Tool[];
  readonly #session: BuiltInSession;

  constructor(session: BuiltInSession) {
    this.#session = session;
    this.tools = SPECS.map((spec) => new BuiltInTool(spec, session));
  }

  async startCommand(options: UserCommandOptions): Promise<UserCommand> {
    return (await import("./shell/user-shells.ts")).startUserCommand(this.#session, options);
  }

  async shellTasks(): Promise<ShellTasks> {
    return (await import("./shell/shell-tasks.ts")).shellTasksOf(this.#session);
  }

  async keepOutput(text: string): Promise<string> {
    const { host } = this.#session;
    if (host.largeOutputDirectory() === undefined) return text;
    const { limitOutput } = await import("./large-output.ts");
    // A full disk, or a directory that is not to be written to.
    return limitOutput(text, host).catch(() => text);
  }

  dispose(): Promise<void> {
    return this.#session.dispose();
  }
}

/** Two references an object: with thousands of sessions there are tens of thousands of these. */
class BuiltInTool implements Tool {
  readonly #spec: BuiltInToolSpec;
  readonly #session: BuiltInSession;

  constructor(spec: BuiltInToolSpec, session: BuiltInSession) {
    this.#spec = spec;
    this.#session = session;
  }

  get definition() {
    return this.#spec.definition;
  }

  get source() {
    return "builtin" as const;
  }

  async permission(args: unknown, context: ToolContext): Promise<PermissionAsk | undefined> {
    return (await this.#spec.load()).permission?.(args, context, this.#session);
  }

  async run(args: unknown, context: ToolContext): Promise<ToolResult> {
    return (await this.#spec.load()).run(args, context, this.#session);
  }
}
