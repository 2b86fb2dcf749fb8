export * from "./errors.ts";
export * from "./framing.ts";
export { EPHEMERAL_EVENT_TYPES } from "./generated/events.ts";
export type * from "./generated/index.ts";
export { SERVER_METHOD_NAMES, SESSION_METHOD_NAMES } from "./generated/method-names.ts";
export * from "./json-depth.ts";
export * from "./peer.ts";
export * from "./version.ts";
export * from "./well-formed.ts";
