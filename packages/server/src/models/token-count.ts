/** A count of tokens as a provider sent it: some send texts, fractions or less than nothing, which is none. */
export function toTokenCount(value: unknown): number | undefined {
  if (typeof value !== "number" && (typeof value !== "string" || value === "")) return undefined;
  const count = Math.trunc(Number(value));
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}
