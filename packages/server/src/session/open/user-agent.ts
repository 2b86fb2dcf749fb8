/** How a session is named to model providers. */
import type { Session } from "./session.ts";

/** The application, where it has a name, then this program; both are put into a header. */
export function userAgentOf(product: string, session: Session): string {
  const { clientName } = session.settings;
  return clientName === undefined ? product : `${clientName.replace(/[^\x20-\x7e]/g, "-")} ${product}`;
}
