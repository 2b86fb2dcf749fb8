/**
 * One session: its log, what the log amounts to, who is attached, and how events leave. What happens
 * in it (prompts, runs, tools) is functions over this, in the files beside it.
 *
 * Awake, it holds the projection; asleep (hibernated), only its settings and attachments. `wake`
 * brings the projection back from the checkpoint and the tail behind it; nobody outside can tell.
 */
import { randomUUID } from "node:crypto";
import { type SessionEventDataMap, type SessionEventType, toJson } from "@rightseat/protocol";
import type { Announcements } from "../../announcements/announcements.ts";
import type { SessionFiles } from "../../store/session-files.ts";
import type { Lease, SessionKey } from "../../store/session-key.ts";
import type { Store } from "../../store/store.ts";
import { LogWriter } from "../log/log-writer.ts";
import { PublishedEvent, type SessionEvent } from "../log/published-event.ts";
import type { ActivePlace } from "../members/active-place.ts";
import type { AgentDefinition } from "../members/agent-definition.ts";
import type { ClientLink } from "../members/client-link.ts";
import { ClientWaits } from "../members/client-waits.ts";
import type { Confinement } from "../members/confinement.ts";
import { Questions } from "../members/questions.ts";
import {
  type GivenSettings,
  givenSettings,
  type Said,
  type SettingsPatch,
  settingsOf,
  withSaid,
} from "../members/said-settings.ts";
import type { Attachment, LostClient, SessionSettings } from "../members/session-settings.ts";
import { loadState } from "../state/load-state.ts";
import type { PrivateRecordMap, PrivateRecordType } from "../state/private-records.ts";
import { applyLine, type LoggedEvent } from "../state/projection.ts";
import { parseSessionState, type SessionState } from "../state/session-state.ts";
import type { SideWork } from "./side-work.ts";

/** The run in progress: one prompt on its way through the agent loop. */
export interface ActiveRun {
  /** The model said that its task is complete. */
  taskComplete?: true;
  readonly messageId: string;
  readonly controller: AbortController;
  readonly done: Promise<void>;
  /** Among runs that may be running at once; a command has none. */
  readonly place?: ActivePlace;
}

/**
 * What happens in a session that its runs follow from; whoever begins runs listens.
 * - `prompt-waits`: a prompt or a command waits, and may be the next to run.
 * - `agent-ended`: a sub-agent was ended that nobody is told of; the session may be idle now.
 */
export type SessionSignal = "prompt-waits" | "agent-ended";

export interface SessionOptions {
  readonly store: Pick<Store, "log" | "ownership" | "catalogue" | "files">;
  readonly lease: Lease;
  /** How far up the session's project is looked for; the server's word, and no client's. */
  readonly confinement?: Confinement | undefined;
  readonly questionDeadlineMs: number;
  /**
   * The log did not take a write. Nothing more is written, and every attempt throws, until `forgetUnwritten`; told
   * once until then.
   */
  readonly onBroken: (session: Session, error: unknown) => void;
  /** It was read again after `forgetUnwritten`: what is open in the log, and works no more, is to be ended. */
  readonly onMend?: (session: Session) => void;
  readonly onSignal: (session: Session, signal: SessionSignal) => void;
  /** Where it says what others on this node may want to know. */
  readonly announcements: Announcements;
  /** A commit ended; milliseconds. */
  readonly onStored?: (commit: { readonly durationMs: number; readonly ok: boolean }) => void;
}

interface Outgoing {
  readonly published: PublishedEvent;
  committed: boolean;
  /** The one client that is told; all of them when there is none. */
  readonly only?: ClientLink;
}

/** Events that only a client that asked for streaming is told. */
const STREAMING_ONLY: ReadonlySet<string> = new Set([
  "assistant.message_start",
  "assistant.message_delta",
  "assistant.reasoning_delta",
  "assistant.streaming_delta",
  "assistant.tool_call_delta",
]);

