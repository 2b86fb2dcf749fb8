/** When a run that would go on for ever is ended: after so many turns, or failures that are all the same. */
import { createHash } from "node:crypto";
import { cutText, RpcError } from "@rightseat/protocol";
import type { ToolResult } from "../tools/tool.ts";
import type { PendingToolCall, RunLimits } from "./run-host.ts";

export interface EndedCall {
  readonly call: PendingToolCall;
  readonly result: ToolResult;
}

/** How many failing calls are counted; beyond that, counting begins anew. */
const MAX_KNOWN = 10_000;
const MAX_SHOWN = 200;

/** @throws RpcError `limit_exceeded` when a run has had all the turns that it may. */
export function assertTurnLeft(limits: RunLimits | undefined, turns: number): void {
  if (!limits || turns < limits.turnsPerRun) return;
  throw new RpcError(
    "limit_exceeded",
    `The run was ended after ${turns} turns, the most that one may have (turnsPerRun). Send another prompt to go on.`,
    { limit: "turnsPerRun", max: limits.turnsPerRun },
  );
}

/** Counts calls that fail as they failed before. One a run. */
export class RepeatedFailures {
  readonly #counts = new Map<string, number>();

  /**
   * Takes the calls of one answer. A failing call twice in one answer counts once.
   * @throws RpcError `limit_exceeded` when one has failed too often.
   */
  note(ended: readonly EndedCall[], limits: RunLimits | undefined): void {
    const failed = ended.filter(({ result }) => isFailure(result));
    if (failed.length < ended.length || this.#counts.size > MAX_KNOWN) this.#counts.clear();
    const seen = new Set<string>();
    for (const { call, result } of failed) {
      const key = keyOf(call);
      if (seen.has(key)) continue;
      seen.add(key);
      const count = (this.#counts.get(key) ?? 0) + 1;
      this.#counts.set(key, count);
      if (limits && count >= limits.identicalFailures) throw repeated(call, result, count);
    }
  }
}

/** A command that ended badly is a result that a model can read, and a failure all the same. */
function isFailure({ resultType, contents }: ToolResult): boolean {
  if (resultType !== "success") return true;
  return contents?.some((content) => content.type === "shell_exit" && content.exitCode !== 0) === true;
}

/** A key of fixed size, whatever the size of the arguments. */
function keyOf({ name, arguments: args }: PendingToolCall): string {
  return createHash("sha256").update(`${name}\0${args}`).digest("base64");
}

function repeated(call: PendingToolCall, { error, text }: ToolResult, count: number): RpcError {
  const why = cutText((error?.message ?? text).trim(), MAX_SHOWN);
  return new RpcError(
    "limit_exceeded",
    `The run was ended: the model called '${cutText(call.name, MAX_SHOWN)}' ${count} times with the same arguments, and it failed each time (identicalFailures). Send another prompt to go on. The last failure: ${why}`,
    { limit: "identicalFailures", max: count },
  );
}
