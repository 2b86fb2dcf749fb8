/**
 * The open sessions of this process: made, resumed, found, let go. One table by tenant and id; what
 * a session does while it is open is elsewhere.
 */

import { randomUUID } from "node:crypto";
import { RpcError } from "@rightseat/protocol";
import type { Announcements } from "../announcements/announcements.ts";
import { activeAgents } from "../session/abilities/agents/active-agents.ts";
import { removeStraySummaries } from "../session/abilities/context/summary-files.ts";
import { closeCutOffToolCalls } from "../session/abilities/tools/cut-off-tool-calls.ts";
import { sessionExists, sessionNotFound, toSessionError } from "../session/log/session-errors.ts";
import type { ClientLink } from "../session/members/client-link.ts";
import type { Confinement } from "../session/members/confinement.ts";
import { hasParticipants } from "../session/members/session-settings.ts";
import { clientFacts, clientsChanged } from "../session/open/clients.ts";
import { noteLostClient } from "../session/open/lost-clients.ts";
import { Session, type SessionOptions } from "../session/open/session.ts";
import { showUnshownQuestions } from "../session/open/told-at-joining.ts";
import { unlessStoreHangs } from "../session/open/unless-store-hangs.ts";
import { silentClients, waitsForClients } from "../session/open/waiting-for-clients.ts";
import { heldBytes } from "../session/runs/held-bytes.ts";
import { loadState } from "../session/state/load-state.ts";
import { createSessionState, parseSessionState } from "../session/state/session-state.ts";
import type { SessionSummary } from "../store/catalogue.ts";
import type { EventLog } from "../store/event-log.ts";
import type { Lease, SessionKey } from "../store/session-key.ts";
import type { Store } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";
import { type EndOptions, type EndServices, endSession, suspendWork } from "./end-session.ts";

export interface RegistryOptions extends Omit<EndServices, "forget"> {
  readonly store: Store;
  readonly questionDeadlineMs: number;
  /** Quiet sessions are put to sleep after this long without use. */
  readonly hibernateAfterMs: number;
  /** Sessions of a tenant are shut down after this long without use; undefined for never. */
  readonly idleTimeoutMs: (tenant: string) => number | undefined;
  /** Asked before a session is made or opened, with how many the tenant has open. @throws RpcError when it may not. */
  readonly admit: (tenant: string, open: number) => void;
  /** How far up from its directory the project of a tenant's session is looked for. */
  readonly confinementOf: (tenant: string) => Confinement | undefined;
  readonly announcements: Announcements;
  readonly onStored?: SessionOptions["onStored"];
  /** Told of what the runs of a session follow from. A session that sleeps may tell it, too. */
  readonly onSignal: SessionOptions["onSignal"];
  /** Ends what a failed write has cut off, in a session that was read again; see `SessionOptions`. */
  readonly onMend: SessionOptions["onMend"];
  /** A warning that comes for session after session. */
  readonly onFrequentWarning: (message: string, fields: Record<string, unknown>) => void;
  readonly onDebug: (message: string, fields: Record<string, unknown>) => void;
}

export interface SessionCounts {
  readonly running: number;
  /** For a client's answer. */
  readonly waiting: number;
  /** For a place to run. */
  readonly queued: number;
  readonly awake: number;
  readonly asleep: number;
}

/** How long a session without clients waits for one before it is let go. */
const ORPHAN_GRACE_MS = 5_000;
const SWEEP_MS = 2_000;
/** No session is idle before that. */
const SHORTEST_IDLE_MS = 1_000;
/** How often a store that failed is asked whether it takes writes again: twice as long each time. */
const FIRST_CHECK_MS = 250;
const LAST_CHECK_MS = 10_000;

