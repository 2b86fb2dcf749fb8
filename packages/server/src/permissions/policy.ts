/** What a session's clients have allowed and denied; plain data, kept in its log. */
import type { PermissionMode, PermissionRule } from "@rightseat/protocol";

export interface PermissionPolicy {
  /** `allow-all` asks nothing at all. Default `manual`. */
  readonly mode?: PermissionMode;
  readonly approved?: readonly PermissionRule[];
  readonly denied?: readonly PermissionRule[];
  /** All that tools ask is allowed, but for paths outside of the allowed directories. */
  readonly approveAllTools?: boolean;
  /** All reads are allowed, of any path and any URL. */
  readonly approveAllReads?: boolean;
  readonly paths?: PathPolicy;
  /** Instead of the session's working directory. Absolute. */
  readonly primaryDirectory?: string;
  /** Paths that were allowed when they were asked for, with what is below them. */
  readonly approvedPaths?: readonly ApprovedPath[];
  readonly urls?: UrlPolicy;
  /** Whose kept approvals count here, when it is not the place of the working directory. Null: nobody's. */
  readonly locationKey?: string | null;
}

export interface ApprovedPath {
  /** The kind of question that it answers. */
  readonly kind: string;
  /** Canonical. */
  readonly path: string;
}

export interface PathPolicy {
  readonly unrestricted: boolean;
  readonly includeTempDirectory: boolean;
  /** Absolute; they need not exist. */
  readonly directories: readonly string[];
}

export interface UrlPolicy {
  readonly unrestricted: boolean;
  /** As in `url-pattern.ts`. */
  readonly allowed: readonly string[];
}

/** Rules of one session; more are refused, since each question is compared with all of them. */
export const MAX_RULES = 1000;
