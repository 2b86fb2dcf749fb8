import type { ProviderSettings } from "../model-provider.ts";

/** GitHub's Copilot API. */
export interface CopilotSettings
  extends Pick<ProviderSettings, "credential" | "headers" | "fetch" | "idleTimeoutMs"> {
  readonly type: "copilot";
  /** `https://api.githubcopilot.com`, or what GitHub names for the account. */
  readonly baseUrl: string;
  /** Which application this is, as registered with GitHub; default "rightseat". */
  readonly integrationId?: string;
}
