/**
 * What a built-in tool is made of: a definition that every session shares, and a body that is loaded
 * when a model first calls the tool. Sessions keep next to nothing for tools that they never use.
 */
import type { ModelTool } from "../models/model-provider.ts";
import type { Proxies } from "../network/proxies.ts";
import type { Reach } from "./reach.ts";
import type { PermissionAsk, ToolContext, ToolResult } from "./tool.ts";
import type { UserChannel } from "./user-channel.ts";

/** A file on its way from one content to another. */
export interface FileChange {
  /** Canonical. */
  readonly path: string;
  /** Undefined when there is no file yet. */
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array;
}

/** Bytes of UTF-8 that one call of a tool hands to the model, unless the session says otherwise. */
export const DEFAULT_MAX_OUTPUT_BYTES = 51_200;

/** What built-in tools need of the session they serve. Everything is asked when needed, never kept. */
export interface BuiltInToolHost {
  readonly sessionId: string;
  /** Absolute; where relative paths start and shells run. */
  workingDirectory(): string;
  /** Absolute; where output too large for a model is kept. It is made when missing. Undefined: cut instead. */
  largeOutputDirectory(): string | undefined;
  /** Absolute; the session's own directory. Undefined when the server keeps no files for it. */
  sessionDirectory?(): string | undefined;
  /**
   * Told of each change of a file before it is made; resolves when what it would take to undo it is on
   * record. @throws RpcError `limit_exceeded` when there is no room for it: then it must not be made.
   */
  onFileChange?(change: FileChange): Promise<void>;
  /** The todos in the session's database may have changed. */
  onTodosChanged?(): void;
  /** The people behind the session; nobody when left out. */
  readonly user?: UserChannel;
  /** Above this much, output goes to a file. Undefined: `DEFAULT_MAX_OUTPUT_BYTES`. */
  largeOutputMaxBytes?(): number | undefined;
  /** Hosts, or hosts with ports, that may be fetched from although they are not on the public internet. */
  privateHosts?(): readonly string[];
  /** Where requests go that leave through a proxy; left out where there is none. */
  readonly proxies?: Proxies | undefined;
  /**
   * Asked before each process group that is started for the session. The function that it returns gives the
   * place back, once, when none of the group is left. @throws RpcError `limit_exceeded`.
   */
  takeProcess?(): Promise<() => void>;
  /** Asked before so much is stored in the session's directory. @throws RpcError `limit_exceeded`. */
  admitStoring?(bytes: number): Promise<void>;
  /** Which paths its tools may touch at all; any when left out. */
  reach?(): Reach;
  /** What processes that are started for the session get. */
  environment(): Readonly<Record<string, string>>;
}

export interface BuiltInToolSpec {
  readonly definition: ModelTool;
  load(): Promise<BuiltInToolBody>;
}

/** The contract of `Tool`, with the session given to each call; one body serves all sessions. */
export interface BuiltInToolBody {
  permission?(
    args: unknown,
    context: ToolContext,
    session: BuiltInSession,
  ): PermissionAsk | undefined | Promise<PermissionAsk | undefined>;
  run(args: unknown, context: ToolContext, session: BuiltInSession): Promise<ToolResult>;
}

/** Something that ends with its session. `dispose` may be called twice and must not throw. */
export interface SessionResource {
  dispose(): Promise<void>;
}

/** A session as its built-in tools see it: its host, and what they have started for it. */
export class BuiltInSession {
  readonly host: BuiltInToolHost;
  #resources: Map<object, SessionResource> | undefined;
  #disposed = false;

  constructor(host: BuiltInToolHost) {
    this.host = host;
  }

  /** @throws when the session has no people. */
  get user(): UserChannel {
    if (!this.host.user) throw new Error("There is no user to reach from here.");
    return this.host.user;
  }

  /** The session's one resource of this kind, made on first use. @throws when the session has ended. */
  resource<T extends SessionResource>(kind: new (host: BuiltInToolHost) => T): T {
    if (this.#disposed) throw new Error("The session has ended.");
    this.#resources ??= new Map();
    let resource = this.#resources.get(kind) as T | undefined;
    if (!resource) {
      resource = new kind(this.host);
      this.#resources.set(kind, resource);
    }
    return resource;
  }

  /** Ends everything that tools of this session started. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    const resources = [...(this.#resources?.values() ?? [])];
    this.#resources = undefined;
    await Promise.all(resources.map((resource) => resource.dispose()));
  }
}
