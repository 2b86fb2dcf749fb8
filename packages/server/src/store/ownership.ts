/**
 * Which node a session belongs to. One node at a time holds a session's lease, and only its holder writes. A store
 * renews the leases of its node itself as long as it is open, and calls `onLost` for a lease that it could not keep.
 */
import type { SessionSummary } from "./catalogue.ts";
import type { Checkpoint } from "./event-log.ts";
import type { Lease, SessionKey } from "./session-key.ts";
import type { StoreError } from "./store-error.ts";

/** The repair that `claim` made, for the log: bytes of a torn or NUL-filled tail that were set aside. */
export interface RepairReport {
  readonly droppedBytes: number;
  readonly reason: "torn-line" | "nul-bytes" | "invalid-json";
}

/** A session that now belongs to this node, with the end of its log and its checkpoint. */
export interface Claimed {
  readonly lease: Lease;
  /** The cursor behind the last committed line. */
  readonly end: number;
  readonly checkpoint?: Checkpoint;
  readonly repaired?: RepairReport;
}

/** A node, as others find it. */
export interface Owner {
  /** Names the node; a new one at every start. */
  readonly node: string;
  /** The address at which another node asks it for a session. Opaque to all but the store and its nodes. */
  readonly address: string;
  /** Whether it is this node. */
  readonly isHere: boolean;
}

/** Resolves true after the session was released, false to keep it. */
export type HandoverDecision = (key: SessionKey) => Promise<boolean>;

export interface Ownership {
  /**
   * Makes an empty session and takes its lease (generation 1).
   * @throws StoreError `conflict` if the session exists already.
   */
  create(key: SessionKey, summary: SessionSummary): Promise<Lease>;

  /**
   * Takes the lease of an existing session, repairing a torn tail of its log first. An owner that is alive and idle
   * is asked to hand over (see `onHandover`); one that is busy keeps it.
   * @throws StoreError `not-found`, or `conflict` if a living owner keeps it.
   */
  claim(key: SessionKey): Promise<Claimed>;

  /**
   * Whether this node may act for the session at this moment. Cheap and synchronous: it is asked before an effect
   * outside of the log, where a late refusal of the log would not help.
   */
  holds(lease: Lease): boolean;

  /** The living node that holds the session, or held it last; undefined when there is none, and anybody may claim it. */
  ownerOf(key: SessionKey): Promise<Owner | undefined>;

  /** Gives the lease back. A second call is harmless. Pending appends finish first, and changed files are stored. */
  release(lease: Lease): Promise<void>;

  /**
   * Deletes a session and everything that is stored of it, whoever holds it here; false when there was none.
   * @throws StoreError `conflict` if another living owner keeps it.
   */
  delete(key: SessionKey): Promise<boolean>;

  /** Sets the function that decides when another node asks for a session of this node. Without one, sessions are kept. */
  onHandover(decide: HandoverDecision): void;

  /**
   * Sets the function that is told of a lease that is gone and was not given back: the session has another owner, or was
   * deleted. A call that found it out is answered first.
   */
  onLost(told: (lease: Lease, why: StoreError) => void): void;
}
