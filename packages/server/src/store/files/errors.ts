import { StoreError } from "../store-error.ts";

/** Told about what was mended or skipped; a constant message with the variables as fields. */
export type StoreLog = (message: string, fields: Record<string, unknown>) => void;

/** The system's code (`ENOENT`, …) of an unknown error, if it has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** True when a path, or a directory on the way to it, does not exist. */
export function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** True when the disk, or what the user may have of it, is full. */
export function isOutOfSpace(error: unknown): boolean {
  const code = errorCode(error);
  return code !== undefined && code in OUT_OF_SPACE;
}

const OUT_OF_SPACE: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the disk",
  EDQUOT: "the user's share of the disk is used up",
  EFBIG: "a file may not become so large",
};

const WORDS: Readonly<Record<string, string>> = {
  ...OUT_OF_SPACE,
  EACCES: "permission denied",
  EROFS: "the file system is read-only",
  EIO: "the disk reports an error",
};

/** Passes a StoreError on; anything else becomes `unavailable`, saying what was being done. */
export function toStoreError(error: unknown, doing: string): StoreError {
  if (error instanceof StoreError) return error;
  const code = errorCode(error);
  const words = code === undefined ? undefined : WORDS[code];
  const why = words === undefined ? (code ?? "unexpected error") : `${code} (${words})`;
  return new StoreError("unavailable", `could not ${doing}: ${why}`, { cause: error });
}
