/** How a client is told which of its options have no effect. */
import type { ClientLink } from "../members/client-link.ts";
import type { Session } from "./session.ts";

/** Tells one client, by an ephemeral `session.warning`, which of its options have no effect, and why. */
export function warnOfFields(session: Session, link: ClientLink, unheard: readonly string[]): void {
  if (unheard.length === 0) return;
  session.emit(
    "session.warning",
    { warningType: "unsupported_options", message: `Without effect here: ${unheard.join("; ")}.` },
    link,
  );
}
