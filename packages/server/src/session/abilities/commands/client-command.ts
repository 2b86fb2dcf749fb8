/** A slash command that a client carries out: told by an event to the one that declared it, answered by a call. */
import { randomUUID } from "node:crypto";
import type { ClientLink } from "../../members/client-link.ts";
import type { Attachment } from "../../members/session-settings.ts";
import type { Session } from "../../open/session.ts";

export interface CommandEnding {
  /** What went wrong, for a person; absent when it was carried out. */
  readonly error?: string;
}

export function isClientCommand(session: Session, name: string): boolean {
  return nextClient(session, name) !== undefined;
}

/**
 * Resolves always. When the client that was told goes, the next one that declares the command is told;
 * without one, it waits for one to come.
 * @param args as they were written, behind the name.
 */
export async function runClientCommand(
  session: Session,
  name: string,
  args: string,
  signal: AbortSignal,
): Promise<CommandEnding> {
  const first = nextClient(session, name);
  if (!first) return { error: `No client found for command: ${name}` };
  const requestId = randomUUID();
  const command = args === "" ? `/${name}` : `/${name} ${args}`;
  // Only one client is told: it would be carried out twice, and clients without it answer with an error.
  let told: ClientLink | undefined = first;
  const data = { requestId, command, commandName: name, args };
  const event = session.emit("command.execute", data, first);
  const moveOn = () => {
    if (told && session.attachments.has(told)) return;
    told = nextClient(session, name);
    told?.publish(event);
  };
  const outcome = await session.questions.ask<CommandEnding>(
    { requestId, kind: "command", event, concerns: () => false, onClientsChanged: moveOn },
    signal,
  );
  session.emit("command.completed", { requestId });
  if (outcome.kind === "answered") return outcome.answer;
  if (outcome.kind === "failed") return { error: `the answer to /${name} did not arrive: ${outcome.reason}` };
  return {
    error: outcome.kind === "cancelled" ? `/${name} was cancelled` : `no client carried out /${name} in time`,
  };
}

function nextClient(session: Session, name: string): ClientLink | undefined {
  for (const attachment of session.attachments.values())
    if (declares(attachment, name)) return attachment.link;
  return undefined;
}

function declares(attachment: Attachment, name: string): boolean {
  const wanted = name.toLowerCase();
  return attachment.commands?.some((command) => command.name.toLowerCase() === wanted) ?? false;
}
