/**
 * What only a newcomer is told: which of its options have no effect, and the questions that wait already. SDKs
 * call handlers while `session.create` or `session.resume` is still unanswered, and applications listen after it:
 * it is held until its first prompt, or for a moment behind the answer.
 */
import type { ClientLink } from "../members/client-link.ts";
import type { Question, QuestionKind } from "../members/questions.ts";
import type { Attachment } from "../members/session-settings.ts";
import { watches } from "./clients.ts";
import type { Session } from "./session.ts";

/** SDKs call the session once or twice before they hand it to the application. */
const HELD_MS = 100;

/** @param tell not called when the client has gone. Must not throw. */
export function tellAtJoining(session: Session, link: ClientLink, tell: () => void): void {
  const attachment = session.attachments.get(link);
  if (!attachment) return;
  if (attachment.held === undefined) {
    attachment.held = [];
    setTimeout(() => tellHeld(session, link), HELD_MS).unref();
  }
  attachment.held.push(tell);
}

/** The client listens by now: it is told what is held for it. */
export function tellHeld(session: Session, link: ClientLink): void {
  const attachment = session.attachments.get(link);
  const { held } = attachment ?? {};
  if (!attachment || !held) return;
  attachment.held = undefined;
  for (const tell of held) tell();
}

/**
 * Questions that wait are shown to the newcomer. One that another client is asked is shown only where the newcomer
 * asks for pending work, and a tool call not even then: it would be carried out twice. What is not shown now is
 * shown when that other client goes.
 */
export function showOpenQuestions(
  session: Session,
  newcomer: Attachment,
  how: { readonly wasActive: boolean; readonly continuePendingWork: boolean },
): void {
  for (const question of session.questions.list()) {
    const { kind, concerns, event } = question;
    if (concerns && !concerns(newcomer)) continue;
    // Not in the log yet: the newcomer is told it in its turn, like everybody.
    if (session.willTell(event)) continue;
    const wanted = how.continuePendingWork && kind !== "external-tool";
    if (how.wasActive && !wanted && othersAnswer(session, newcomer, question))
      (newcomer.unshown ??= new Set()).add(question.requestId);
    else show(session, newcomer, question);
  }
}

/** A client went: what it was asked is shown to those who were not. */
export function showUnshownQuestions(session: Session): void {
  for (const attachment of session.attachments.values()) {
    const { unshown } = attachment;
    if (!unshown) continue;
    for (const question of session.questions.list()) {
      if (!unshown.has(question.requestId) || othersAnswer(session, attachment, question)) continue;
      unshown.delete(question.requestId);
      show(session, attachment, question);
    }
  }
}

function show(session: Session, { link }: Attachment, question: Question): void {
  // The client is asked by a request of its own, which may come before the answer: its event goes before that.
  if (!(question.kind in CAN_ANSWER)) link.publish(question.event);
  else
    tellAtJoining(session, link, () => {
      if (session.questions.isOpen(question)) link.publish(question.event);
    });
}

const CAN_ANSWER: Partial<Record<QuestionKind, (attachment: Attachment, question: Question) => boolean>> = {
  permission: (attachment) => attachment.answersPermissions,
  elicitation: (attachment) => attachment.answersElicitation,
  "external-tool": (attachment, { toolName }) => toolName !== undefined && attachment.tools.has(toolName),
};

function othersAnswer(session: Session, newcomer: Attachment, question: Question): boolean {
  const canAnswer = CAN_ANSWER[question.kind];
  if (!canAnswer) return false;
  for (const other of session.attachments.values()) {
    // Those who were not shown it either cannot answer it.
    if (other === newcomer || other.observer || other.unshown?.has(question.requestId)) continue;
    if (canAnswer(other, question) || watches(other, question.event.event.type)) return true;
  }
  return false;
}