export class SessionRegistry {
  readonly #options: RegistryOptions;
  /** Least recently used first. */
  readonly #sessions = new Map<string, Session>();
  /** Those that ended here, whoever holds on to them. */
  readonly #ended = new WeakSet<Session>();
  readonly #opening = new Map<string, Promise<Session>>();
  readonly #deleting = new Map<string, Promise<boolean>>();
  /** Open sessions, and those on their way, by tenant. */
  readonly #openOf = new Map<string, number>();
  /** Whose queue waits for a store that takes writes. */
  readonly #waitForStore = new Set<Session>();
  readonly #sweeper: NodeJS.Timeout;
  readonly #endServices: EndServices;
  #stopping = false;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#endServices = { ...options, forget: (session) => this.#forget(session) };
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeper.unref();
    options.store.ownership.onHandover((key) => this.#handOver(key));
    options.store.ownership.onLost((lease, why) => this.#lost(lease, why));
  }

  get store(): Store {
    return this.#options.store;
  }

  get log(): EventLog {
    return this.#options.store.log;
  }

  /** How many sessions are open here, by what they do; of those with a run, whether it waits for an answer or a place. */
  counts(): SessionCounts {
    const counts = { running: 0, waiting: 0, queued: 0, awake: 0, asleep: 0 };
    for (const session of this.#sessions.values()) {
      const place = session.run?.place?.state;
      if (place === "waiting" || place === "queued") counts[place] += 1;
      else if (session.run) counts.running += 1;
      else if (session.awake) counts.awake += 1;
      else counts.asleep += 1;
    }
    return counts;
  }

  /** About how much memory a tenant's sessions hold of what its clients brought. */
  heldBytes(tenant: string): number {
    let bytes = 0;
    for (const session of this.#sessions.values())
      if (session.key.tenant === tenant) bytes += heldBytes(session);
    return bytes;
  }

  /** Whether no session is made or opened any more. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Makes a session; `begin` writes its first event. Nobody else has it before that.
   * @throws RpcError `session_exists`.
   */
  async create(
    key: SessionKey,
    summary: SessionSummary,
    begin: (session: Session) => void,
  ): Promise<Session> {
    this.#refuseWhenStopping();
    await this.#deleted(key);
    const name = nameOf(key);
    // Somebody looks for it, and may find none.
    while (!this.#sessions.has(name) && this.#opening.has(name))
      await this.#opening.get(name)?.catch(() => undefined);
    if (this.#sessions.has(name)) throw sessionExists(key);
    return this.#opened(key, async () => {
      const lease = await this.store.ownership.create(key, summary).catch((error) => {
        throw error instanceof StoreError && error.kind === "conflict"
          ? sessionExists(key)
          : toSessionError(error, key);
      });
      const session = this.#make(lease);
      session.begin(emptyStateAt(summary), 0);
      this.#sessions.set(name, session);
      this.#options.announcements.announce("session-opened", { key });
      begin(session);
      return session;
    });
  }

  /** A session for a log that was just made, to finish it. Nobody finds it; the caller releases it. */
  draft(lease: Lease): Session {
    return this.#make(lease);
  }

  /** The session if it is open here and somebody is attached to it. */
  find(key: SessionKey): Session | undefined {
    const session = this.#sessions.get(nameOf(key));
    return session && !session.closing ? session : undefined;
  }

  /** The clients that are attached to a session that is open here. */
  clientsOf(key: SessionKey): Iterable<ClientLink> {
    return this.#sessions.get(nameOf(key))?.attachments.keys() ?? [];
  }

  /** An open session, awake. @throws RpcError `session_not_found`. */
  async use(key: SessionKey): Promise<Session> {
    await this.#recovered(key);
    const session = this.find(key);
    if (!session || session.attachments.size === 0) throw sessionNotFound(key);
    this.#touch(session);
    await session.wake();
    return session;
  }

  /** The session, opened from the log when it is not open here. @throws RpcError `session_not_found`, `session_in_use`. */
  async open(key: SessionKey): Promise<Session> {
    this.#refuseWhenStopping();
    await this.#deleted(key);
    await this.#recovered(key);
    const name = nameOf(key);
    const open = this.#sessions.get(name);
    if (open?.closing) {
      await open.closed;
      if (open.closing && this.#sessions.get(name) === open)
        throw new RpcError(
          "storage_unavailable",
          "the session could not be closed in order; try again later",
        );
      return this.open(key);
    }
    if (open) {
      this.#touch(open);
      await open.wake();
      return open;
    }
    const underWay = this.#opening.get(name);
    if (!underWay) return this.#opened(key, () => this.#load(key));
    return underWay.catch((error: unknown) => {
      // Somebody tried to create it: that it is there already is no reason not to open it.
      if (error instanceof RpcError && error.reason === "session_exists") return this.open(key);
      throw error;
    });
  }

  /** A client goes from a session. The last one to go lets the session go once it is quiet. */
  detach(session: Session, link: ClientLink, how: "left" | "lost"): void {
    const before = clientFacts(session);
    const attachment = session.attachments.get(link);
    const { hooks, holdsQueue } = attachment ?? {};
    hooks?.leave();
    if (attachment && how === "lost") noteLostClient(session, attachment);
    session.attachments.delete(link);
    clientsChanged(session, before);
    if (session.attachments.size > 0) {
      showUnshownQuestions(session);
      if (holdsQueue) session.signal("prompt-waits");
      return;
    }
    this.#touch(session);
    if (how === "left" && session.run === undefined)
      void this.close(session, { reason: "user_exit", hooks: hooks ? [hooks] : [] });
  }

  /** A connection ended: it goes from all its sessions. */
  detachEverywhere(link: ClientLink): void {
    for (const session of this.#sessions.values())
      if (session.attachments.has(link)) this.detach(session, link, "lost");
  }

  /** Lets a session go. Calls for it are answered "not found" from now on, until somebody resumes it. */
  async close(session: Session, why: Omit<EndOptions, "how"> = {}): Promise<void> {
    // Without a wait it is closing at once: the client that left is answered when it has gone.
    if (session.recovering) await session.recovering;
    return session.closing ? session.closed : this.#end(session, { how: "closed", ...why });
  }

  /** All that ends here ends by this. */
  #end(session: Session, end: EndOptions): Promise<void> {
    session.closed = endSession(this.#endServices, session, end);
    return session.closed;
  }

  /** Deletes a session and its log, whatever it is doing. False when there was none, or somebody is deleting it. */
  delete(key: SessionKey): Promise<boolean> {
    const name = nameOf(key);
    const underWay = this.#deleting.get(name);
    if (underWay) return underWay.then(() => false);
    const deleting = this.#delete(key).finally(() => this.#deleting.delete(name));
    this.#deleting.set(name, deleting);
    return deleting;
  }

  /**
   * Ends everything: running turns get `graceMs`, then they are suspended.
   * @returns false when the store stopped answering, so that sessions are left as a crash would leave them.
   */
  async shutdown(graceMs: number): Promise<boolean> {
    clearInterval(this.#sweeper);
    this.#stopping = true;
    const running = [...this.#sessions.values()].flatMap((session) =>
      session.run ? [session.run.done] : [],
    );
    if (running.length > 0) await Promise.race([Promise.allSettled(running), delay(graceMs)]);
    const closed = Promise.allSettled([...this.#sessions.values()].map((session) => this.close(session)));
    return unlessStoreHangs(
      this.store,
      closed.then(() => this.store.close()),
    );
  }

  #refuseWhenStopping(): void {
    if (this.#stopping) {
      throw new RpcError(
        "shutting_down",
        "the server is shutting down; try again at another, or when it is back",
      );
    }
  }

  async #delete(key: SessionKey): Promise<boolean> {
    const name = nameOf(key);
    await this.#opening.get(name)?.catch(() => undefined);
    await this.#recovered(key);
    const session = this.#sessions.get(name);
    if (session?.closing) await session.closed;
    else if (session) await this.#end(session, { how: "deleted", reason: "user_exit" });
    const deleted = await this.store.ownership.delete(key).catch((error) => {
      throw toSessionError(error, key);
    });
    if (deleted) this.#options.announcements.announce("session-deleted", { key });
    return deleted;
  }

  /** Whoever wants a session that goes back to what its log holds waits until it has. */
  async #recovered(key: SessionKey): Promise<void> {
    await this.#sessions.get(nameOf(key))?.recovering;
  }

  /** Whoever wants a session that is being deleted waits until it is gone. */
  async #deleted(key: SessionKey): Promise<void> {
    await this.#deleting.get(nameOf(key))?.catch(() => undefined);
  }

  /** Whoever comes meanwhile gets the same session. */
  #opened(key: SessionKey, open: () => Promise<Session>): Promise<Session> {
    const name = nameOf(key);
    this.#count(key);
    const opening = open()
      .catch((error: unknown) => {
        this.#uncount(key);
        throw error;
      })
      .finally(() => this.#opening.delete(name));
    this.#opening.set(name, opening);
    return opening;
  }

  async #load(key: SessionKey): Promise<Session> {
    const claimed = await this.store.ownership.claim(key).catch((error) => {
      throw toSessionError(error, key);
    });
    if (claimed.repaired) {
      this.#options.onWarning("the end of a session's log was damaged and was repaired", {
        sessionId: key.sessionId,
        ...claimed.repaired,
      });
    }
    const session = this.#make(claimed.lease);
    try {
      const state = claimed.checkpoint ? parseSessionState(claimed.checkpoint.state) : undefined;
      const checkpoint =
        state && claimed.checkpoint ? { cursor: claimed.checkpoint.cursor, state } : undefined;
      const loaded = await loadState(this.log, key, { end: claimed.end, checkpoint });
      session.begin(loaded.state, loaded.end, loaded.checkpointed, loaded.charactersSince);
      closeCutOffToolCalls(session);
      await removeStraySummaries(session).catch((error) =>
        this.#options.onWarning("files of summaries that belong to nobody could not be removed", {
          sessionId: session.id,
          error,
        }),
      );
    } catch (error) {
      await this.store.ownership.release(claimed.lease);
      throw error;
    }
    // A write may have failed meanwhile, and the lease may be lost.
    await session.recovering;
    if (this.#ended.has(session)) throw sessionNotFound(key);
    this.#sessions.set(nameOf(key), session);
    this.#options.announcements.announce("session-opened", { key });
    return session;
  }

  #make(lease: Lease): Session {
    return new Session({
      store: this.store,
      lease,
      confinement: this.#options.confinementOf(lease.tenant),
      questionDeadlineMs: this.#options.questionDeadlineMs,
      onBroken: (session, error) => this.#writeFailed(session, error),
      onMend: this.#options.onMend,
      onSignal: this.#options.onSignal,
      announcements: this.#options.announcements,
      onStored: this.#options.onStored,
    });
  }

  /** A disk may have room again: the session stays, and goes on from what is committed. A session that lost the lease goes. */
  #writeFailed(session: Session, error: unknown): void {
    if (isLost(error)) return this.#giveUp(session, error);
    this.#options.onFrequentWarning("a session's log could not be written", { sessionId: session.id, error });
    this.#announceFailure(session, "store", error);
    if (session.closing) return;
    session.closing = true;
    this.#tellFailed(
      session,
      `the session's log could not be written: ${textOf(error)}. Nothing that was acknowledged is lost; try again when the log can be written.`,
    );
    const recovering = this.#recover(session).finally(() => {
      // Meanwhile it may have been lost for good.
      if (!this.#ended.has(session)) session.closing = false;
      session.recovering = undefined;
    });
    session.recovering = recovering;
    session.closed = recovering;
    if (!session.awake || session.state.queue.length === 0) return;
    this.#waitForStore.add(session);
    if (this.#waitForStore.size === 1) void this.#goOnLater();
  }

  /** The prompts in queues were acknowledged: they are begun when the store takes writes again, and wait for no other prompt. */
  async #goOnLater(): Promise<void> {
    for (let waitMs = FIRST_CHECK_MS; ; waitMs = Math.min(2 * waitMs, LAST_CHECK_MS)) {
      await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
      if (this.#stopping) return;
      const takesWrites = await this.store.check().then(
        () => true,
        () => false,
      );
      if (takesWrites) break;
    }
    const waiting = [...this.#waitForStore];
    this.#waitForStore.clear();
    for (const session of waiting) {
      await session.recovering;
      const isOpen = this.#sessions.get(nameOf(session.key)) === session && !session.closing;
      if (isOpen && session.run === undefined) session.signal("prompt-waits");
    }
  }

  /** Ends what runs, and forgets what was not written. */
  async #recover(session: Session): Promise<void> {
    session.questions.cancelAll("the session's log could not be written");
    await Promise.allSettled([suspendWork(session), activeAgents.of(session)?.cancelAll()]);
    await session.forgetUnwritten();
  }

  #lost(lease: Lease, why: StoreError): void {
    const session = this.#sessions.get(nameOf(lease));
    if (session?.lease.generation === lease.generation) this.#giveUp(session, why);
  }

  /** The session is not ours any more. Clients are told; the next resume takes it anew, if there is one. */
  #giveUp(session: Session, error: unknown): void {
    if (session.closing && session.recovering === undefined) return;
    this.#options.onWarning("a session was deleted or taken over from outside; it was closed here", {
      sessionId: session.id,
      error,
    });
    this.#announceFailure(session, "lost", error);
    session.breakOff(error);
    this.#tellFailed(
      session,
      `the session was deleted or taken over from outside, and was closed here: ${textOf(error)}. Resume it to go on from what was committed.`,
    );
    void this.#end(session, { how: "lost" });
  }

  #announceFailure({ key }: Session, what: "store" | "lost", error: unknown): void {
    this.#options.announcements.announce("failure", { key, what, error });
  }

  #tellFailed(session: Session, message: string): void {
    const of = session.run ? { originatingMessageId: session.run.messageId } : {};
    session.emit("session.error", { errorType: "storage", message, ...of });
    session.emit("session.idle", { aborted: true });
  }

  /**
   * Another process asks for a session of ours: idle ones go, and ones that wait for clients that are not
   * here any more; busy ones stay.
   */
  async #handOver(key: SessionKey): Promise<boolean> {
    const session = this.#sessions.get(nameOf(key));
    if (!session) return true;
    await session.recovering;
    if (session.busy && waitsForClients(session))
      for (const link of await silentClients(session)) this.detach(session, link, "lost");
    if (session.closing) {
      await session.closed;
      return true;
    }
    const abandoned = !hasParticipants(session.attachments) && waitsForClients(session);
    if (session.busy && !abandoned) return false;
    await session.wake();
    await this.#end(session, { how: "handed-over" });
    return true;
  }

  #forget(session: Session): void {
    this.#ended.add(session);
    if (this.#sessions.get(nameOf(session.key)) === session) {
      this.#sessions.delete(nameOf(session.key));
      this.#uncount(session.key);
    }
    session.attachments.clear();
  }

  #count({ tenant }: SessionKey): void {
    const open = this.#openOf.get(tenant) ?? 0;
    this.#options.admit(tenant, open);
    this.#openOf.set(tenant, open + 1);
  }

  #uncount({ tenant }: SessionKey): void {
    const left = (this.#openOf.get(tenant) ?? 0) - 1;
    if (left > 0) this.#openOf.set(tenant, left);
    else this.#openOf.delete(tenant);
  }

  #touch(session: Session): void {
    session.lastUsedMs = performance.now();
    const name = nameOf(session.key);
    if (this.#sessions.delete(name)) this.#sessions.set(name, session);
  }

  #sleptBadly(session: Session, error: unknown): void {
    if (isLost(error)) this.#giveUp(session, error);
    else
      this.#options.onFrequentWarning("a session sleeps without a checkpoint, which could not be written", {
        sessionId: session.id,
        error,
      });
  }

  /** Puts quiet sessions to sleep and lets unused ones go; looks only at the front of the table. */
  #sweep(): void {
    const now = performance.now();
    const { hibernateAfterMs } = this.#options;
    for (const session of this.#sessions.values()) {
      const idleMs = now - session.lastUsedMs;
      if (idleMs < Math.min(hibernateAfterMs, SHORTEST_IDLE_MS)) break;
      const idleTimeoutMs = this.#options.idleTimeoutMs(session.key.tenant);
      if (session.closing || session.busy) continue;
      if (session.attachments.size === 0 && idleMs >= ORPHAN_GRACE_MS) void this.close(session);
      else if (idleTimeoutMs !== undefined && idleMs >= idleTimeoutMs)
        void this.close(session, { reason: "timeout" });
      else if (idleMs >= hibernateAfterMs && session.awake) {
        session
          .sleep()
          .then(() => this.#options.onDebug("a session fell asleep", { sessionId: session.id }))
          .catch((error) => this.#sleptBadly(session, error));
      }
    }
  }
}

/** Whether the store says that the session is not held any more, which does not pass. */
function isLost(error: unknown): boolean {
  return error instanceof StoreError && (error.kind === "conflict" || error.kind === "not-found");
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function newSessionId(): string {
  return randomUUID();
}

function emptyStateAt(summary: SessionSummary) {
  const state = createSessionState();
  state.startTime = summary.startTime;
  return state;
}

function nameOf(key: SessionKey): string {
  return `${key.tenant}\u0000${key.sessionId}`;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
