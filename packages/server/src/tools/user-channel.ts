/** The seam to the people behind a session: tools ask them, and tell them how far the work is. */
import type { ToolContext } from "./tool.ts";

export interface UserQuestion {
  readonly question: string;
  readonly choices?: readonly string[];
  /** Whether an answer may be other than the choices. */
  readonly allowFreeform: boolean;
}

/** Nobody answered: too late, or nobody who could. */
export interface NoAnswer {
  readonly kind: "none";
  readonly code: "timeout" | "unavailable";
  /** For the application's developer; not for the model. */
  readonly reason: string;
}

export type UserAnswer =
  | { readonly kind: "answer"; readonly answer: string; readonly wasFreeform: boolean }
  | NoAnswer;

/** What a person may choose to do with an approved plan. */
export const PLAN_ACTIONS = ["autopilot", "interactive", "exit_only"] as const;
export type PlanAction = (typeof PLAN_ACTIONS)[number];

export interface PlanForReview {
  readonly summary: string;
  /** The whole plan, to be kept; the one kept before when left out. */
  readonly plan?: string;
  readonly actions: readonly PlanAction[];
  readonly recommendedAction: PlanAction;
}

export type PlanVerdict =
  | {
      readonly kind: "approved";
      readonly action: PlanAction;
      /** The client begins the work itself, in a turn of its own. */
      readonly startsLater: boolean;
    }
  | { readonly kind: "rejected"; readonly feedback?: string }
  | NoAnswer;

export interface UserChannel {
  /** @throws the signal's reason when the run is aborted. */
  ask(question: UserQuestion, context: ToolContext): Promise<UserAnswer>;
  /** Approval changes the session's mode. @throws the signal's reason when the run is aborted. */
  reviewPlan(plan: PlanForReview, context: ToolContext): Promise<PlanVerdict>;
  tellIntent(intent: string): void;
  tellTaskComplete(summary: string): void;
}
