/** What the clients of a session can do together, and telling them when that changes. */
import { randomUUID } from "node:crypto";
import type { ClientLink } from "../members/client-link.ts";
import type { Attachment, ClientCommand } from "../members/session-settings.ts";
import type { Session } from "./session.ts";

export interface ClientFacts {
  /** Whether one of them can show a form. */
  readonly elicitation: boolean;
  /** The commands of all, each name once. */
  readonly commands: readonly ClientCommand[];
  /** The names of the tools that they bring; undefined while there are no clients. */
  readonly tools: readonly string[] | undefined;
}

export function clientFacts(session: Session): ClientFacts {
  let commands: Map<string, ClientCommand> | undefined;
  for (const attachment of session.attachments.values()) {
    for (const command of attachment.commands ?? []) {
      commands ??= new Map();
      const name = command.name.toLowerCase();
      if (!commands.has(name)) commands.set(name, command);
    }
  }
  return {
    elicitation: someClient(session, (attachment) => attachment.answersElicitation),
    commands: commands ? [...commands.values()] : [],
    tools: toolNames(session),
  };
}

function toolNames({ attachments }: Session): readonly string[] | undefined {
  if (attachments.size === 0) return undefined;
  const names = new Set<string>();
  for (const { tools } of attachments.values()) for (const name of tools.keys()) names.add(name);
  return [...names].sort();
}

/** A client came or went: the others are told what that changed, and open questions may move. */
export function clientsChanged(session: Session, before: ClientFacts): void {
  session.questions.clientsChanged();
  if (session.attachments.size === 0) return;
  const now = clientFacts(session);
  if (now.elicitation !== before.elicitation)
    session.emit("capabilities.changed", { ui: { elicitation: now.elicitation } });
  if (JSON.stringify(now.commands) !== JSON.stringify(before.commands))
    session.emit("commands.changed", { commands: [...now.commands] });
  const model = session.settings.model ?? Object.keys(session.state.usageByModel).at(-1);
  if (model !== undefined && before.tools && JSON.stringify(now.tools) !== JSON.stringify(before.tools))
    session.emit("session.tools_updated", { model });
}

export function someClient(session: Session, test: (attachment: Attachment) => boolean): boolean {
  for (const attachment of session.attachments.values()) if (test(attachment)) return true;
  return false;
}

/** Whether the client said that it acts on events of this type (`session.eventLog.registerInterest`). */
export function watches(attachment: Attachment, eventType: string): boolean {
  for (const interest of attachment.interests?.values() ?? []) if (interest === eventType) return true;
  return false;
}

/** Whether a client is attached that would be asked, or that acts on the event. */
export function canAsk(
  session: Session,
  eventType: string,
  canAnswer: (attachment: Attachment) => boolean,
): boolean {
  return someClient(session, (attachment) => canAnswer(attachment) || watches(attachment, eventType));
}

/** Kept for as long as the client is attached; a handle of its own each time. */
export function registerInterest(session: Session, link: ClientLink, eventType: string): string {
  const handle = `interest-${randomUUID()}`;
  const attachment = session.attachments.get(link);
  if (attachment) (attachment.interests ??= new Map()).set(handle, eventType);
  return handle;
}

/** Whether the client shows permission questions to somebody, whatever it said when it came. */
export function setWatchesPermissions(session: Session, link: ClientLink, watches: boolean): void {
  const attachment = session.attachments.get(link);
  if (watches && attachment) (attachment.interests ??= new Map()).set(REQUIRED, "permission.requested");
  else attachment?.interests?.delete(REQUIRED);
}

/** The one handle that is not given to anybody. */
const REQUIRED = "permissions-required";

/** False when there is no such handle (any more). */
export function releaseInterest(session: Session, handle: string): boolean {
  for (const attachment of session.attachments.values())
    if (attachment.interests?.delete(handle)) return true;
  return false;
}
