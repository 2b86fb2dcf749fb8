/** Methods of one session: prompts, history, its model. */
import { randomUUID } from "node:crypto";
import { RawResult, type SessionEventDataMap, type SessionEventType } from "@rightseat/protocol";
import type { ParamsOf } from "../rpc/method-types.ts";
import { readHistory } from "../session/abilities/context/history.ts";
import { usageMetrics } from "../session/abilities/context/session-report.ts";
import type { PublishedEvent } from "../session/log/published-event.ts";
import { checkFields } from "../session/members/field-rules.ts";
import { SEND_FIELDS, SEND_MESSAGES_FIELDS } from "../session/members/prompt-fields.ts";
import { announceChange, modelOfProvider, switchModel } from "../session/open/change-session.ts";
import { registerInterest, releaseInterest } from "../session/open/clients.ts";
import { readEventLog, tailCursor } from "../session/open/read-event-log.ts";
import type { Session } from "../session/open/session.ts";
import { tellHeld } from "../session/open/told-at-joining.ts";
import { warnOfFields } from "../session/open/warn-of-fields.ts";
import { acceptPrompt, isDealtWith, wasTaken } from "../session/runs/accept-prompt.ts";
import { promptEndInLog } from "../session/runs/prompt-end-in-log.ts";
import type { PromptInput } from "../session/runs/prompt-input.ts";
import { waitForPrompt } from "../session/runs/prompt-wait.ts";
import { interruptTurn, stopSession } from "../session/runs/stop-run.ts";
import { type Methods, type Scope, withSession } from "./method.ts";
import type { Services } from "./services.ts";

export function sessionMethods(services: Services) {
  const ofSession = withSession(services);
  /**
   * Not once the client has given it up.
   * @param tell called once it is sure that the prompt is taken, and has not been before.
   */
  const take = async (session: Session, params: PromptInput, scope: Scope, tell: () => void) => {
    const { bytes, link, signal } = scope;
    if (!wasTaken(session, params)) {
      await services.governor.admitPrompt(session.key.tenant, { bytes });
      signal.throwIfAborted();
      // The same prompt may have come over another connection meanwhile.
      if (!wasTaken(session, params)) {
        tellHeld(session, link);
        tell();
        return acceptPrompt(services.runs, session, params);
      }
    }
    await session.committed();
    return params.messageId as string;
  };
  return {
    "session.send": ofSession(async (session, params, scope) => {
      const unheard = checkFields("session.send", params, SEND_FIELDS);
      const tell = () => warnOfFields(session, scope.link, unheard);
      return { messageId: await take(session, params, scope, tell) };
    }),
    "session.sendAndWait": ofSession(async (session, params, scope) => {
      const prompt = { ...params, messageId: params.messageId ?? randomUUID() };
      const unheard = checkFields("session.sendAndWait", params, SEND_FIELDS);
      if (isDealtWith(session, prompt))
        return promptEndInLog(services.registry.log, session, prompt.messageId);
      const { link, signal } = scope;
      const waiting = waitForPrompt(session, { messageId: prompt.messageId, link, signal });
      const tell = () => warnOfFields(session, link, unheard);
      const taking = take(session, prompt, scope, tell);
      taking.catch(waiting.refused);
      await Promise.race([taking, waiting.end]);
      waiting.taken();
      return waiting.end;
    }),
    "session.sendMessages": ofSession(async (session, params, scope) => {
      const unheard = checkFields("session.sendMessages", params, SEND_MESSAGES_FIELDS);
      const { messages, ...shared } = params;
      tellHeld(session, scope.link);
      warnOfFields(session, scope.link, unheard);
      const ids = messages.map((message) =>
        acceptPrompt(services.runs, session, { ...shared, ...message, messageId: undefined }),
      );
      return { messageIds: await Promise.all(ids) };
    }),
    "session.abort": ofSession(async (session, params) => {
      await stopSession(session, params.reason);
      return { success: true };
    }),
    "session.interruptMainTurn": ofSession(async (session, params) => ({
      interrupted: await interruptTurn(session, params.flushQueued === true),
    })),
    "session.getMessages": ofSession((session) => readHistory(services.registry.log, session)),
    "session.log": ofSession(async (session, params) => {
      const { event } = logNote(session, params);
      await session.committed();
      return { eventId: event.id };
    }),
    "session.eventLog.read": ofSession(
      async (session, params, scope) =>
        new RawResult(await readEventLog(services.registry.log, session, params, scope.signal)),
    ),
    "session.eventLog.tail": ofSession(async (session) => ({ cursor: await tailCursor(session) })),
    "session.eventLog.registerInterest": ofSession((session, params, scope) => ({
      handle: registerInterest(session, scope.link, params.eventType),
    })),
    "session.eventLog.releaseInterest": ofSession((session, params) => {
      releaseInterest(session, params.handle);
      return { success: true };
    }),
    "session.usage.getMetrics": ofSession((session) => usageMetrics(session)),
    "session.model.getCurrent": ofSession(({ settings }) => ({
      modelId: settings.model,
      reasoningEffort: settings.reasoningEffort,
    })),
    "session.model.switchTo": ofSession(async (session, params) => {
      const modelId = modelOfProvider(session, params);
      await switchModel(services.join, session, { ...params, modelId });
      announceChange(session);
      await session.committed();
      return { modelId };
    }),
  } satisfies Methods;
}

function logNote(session: Session, params: ParamsOf<"session.log">): PublishedEvent {
  const { message, type: kind = "notification", level, ephemeral, url, tip } = params;
  const tell = <T extends SessionEventType>(type: T, data: SessionEventDataMap[T]) =>
    ephemeral ? session.emit(type, data) : session.append(type, data);
  const note = { message, ...(url !== undefined ? { url } : {}) };
  if (level === "warning") return tell("session.warning", { warningType: kind, ...note });
  if (level === "error") return tell("session.error", { errorType: kind, ...note });
  return tell("session.info", { infoType: kind, ...note, ...(tip !== undefined ? { tip } : {}) });
}
