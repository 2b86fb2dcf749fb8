import type { AnyProviderSettings } from "../create-provider.ts";

/** What a body looks like; several hosts speak each. */
export type Wire = "chat" | "responses" | "messages";

/** One way to reach a model. The contract of providers and the tables of quirks run on every one. */
export interface Host {
  readonly name: string;
  readonly wire: Wire;
  readonly model: string;
  /** @param url of a scripted model server, made with `COPILOT_MODELS`. */
  readonly toSettings: (url: string) => AnyProviderSettings;
  /** Path and query that a model call goes to. */
  readonly path: string;
}

export const KEY = "sk-test-secret-5d41402abc4b2a76b9719d91";
const key = async () => ({ kind: "api-key", value: KEY }) as const;
const token = async () => ({ kind: "bearer", value: KEY }) as const;

/** What GitHub's API lists, so that each of its models takes one route. */
export const COPILOT_MODELS = [
  { id: "chat-model", name: "Chat", supported_endpoints: ["/chat/completions", "/responses"] },
  { id: "responses-model", name: "Responses", supported_endpoints: ["/responses"] },
  { id: "messages-model", name: "Messages", supported_endpoints: ["/v1/messages"] },
];

export const HOSTS: readonly Host[] = [
  {
    name: "openai chat",
    wire: "chat",
    model: "m",
    toSettings: (url) => ({ type: "openai", baseUrl: `${url}/v1`, credential: key }),
    path: "/v1/chat/completions",
  },
  {
    name: "openai responses",
    wire: "responses",
    model: "m",
    toSettings: (url) => ({
      type: "openai",
      wireApi: "responses",
      baseUrl: `${url}/v1/`,
      credential: key,
    }),
    path: "/v1/responses",
  },
  {
    name: "azure chat",
    wire: "chat",
    model: "m",
    toSettings: (url) => ({ type: "azure", baseUrl: url, credential: key }),
    path: "/openai/v1/chat/completions",
  },
  {
    name: "azure chat with a version",
    wire: "chat",
    model: "m",
    toSettings: (url) => ({
      type: "azure",
      baseUrl: `${url}/openai`,
      azureApiVersion: "2024-10-21",
      credential: key,
    }),
    path: "/openai/deployments/m/chat/completions?api-version=2024-10-21",
  },
  {
    name: "azure responses",
    wire: "responses",
    model: "m",
    toSettings: (url) => ({
      type: "azure",
      wireApi: "responses",
      baseUrl: `${url}/openai/v1`,
      credential: token,
    }),
    path: "/openai/v1/responses",
  },
  {
    name: "anthropic",
    wire: "messages",
    model: "m",
    toSettings: (url) => ({ type: "anthropic", baseUrl: url, credential: key }),
    path: "/v1/messages",
  },
  {
    name: "copilot chat",
    wire: "chat",
    model: "chat-model",
    toSettings: (url) => ({ type: "copilot", baseUrl: url, credential: token }),
    path: "/chat/completions",
  },
  {
    name: "copilot responses",
    wire: "responses",
    model: "responses-model",
    toSettings: (url) => ({ type: "copilot", baseUrl: url, credential: token }),
    path: "/responses",
  },
  {
    name: "copilot messages",
    wire: "messages",
    model: "messages-model",
    toSettings: (url) => ({ type: "copilot", baseUrl: url, credential: token }),
    path: "/v1/messages",
  },
];
