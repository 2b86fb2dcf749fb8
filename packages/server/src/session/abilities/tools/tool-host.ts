/** A session as its built-in tools see it. One object each, since there are thousands of sessions. */
import { join, resolve, sep } from "node:path";
import {
  type BuiltInToolHost,
  DEFAULT_MAX_OUTPUT_BYTES,
  type FileChange,
} from "../../../tools/built-in-tool.ts";
import { OWN } from "../../../tools/create-reach.ts";
import type { Reach } from "../../../tools/reach.ts";
import type { UserChannel } from "../../../tools/user-channel.ts";
import { gitCeiling } from "../../members/confinement.ts";
import type { Session } from "../../open/session.ts";
import { createUserChannel } from "../questions/user-channel.ts";
import type { Places } from "../workspace/places.ts";
import { workingDirectoryOf } from "../workspace/working-directory.ts";
import { recordFileChange } from "./file-changes.ts";

/** How many process groups the sessions of a tenant have. */
export interface ProcessPlaces {
  /** The function gives the place back; more than one call is one. @throws RpcError `limit_exceeded`. */
  takeProcess(tenant: string): Promise<() => void>;
}

/** Made once by the composition root. */
export interface ToolHostServices {
  readonly environment: Readonly<Record<string, string>>;
  /** Hosts, or hosts with ports, that may be fetched from although they are not on the public internet. */
  readonly privateHosts: readonly string[];
  readonly proxies?: BuiltInToolHost["proxies"];
  readonly defaultWorkingDirectory: string;
  readonly places: Places;
  /** Counts the processes of tenants. */
  readonly processes: ProcessPlaces;
  /** Before so much is stored for a tenant. @throws RpcError `limit_exceeded`. */
  readonly admitStoring: (tenant: string, bytes: number) => Promise<void>;
  /** A file is changed without that its change can be undone. */
  readonly onNotKept: (error: unknown, session: Session) => void;
}

/** Whether a tool has said more than the session's model is to read at once. */
export function isLargeOutput({ settings }: Session, text: string): boolean {
  const { enabled, maxSizeBytes } = settings.largeOutput ?? {};
  return enabled !== false && Buffer.byteLength(text) > (maxSizeBytes || DEFAULT_MAX_OUTPUT_BYTES);
}

export class SessionToolHost implements BuiltInToolHost {
  readonly #services: ToolHostServices;
  readonly #session: Session;
  #user: UserChannel | undefined;

  constructor(services: ToolHostServices, session: Session) {
    this.#services = services;
    this.#session = session;
  }

  get sessionId(): string {
    return this.#session.id;
  }

  get user(): UserChannel {
    return (this.#user ??= createUserChannel(this.#session));
  }

  workingDirectory(): string {
    return workingDirectoryOf(this.#services, this.#session);
  }

  sessionDirectory(): string {
    return this.#session.directory;
  }

  largeOutputDirectory(): string | undefined {
    const { enabled, outputDir } = this.#session.settings.largeOutput ?? {};
    if (enabled === false) return undefined;
    return outputDir ? resolve(this.workingDirectory(), outputDir) : join(this.sessionDirectory(), "temp");
  }

  largeOutputMaxBytes(): number | undefined {
    return this.#session.settings.largeOutput?.maxSizeBytes;
  }

  admitStoring(bytes: number): Promise<void> {
    return this.#services.admitStoring(this.#session.key.tenant, bytes);
  }

  async onFileChange(change: FileChange): Promise<void> {
    const { onNotKept } = this.#services;
    const bytes = this.#storedFor(change);
    if (bytes > 0) await this.admitStoring(bytes);
    return recordFileChange(this.#session, change, (error) => onNotKept(error, this.#session));
  }

  /** What it held before is kept where changes are tracked; the session's own files are stored with it. */
  #storedFor({ path, before, after }: FileChange): number {
    const own = this.sessionDirectory();
    const kept = this.#session.state.tracksFiles ? (before?.length ?? 0) : 0;
    return kept + (path.startsWith(own + sep) ? after.length : 0);
  }

  onTodosChanged(): void {
    this.#session.emit("session.todos_changed", {});
  }

  privateHosts(): readonly string[] {
    return this.#services.privateHosts;
  }

  get proxies(): BuiltInToolHost["proxies"] {
    return this.#services.proxies;
  }

  takeProcess(): Promise<() => void> {
    return this.#services.processes.takeProcess(this.#session.key.tenant);
  }

  reach(): Reach {
    return this.#services.places.reachOf(this.#session.key);
  }

  environment(): Readonly<Record<string, string>> {
    const ceiling = gitCeiling(this.#session.settings.confinement, this.workingDirectory());
    return { ...this.#services.environment, ...ceiling };
  }
}

/** What of a session's own directory its tools may use without a question. Its log is in there, too. */
export function toolDirectories({ directory }: Session): readonly string[] {
  return OWN.map((name) => join(directory, name));
}
