/** What a session's built-in tools ask of, and tell, the people behind its clients. */
import { randomUUID } from "node:crypto";
import type { SessionEventDataMap } from "@rightseat/protocol";
import type { ToolContext } from "../../../tools/tool.ts";
import type {
  NoAnswer,
  PlanForReview,
  PlanVerdict,
  UserAnswer,
  UserChannel,
  UserQuestion,
} from "../../../tools/user-channel.ts";
import type { QuestionOutcome } from "../../members/questions.ts";
import type { Attachment } from "../../members/session-settings.ts";
import { canAsk } from "../../open/clients.ts";
import type { Session } from "../../open/session.ts";
import { setMode } from "../../open/session-mode.ts";
import { approveEdits } from "../permissions/permission-settings.ts";
import { keepPlan, readPlan } from "../workspace/session-plan.ts";
import { askClient, type ClientQuestion } from "./ask-client.ts";
import { readPlanVerdict, type WirePlanVerdict } from "./plan-verdict.ts";

const answersUserInput = (attachment: Attachment) => attachment.answersUserInput;
const answersExitPlanMode = (attachment: Attachment) => attachment.answersExitPlanMode;

/** Whether somebody is there to answer `ask_user`. */
export function canAskUser(session: Session): boolean {
  return canAsk(session, "user_input.requested", answersUserInput);
}

/** Whether somebody is there to approve a plan. */
export function canReviewPlans(session: Session): boolean {
  return canAsk(session, "exit_plan_mode.requested", answersExitPlanMode);
}

export function createUserChannel(session: Session): UserChannel {
  return {
    ask: (question, context) => askUser(session, question, context),
    reviewPlan: (plan, context) => reviewPlan(session, plan, context),
    tellIntent: (intent) => void session.emit("assistant.intent", { intent }),
    tellTaskComplete: (summary) => {
      if (session.run) session.run.taskComplete = true;
      session.append("session.task_complete", { summary, success: true });
    },
  };
}

interface WireAnswer {
  readonly answer: string;
  readonly wasFreeform: boolean;
}

async function askUser(session: Session, asked: UserQuestion, context: ToolContext): Promise<UserAnswer> {
  const { question, choices, allowFreeform } = asked;
  const params = { question, ...(choices?.length ? { choices: [...choices] } : {}), allowFreeform };
  const { requestId, outcome } = await put<WireAnswer>(session, context, {
    kind: "user-input",
    event: "user_input.requested",
    data: { ...params, toolCallId: context.toolCallId },
    method: "userInput.request",
    params,
    canAnswer: answersUserInput,
    read: (answer) => readUserAnswer(answer, choices),
  });
  const answered = outcome.kind === "answered" ? outcome.answer : undefined;
  session.emit("user_input.completed", { requestId, ...answered });
  return answered ? { kind: "answer", ...answered } : toNoAnswer(outcome, context);
}

function readUserAnswer(answer: unknown, choices: readonly string[] | undefined): WireAnswer | undefined {
  const { answer: text, wasFreeform } = (answer ?? {}) as Partial<WireAnswer>;
  if (typeof text !== "string") return undefined;
  return {
    answer: text,
    wasFreeform: typeof wasFreeform === "boolean" ? wasFreeform : !choices?.includes(text),
  };
}

async function reviewPlan(session: Session, plan: PlanForReview, context: ToolContext): Promise<PlanVerdict> {
  if (plan.plan !== undefined) await keepPlan(session, plan.plan);
  const params = {
    summary: plan.summary,
    planContent: plan.plan ?? (await readPlan(session)).content ?? "",
    actions: [...plan.actions],
    recommendedAction: plan.recommendedAction,
  };
  const { requestId, outcome } = await put<WirePlanVerdict>(session, context, {
    kind: "exit-plan-mode",
    event: "exit_plan_mode.requested",
    data: params,
    method: "exitPlanMode.request",
    params,
    canAnswer: answersExitPlanMode,
    read: readPlanVerdict,
  });
  if (outcome.kind !== "answered") {
    session.emit("exit_plan_mode.completed", { requestId });
    return toNoAnswer(outcome, context);
  }
  const { approved, selectedAction, autoApproveEdits, feedback, deferImplementation } = outcome.answer;
  session.emit("exit_plan_mode.completed", {
    requestId,
    approved,
    ...(selectedAction !== undefined ? { selectedAction } : {}),
    ...(autoApproveEdits !== undefined ? { autoApproveEdits } : {}),
    ...(feedback !== undefined ? { feedback } : {}),
  });
  if (!approved) return { kind: "rejected", ...(feedback?.trim() ? { feedback } : {}) };
  const action = selectedAction ?? (autoApproveEdits ? "autopilot" : "interactive");
  setMode(session, action === "autopilot" ? "autopilot" : "interactive");
  if (autoApproveEdits) approveEdits(session);
  return { kind: "approved", action, startsLater: deferImplementation === true };
}

interface Put<T> extends Pick<ClientQuestion<T>, "kind" | "method" | "params" | "canAnswer" | "read"> {
  readonly event: "user_input.requested" | "exit_plan_mode.requested";
  readonly data: object;
}

/** Puts the question of a tool call to the clients; under the same id when it was put before a restart. */
async function put<T>(
  session: Session,
  { toolCallId, signal }: ToolContext,
  { event, data, canAnswer, ...question }: Put<T>,
): Promise<{ requestId: string; outcome: QuestionOutcome<T> }> {
  const call = session.state.openToolCalls.find((open) => open.toolCallId === toolCallId);
  const requestId = call?.questionRequestId ?? randomUUID();
  if (call && !call.questionRequestId) {
    session.record("rightseat.question_asked", { toolCallId, requestId });
    // Nobody is asked what a crash would forget.
    await session.committed();
  }
  const asked = session.emit(event, { ...data, requestId } as SessionEventDataMap[typeof event]);
  const outcome = await askClient<T>(
    session,
    { ...question, canAnswer, requestId, toolCallId, event: asked },
    signal,
  );
  return { requestId, outcome };
}

function toNoAnswer(outcome: QuestionOutcome<unknown>, { signal }: ToolContext): NoAnswer {
  if (outcome.kind === "cancelled") throw signal.reason ?? new Error(outcome.reason);
  if (outcome.kind === "failed") return { kind: "none", code: "unavailable", reason: outcome.reason };
  return { kind: "none", code: "timeout", reason: "" };
}
