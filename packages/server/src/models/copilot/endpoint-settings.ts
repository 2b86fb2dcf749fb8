import type { EndpointSettings } from "../send-request.ts";
import type { CopilotSettings } from "./settings.ts";

/** GitHub takes its tokens as bearer tokens, whatever kind the configuration calls them. */
export function toEndpointSettings(
  settings: CopilotSettings,
  requestHeaders?: Readonly<Record<string, string>>,
): EndpointSettings {
  const { credential } = settings;
  return {
    baseUrl: settings.baseUrl,
    fetch: settings.fetch,
    headers: { "Copilot-Integration-Id": settings.integrationId ?? "rightseat", ...settings.headers },
    requestHeaders,
    credential: async () => {
      const given = await credential?.();
      return given === undefined ? undefined : { kind: "bearer", value: given.value };
    },
  };
}