export class Session {
  readonly key: SessionKey;
  readonly announcements: Announcements;
  /** What its writes are made under. */
  readonly lease: Lease;
  /** What its work waits for of its clients, questions and all else. */
  readonly waits: ClientWaits;
  readonly questions: Questions;
  readonly attachments = new Map<ClientLink, Attachment>();
  /** Clients that were lost and may come back; see lost-clients.ts. */
  lostClients: readonly LostClient[] | undefined;
  /** Features keep things with it here; see `slot.ts`. */
  slots: Map<object, unknown> | undefined;
  /** What features keep with the state that it has now. */
  awakeSlots: Map<object, unknown> | undefined;
  /** The custom agent that it answers as; undefined for itself. What the log says of it is `state.selectedAgent`. */
  agent: AgentDefinition | undefined;
  run: ActiveRun | undefined;
  /** What clients asked for beside runs; set while there is any. */
  sideWork: Set<SideWork> | undefined;
  /** Clients whose wishes are being checked before they are attached. */
  newcomers = 0;
  /** Set when the session is on its way out; nothing new may begin. */
  closing = false;
  /** Settles when a session that is closing has gone. */
  closed: Promise<void> = Promise.resolve();
  /** Set while the session goes back to what its log holds, after a write that failed; settles when it has. */
  recovering: Promise<void> | undefined;
  /** When it was last used, for hibernation; milliseconds of a monotonic clock. */
  lastUsedMs = performance.now();
  #worksAside = 0;
  /** What ends what belongs to the session outside its log (processes); set while there is any. */
  #disposers: Set<() => Promise<unknown>> | undefined;
  /** What features let go of when the session lets its state go; set once there is any. */
  #whenAsleep: Set<() => void> | undefined;
  /** Observers inside the server (long polls); set while there are any. */
  #observers: Set<(event: PublishedEvent) => void> | undefined;

  #said: readonly Said[] = [];
  /** What the settings were computed from last, with what was said. */
  #given: GivenSettings;
  #settings: SessionSettings;
  readonly #store: SessionOptions["store"];
  readonly #writer: LogWriter<Outgoing>;
  readonly #onMend: SessionOptions["onMend"];
  readonly #onSignal: SessionOptions["onSignal"];
  #state: SessionState | undefined;
  #waking: Promise<void> | undefined;
  #checkpointed = 0;
  #charactersSince = 0;
  #outbox: Outgoing[] = [];
  /** What was cut off is still open in the log. */
  #needsMending = false;

