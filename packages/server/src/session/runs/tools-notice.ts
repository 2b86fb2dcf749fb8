/**
 * Clients' tools come and go with them. A model that has called a tool would call it again: it is told
 * with the next prompt that one has gone, and when it is back.
 */

import { isChosen } from "../abilities/tools/tool-filter.ts";
import { awaitedTools } from "../open/lost-clients.ts";
import type { Session } from "../open/session.ts";

/** The notice that goes before the next prompt, if there is anything to tell; what was told is kept. */
export function noticeOfTools(session: Session): string | undefined {
  const { offered = [], gone = [] } = session.state.clientTools ?? {};
  const now = namesOf(session);
  if (isSame(offered, now)) return undefined;
  const isThere = new Set(now);
  const lost = offered.filter((name) => !isThere.has(name));
  const back = gone.filter((name) => isThere.has(name));
  const wasGone = gone.filter((name) => !isThere.has(name));
  session.record("rightseat.client_tools", { offered: now, gone: [...wasGone, ...lost] });
  if (lost.length === 0 && back.length === 0) return undefined;
  return render(lost, back);
}

function render(lost: readonly string[], back: readonly string[]): string {
  const lines = [
    ...(back.length > 0 ? [`These tools are back and can be called: ${back.join(", ")}.`] : []),
    ...(lost.length > 0
      ? [
          `These tools have gone: ${lost.join(", ")}. Calls to them fail; wait until you are told that they are back.`,
        ]
      : []),
  ];
  return `<tool_changes>\n${lines.join("\n")}\n</tool_changes>`;
}

function namesOf(session: Session): string[] {
  const names = new Set<string>();
  for (const attachment of session.attachments.values())
    for (const name of attachment.tools.keys())
      if (isChosen(session, { name, source: "custom" })) names.add(name);
  // A client that is away for a moment has not gone.
  for (const { name } of awaitedTools(session))
    if (isChosen(session, { name, source: "custom" })) names.add(name);
  return [...names];
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name) => other.includes(name));
}
