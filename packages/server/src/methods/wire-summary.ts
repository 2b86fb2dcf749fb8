/** What the list of sessions shows of one, as the wire has it. */
import { toJson } from "@rightseat/protocol";
import type { SessionSummary } from "../store/catalogue.ts";

export function toWireSummary(summary: SessionSummary) {
  return { isRemote: false, ...summary };
}

/** A summary is replaced as a whole when it changes: its text is good for as long as it lives. */
const texts = new WeakMap<SessionSummary, string>();

/** The same as JSON. Kept: lists are long, and most of them is as it was the last time. */
export function toWireSummaryJson(summary: SessionSummary): string {
  const known = texts.get(summary);
  if (known !== undefined) return known;
  const json = toJson(toWireSummary(summary));
  texts.set(summary, json);
  return json;
}
