/**
 * About how much memory a value takes that came as JSON: small values take many times what they took on the wire.
 * Goes into objects, arrays and maps; what it meets twice counts once.
 */
const OBJECT_BYTES = 56;
const SLOT_BYTES = 16;
const TEXT_BYTES = 24;

export function heapBytesOf(value: unknown): number {
  const seen = new Set<object>();
  const waiting: unknown[] = [value];
  let bytes = 0;
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === "string") bytes += TEXT_BYTES + next.length;
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    seen.add(next);
    const parts = next instanceof Map ? [...next.values()] : Object.values(next);
    bytes += OBJECT_BYTES + SLOT_BYTES * parts.length;
    for (const part of parts) waiting.push(part);
  }
  return bytes;
}
