/** The first words on a new connection: who we are, and whether both sides speak the same protocol. */
import { ErrorCode, PROTOCOL_VERSION, RemoteError } from "@rightseat/protocol";
import { ConnectionError, reasonOf } from "../errors.ts";
import type { Channel } from "./channel.ts";
import type { CopilotClientInfo } from "./client-info.ts";
import type { Patience } from "./patience.ts";
import type { ConnectionToken } from "./settings.ts";

export interface Introduction {
  readonly token?: ConnectionToken;
  readonly clientInfo?: CopilotClientInfo;
  readonly enableGitHubTelemetryForwarding?: boolean;
  /** Milliseconds that getting a token may take. */
  readonly tokenTimeoutMs: number;
}

interface ConnectAnswer {
  readonly protocolVersion?: number;
  /** The largest message that the server takes, where it says so. */
  readonly maxMessageBytes?: number;
}

/** The server does not want this client, or speaks another protocol. */
export class HandshakeRefused extends ConnectionError {
  /** Neither waiting nor another attempt will help: there is no other token to be had. */
  readonly isFinal: boolean;
  constructor(message: string, { isFinal = true, ...options }: ErrorOptions & { isFinal?: boolean } = {}) {
    super(message, options);
    this.name = "HandshakeRefused";
    this.isFinal = isFinal;
  }
}

/** @throws HandshakeRefused for a wrong token or another protocol; else as `Channel.request`. */
export async function shakeHands(
  channel: Channel,
  introduction: Introduction,
  patience: Patience,
): Promise<void> {
  const version = await introduce(channel, introduction, patience);
  if (version === PROTOCOL_VERSION) return;
  const came =
    version === undefined ? "server does not report a protocol version" : `server reports version ${version}`;
  throw new HandshakeRefused(
    `SDK protocol version mismatch: SDK supports version ${PROTOCOL_VERSION}, but ${came}. Please update your SDK or server to ensure compatibility.`,
  );
}

async function introduce(
  channel: Channel,
  { token, clientInfo, enableGitHubTelemetryForwarding, tokenTimeoutMs }: Introduction,
  patience: Patience,
): Promise<number | undefined> {
  const { signal } = patience;
  const getToken = (rejected: boolean) =>
    typeof token === "function"
      ? patience.exempt(
          "connectionToken",
          call(() => token({ rejected })),
          tokenTimeoutMs,
        )
      : token;
  const connect = async (rejected: boolean) => {
    const params = {
      token: await getToken(rejected),
      supportedTaskKinds: ["agent", "client", "shell"],
      ...toWireClientInfo(clientInfo),
      ...(enableGitHubTelemetryForwarding ? { enableGitHubTelemetryForwarding } : {}),
    };
    const answer = (await channel.request("connect", params, signal)) as ConnectAnswer | null;
    if (typeof answer?.maxMessageBytes === "number") channel.maxSentBytes = answer.maxMessageBytes;
    return answer ?? {};
  };
  try {
    return (await connect(false)).protocolVersion;
  } catch (error) {
    if (isUnknownMethod(error)) return pingVersion(channel, signal);
    if (reasonOf(error) !== "authentication_failed") throw error;
    if (typeof token !== "function") throw refused(error, true);
  }
  try {
    return (await connect(true)).protocolVersion;
  } catch (error) {
    throw reasonOf(error) === "authentication_failed" ? refused(error, false) : error;
  }
}

function toWireClientInfo(info: CopilotClientInfo = {}): { clientInfo?: Record<string, string> } {
  const named = {
    editorName: info.applicationName,
    editorVersion: info.applicationVersion,
    extensionName: info.integrationName,
    extensionVersion: info.integrationVersion,
  };
  const clientInfo = Object.fromEntries(Object.entries(named).filter(([, value]) => value)) as Record<
    string,
    string
  >;
  return Object.keys(clientInfo).length > 0 ? { clientInfo } : {};
}

/** A server from before `connect` says its version with a ping. */
async function pingVersion(channel: Channel, signal: AbortSignal | undefined): Promise<number | undefined> {
  const { protocolVersion } = (await channel.request("ping", {}, signal)) as { protocolVersion?: number };
  return protocolVersion;
}

function isUnknownMethod(error: unknown): boolean {
  return (
    error instanceof RemoteError &&
    (error.code === ErrorCode.methodNotFound || error.message === "Unhandled method connect")
  );
}

function refused(cause: unknown, isFinal: boolean): HandshakeRefused {
  return new HandshakeRefused((cause as Error).message, { cause, isFinal });
}

async function call<T>(callback: () => T | Promise<T>): Promise<T> {
  return callback();
}
