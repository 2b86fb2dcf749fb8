import type { ClientSettings } from "../openai-client.ts";
import type { CopilotSettings } from "./settings.ts";

/** GitHub takes its tokens as bearer tokens, whatever kind the configuration calls them. */
export function toClientSettings(
  settings: CopilotSettings,
  requestHeaders?: Readonly<Record<string, string>>,
  userAgent?: string,
): ClientSettings {
  const { credential } = settings;
  return {
    baseUrl: settings.baseUrl,
    fetch: settings.fetch,
    headers: { "Copilot-Integration-Id": settings.integrationId ?? "rightseat", ...settings.headers },
    requestHeaders,
    userAgent,
    credential: async () => {
      const given = await credential?.();
      return given === undefined ? undefined : { kind: "bearer", value: given.value };
    },
  };
}