  constructor(options: SessionOptions) {
    this.key = { tenant: options.lease.tenant, sessionId: options.lease.sessionId };
    this.announcements = options.announcements;
    this.#given = givenSettings(options.confinement, {});
    this.#settings = settingsOf(this.#given, this.#said);
    this.waits = new ClientWaits(() => this.run?.place);
    this.questions = new Questions(options.questionDeadlineMs, this.waits, this);
    this.#store = options.store;
    this.lease = options.lease;
    this.#onMend = options.onMend;
    this.#onSignal = options.onSignal;
    this.#writer = new LogWriter<Outgoing>({
      log: options.store.log,
      lease: options.lease,
      onCommitted: (outgoing) => this.#tellCommitted(outgoing),
      onFailed: (error, isFirst) => {
        this.#outbox = [];
        if (isFirst) options.onBroken(this, error);
      },
      onStored: options.onStored,
    });
  }

  get id(): string {
    return this.key.sessionId;
  }

  /** As a conversation it is its own session. */
  get session(): Session {
    return this;
  }

  /** Where its files are; what is written there is written under its lease. */
  get files(): SessionFiles {
    return this.#store.files;
  }

  /** Its working copy on this machine, where tools and people find its files. Nothing need be there. */
  get directory(): string {
    return this.#store.files.directoryOf(this.key);
  }

  /** The same value until something is said, or the log comes to know something else. */
  get settings(): SessionSettings {
    const { model, reasoningEffort, workingDirectory } = this.#state ?? this.#given;
    const given = this.#given;
    const isSame =
      given.model === model &&
      given.reasoningEffort === reasoningEffort &&
      given.workingDirectory === workingDirectory;
    if (isSame) return this.#settings;
    this.#given = givenSettings(given.confinement, this.#state ?? given);
    this.#settings = settingsOf(this.#given, this.#said);
    return this.#settings;
  }

  /** What was said of the settings, oldest first: said again in this order, it makes the same settings elsewhere. */
  get said(): readonly Said[] {
    return this.#said;
  }

  get isSummarised(): boolean {
    return this.settings.infiniteSessions?.enabled !== false;
  }

  /**
   * The only way to change the settings.
   * @param by the client that says it; left out for what the session itself comes to.
   */
  say(patch: SettingsPatch, by?: ClientLink): void {
    this.#said = withSaid(this.#said, patch, by?.id);
    this.#settings = settingsOf(this.#given, this.#said);
  }

  get awake(): boolean {
    return this.#state !== undefined;
  }

  /** @throws Error when asleep: a caller forgot to wake it. */
  get state(): SessionState {
    if (!this.#state) throw new Error("the session is asleep; wake it first");
    return this.#state;
  }

  /** The cursor behind the last committed line. */
  get end(): number {
    return this.#writer.end;
  }

  /** Whether something is being run or asked, which must not be cut off for want of use. */
  get busy(): boolean {
    if (this.run !== undefined || this.#worksAside > 0 || this.sideWork !== undefined) return true;
    return this.questions.size > 0 || this.newcomers > 0;
  }

  /** Whether work is under way beside runs that ends by itself, such as a compaction. */
  get worksAside(): boolean {
    return this.#worksAside > 0;
  }

  /** Work begins beside runs: the session stays awake meanwhile. @returns what says that it has ended; once. */
  beginAside(): () => void {
    this.#worksAside += 1;
    return () => {
      this.#worksAside -= 1;
    };
  }

  /** Whether nothing is being written, asked or run, so that it may sleep or go. */
  get quiet(): boolean {
    return !this.busy && this.settled;
  }

  /** Runs this when the session goes. @returns what takes it back. */
  whenGone(dispose: () => Promise<unknown>): () => void {
    this.#disposers ??= new Set();
    this.#disposers.add(dispose);
    return () => {
      this.#disposers?.delete(dispose);
      if (this.#disposers?.size === 0) this.#disposers = undefined;
    };
  }

  /** Runs this each time the session lets its state go, for as long as it is open. */
  whenAsleep(letGo: () => void): void {
    this.#whenAsleep ??= new Set();
    this.#whenAsleep.add(letGo);
  }

  /** Tells an observer inside the server what clients are told. @returns what ends that. */
  observe(observer: (event: PublishedEvent) => void): () => void {
    this.#observers ??= new Set();
    this.#observers.add(observer);
    return () => {
      this.#observers?.delete(observer);
      if (this.#observers?.size === 0) this.#observers = undefined;
    };
  }

  /** Begins with the state that was just folded, or an empty one. */
  begin(state: SessionState, end: number, checkpointed = 0, charactersSince = 0): void {
    this.#state = state;
    this.#writer.end = end;
    this.#checkpointed = checkpointed;
    this.#charactersSince = charactersSince;
  }

  /** Whether all that was logged is committed. */
  get settled(): boolean {
    return this.#writer.settled;
  }

  /** Takes another state for what the log amounts to; the caller logs what made it so. Only while settled. */
  replaceState(state: SessionState): void {
    this.awakeSlots = undefined;
    this.#state = state;
  }

  /** Brings the projection back; at once when it is there. */
  wake(): Promise<void> | undefined {
    this.lastUsedMs = performance.now();
    if (this.#state) return undefined;
    this.#waking ??= this.#load().finally(() => {
      this.#waking = undefined;
    });
    return this.#waking;
  }

  /**
   * Lets the projection go, after a checkpoint. Does nothing unless quiet.
   * @throws what kept the checkpoint from being written. It sleeps all the same: an older one and the log behind
   * it say the same.
   */
  async sleep(): Promise<void> {
    if (!this.#state || !this.quiet) return;
    const usedMs = this.lastUsedMs;
    let failure: unknown;
    await this.checkpoint().catch((error: unknown) => {
      failure = error;
    });
    // A call that came meanwhile found it awake, and counts on that.
    if (this.quiet && this.lastUsedMs === usedMs) {
      this.#letStateGo();
    }
    if (failure !== undefined) throw failure;
  }

  /**
   * Goes back to what the log holds, which the next use reads again: what was not written never was. Only while
   * nothing runs any more.
   */
  async forgetUnwritten(): Promise<void> {
    await this.#writer.whenSettled();
    this.#outbox = [];
    this.#letStateGo();
    this.#writer.forgetUnwritten();
    this.#needsMending = true;
  }

  /** The log is not ours any more: what was not written never will be, and what is told from now on waits for none of it. */
  breakOff(error: unknown): void {
    this.#writer.breakOff(error);
    this.#outbox = [];
  }

  /** Writes a checkpoint when the log has grown since the last. Only while quiet is it exact. */
  async checkpoint(): Promise<void> {
    if (!this.#state || !this.quiet || this.end === this.#checkpointed) return;
    const cursor = this.end;
    const characters = this.#charactersSince;
    await this.#store.log.checkpoint(this.lease, { cursor, state: JSON.stringify(this.#state) });
    this.#checkpointed = cursor;
    this.#charactersSince -= characters;
  }

  /** Characters logged since the last checkpoint. */
  get charactersSinceCheckpoint(): number {
    return this.#charactersSince;
  }

  /**
   * Logs an event; told to clients once it is committed. Order is kept with everything else.
   * @param agentId the sub-agent that it is of; the session's own when left out.
   */
  append<T extends SessionEventType>(
    type: T,
    data: SessionEventDataMap[T],
    agentId?: string,
  ): PublishedEvent {
    const event: SessionEvent<T> = {
      type,
      data,
      id: randomUUID(),
      timestamp: new Date().toISOString(),
      parentId: this.state.lastEventId,
      ...(agentId === undefined ? {} : { agentId }),
    };
    const published = new PublishedEvent(this.id, event as SessionEvent);
    const outgoing: Outgoing = { published, committed: false };
    this.#outbox.push(outgoing);
    this.#addLine(event, published.json, outgoing);
    return published;
  }

  /**
   * Logs a record of our own; nobody is told.
   * @param agentId the sub-agent that it is of; the session's own when left out.
   */
  record<T extends PrivateRecordType>(type: T, data: PrivateRecordMap[T], agentId?: string): void {
    const event: LoggedEvent = {
      type,
      data,
      id: randomUUID(),
      timestamp: new Date().toISOString(),
      ...(agentId === undefined ? {} : { agentId }),
    };
    this.#addLine(event, toJson(event));
  }

  /** Whether an event waits for what is on its way to the log, and will be told to everybody after it. */
  willTell(published: PublishedEvent): boolean {
    return this.#outbox.some((outgoing) => outgoing.published === published);
  }

  /** Tells clients, or only one of them, something that is not logged. */
  emit<T extends SessionEventType>(
    type: T,
    data: SessionEventDataMap[T],
    only?: ClientLink,
    agentId?: string,
  ): PublishedEvent {
    const event = {
      type,
      data,
      id: randomUUID(),
      timestamp: new Date().toISOString(),
      parentId: this.#state?.lastEventId ?? null,
      ephemeral: true,
      ...(agentId === undefined ? {} : { agentId }),
    } as const;
    const published = new PublishedEvent(this.id, event as unknown as SessionEvent);
    if (this.#outbox.length === 0) this.#tell(published, only);
    else this.#outbox.push({ published, committed: true, only });
    return published;
  }

  /** Tells whoever begins runs; they act on it before this returns. */
  signal(signal: SessionSignal): void {
    this.#onSignal(this, signal);
  }

  /** What is logged from now on waits for this before it is written, and is one write with what follows at once. */
  holdWhile(work: Promise<unknown>): void {
    this.#writer.holdWhile(work);
  }

  /**
   * Resolves once everything logged so far is committed.
   * @throws RpcError `storage_unavailable` when it could not be.
   */
  committed(): Promise<void> {
    return this.#writer.committed();
  }

  /** Stops writing and gives the lease back. */
  async release(): Promise<void> {
    this.closing = true;
    this.questions.cancelAll("the session was closed");
    await Promise.allSettled([...(this.#disposers ?? [])].map((dispose) => dispose()));
    if (!this.#writer.isBroken) {
      await this.committed().catch(() => undefined);
      await this.checkpoint().catch(() => undefined);
    }
    await this.#store.ownership.release(this.lease);
  }

  updateSummary(): void {
    const { state } = this;
    this.#store.catalogue.setSummary(this.lease, {
      sessionId: this.id,
      startTime: state.startTime,
      modifiedTime: new Date().toISOString(),
      summary: state.title,
      name: state.name,
      clientName: this.settings.clientName ?? state.clientName,
      context: state.context,
    });
  }

  async #load(): Promise<void> {
    const { state, end, checkpointed, charactersSince } = await loadState(this.#store.log, this.key, {
      end: this.end,
      ...(await this.#storedCheckpoint()),
    });
    this.begin(state, end, checkpointed, charactersSince);
    if (!this.#needsMending) return;
    this.#needsMending = false;
    this.#onMend?.(this);
  }

  #letStateGo(): void {
    for (const letGo of this.#whenAsleep ?? []) letGo();
    this.awakeSlots = undefined;
    this.#state = undefined;
  }

  async #storedCheckpoint() {
    const checkpoint = await this.#store.log.readCheckpoint(this.lease);
    const state = checkpoint ? parseSessionState(checkpoint.state) : undefined;
    return state && checkpoint ? { checkpoint: { cursor: checkpoint.cursor, state } } : {};
  }

  #addLine(event: LoggedEvent | SessionEvent, json: string, outgoing?: Outgoing): void {
    this.#writer.assertWorks();
    applyLine(this.state, event as LoggedEvent, json);
    this.#charactersSince += json.length;
    this.#writer.add(json, outgoing);
  }

  #tellCommitted(outgoing: readonly Outgoing[]): void {
    for (const one of outgoing) one.committed = true;
    let told = 0;
    for (const outgoing of this.#outbox) {
      if (!outgoing.committed) break;
      told += 1;
      this.#tell(outgoing.published, outgoing.only);
    }
    if (told === this.#outbox.length) this.#outbox = [];
    else this.#outbox.splice(0, told);
  }

  #tell(published: PublishedEvent, only: ClientLink | undefined): void {
    if (only) {
      if (this.attachments.has(only)) only.publish(published);
      return;
    }
    const streamingOnly = STREAMING_ONLY.has(published.event.type);
    const ofSubAgent = published.event.agentId !== undefined;
    for (const attachment of this.attachments.values()) {
      if (streamingOnly && !(attachment.streaming && (!ofSubAgent || attachment.subAgentStreaming))) continue;
      attachment.link.publish(published);
    }
    if (this.#observers) for (const observe of this.#observers) observe(published);
  }
}
