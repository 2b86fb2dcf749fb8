/** What GitHub's API charges for a call; it says so beside the usage, on whichever wire it answers. */
export interface CopilotCost {
  readonly copilot_usage?: { readonly total_nano_aiu?: number | null } | null;
}

/** In billionths of an AI credit, from the first of these that tells; undefined when none does. */
export function nanoAiuOf(...told: readonly (CopilotCost | null | undefined)[]): number | undefined {
  for (const one of told) {
    const cost = one?.copilot_usage?.total_nano_aiu;
    if (typeof cost === "number" && Number.isFinite(cost) && cost >= 0) return cost;
  }
  return undefined;
}
