/** Texts that clients keep with a session, by key. The server never looks into them. */
import { RpcError } from "@rightseat/protocol";

export type ClientMetadata = Readonly<Record<string, string>>;

/** Applied in this order: clear, remove, set. */
export interface ClientMetadataPatch {
  readonly clear?: boolean;
  readonly remove?: readonly string[];
  readonly set?: ClientMetadata;
}

/** The bounds are those of the published schema's description. */
const MAX_KEY_BYTES = 256;
const MAX_VALUE_BYTES = 16 * 1024;
const MAX_ENTRIES = 128;
const MAX_TOTAL_BYTES = 64 * 1024;
const RESERVED = /^(?:copilot|github)\//;

/** @throws RpcError `invalid_params` when a key, a value or the whole breaks its bounds. */
export function checkMetadataPatch(metadata: ClientMetadata, patch: ClientMetadataPatch): void {
  for (const key of [...(patch.remove ?? []), ...Object.keys(patch.set ?? {})]) {
    const bytes = Buffer.byteLength(key);
    if (bytes === 0 || bytes > MAX_KEY_BYTES)
      throw refusal(`expected keys of 1 to ${MAX_KEY_BYTES} bytes, got one of ${bytes}`);
    if (RESERVED.test(key))
      throw refusal(`the key '${key}' is in a namespace kept for GitHub; choose another prefix`);
  }
  for (const [key, value] of Object.entries(patch.set ?? {})) {
    const bytes = Buffer.byteLength(value);
    if (bytes > MAX_VALUE_BYTES)
      throw refusal(`expected values of at most ${MAX_VALUE_BYTES} bytes, got ${bytes} for '${key}'`);
  }
  const patched = patchMetadata(metadata, patch);
  const entries = Object.keys(patched).length;
  if (entries > MAX_ENTRIES) throw refusal(`expected at most ${MAX_ENTRIES} entries, got ${entries}`);
  const total = Buffer.byteLength(JSON.stringify(patched));
  if (total > MAX_TOTAL_BYTES)
    throw refusal(`expected at most ${MAX_TOTAL_BYTES} bytes in all, got ${total}`);
}

export function patchMetadata(metadata: ClientMetadata, patch: ClientMetadataPatch): ClientMetadata {
  const entries = new Map(patch.clear === true ? [] : Object.entries(metadata));
  for (const key of patch.remove ?? []) entries.delete(key);
  for (const [key, value] of Object.entries(patch.set ?? {})) entries.set(key, value);
  return Object.fromEntries(entries);
}

function refusal(why: string): RpcError {
  return new RpcError("invalid_params", `the session's client metadata: ${why}`, { path: "set" });
}
