import {
  CopilotClient,
  type CopilotSession,
  RuntimeConnection,
  type SessionEvent,
  type SessionLifecycleEvent,
} from "@github/copilot-sdk";
import { CopilotClient as OldClient, type CopilotSession as OldSession } from "copilot-sdk-0.3.0";

/** How a client reaches a runtime that is running. */
export interface Address {
  readonly port: number;
  readonly token?: string;
}

/** How a client starts a runtime of its own. */
export interface Command {
  readonly path: string;
  readonly env: Record<string, string>;
}

/**
 * An official SDK, and what its versions do differently. Everything else has the same name and meaning
 * in all of them, so the newest one's types stand for all.
 */
export interface SdkVersion {
  readonly version: string;
  /** Whether `connect` can carry a token. */
  readonly sendsToken: boolean;
  createClient(address: Address): CopilotClient;
  /** Starts the runtime at a path, and speaks to it on its standard input and output. */
  spawnStdio(command: Command): CopilotClient;
  /** The same, the path being in COPILOT_CLI_PATH. */
  spawnNamed(command: Command): CopilotClient;
  /** Starts a runtime that listens on TCP. */
  spawnTcp(command: Command): CopilotClient;
  history(session: CopilotSession): Promise<SessionEvent[]>;
  onLifecycle(client: CopilotClient, handler: (event: SessionLifecycleEvent) => void): () => void;
}

const QUIET = { logLevel: "none", useLoggedInUser: false } as const;

const newest: SdkVersion = {
  version: "1.0.14",
  sendsToken: true,
  createClient: ({ port, token }) =>
    new CopilotClient({
      connection: RuntimeConnection.forUri(`127.0.0.1:${port}`, {
        ...(token !== undefined && { connectionToken: token }),
      }),
    }),
  spawnStdio: ({ path, env }) =>
    new CopilotClient({ ...QUIET, connection: RuntimeConnection.forStdio({ path, env }) }),
  spawnNamed: ({ path, env }) => new CopilotClient({ ...QUIET, env: { ...env, COPILOT_CLI_PATH: path } }),
  spawnTcp: ({ path, env }) =>
    new CopilotClient({ ...QUIET, connection: RuntimeConnection.forTcp({ path, env }) }),
  history: (session) => session.getEvents(),
  onLifecycle: (client, handler) => client.onLifecycle(handler),
};

const oldest: SdkVersion = {
  version: "0.3.0",
  sendsToken: false,
  createClient: ({ port }) => asNewest(new OldClient({ cliUrl: `127.0.0.1:${port}` })),
  spawnStdio: ({ path, env }) => asNewest(new OldClient({ ...QUIET, cliPath: path, env })),
  spawnNamed: ({ path, env }) =>
    asNewest(new OldClient({ ...QUIET, env: { ...env, COPILOT_CLI_PATH: path } })),
  spawnTcp: ({ path, env }) => asNewest(new OldClient({ ...QUIET, cliPath: path, useStdio: false, env })),
  history: (session) =>
    (session as unknown as OldSession).getMessages() as unknown as Promise<SessionEvent[]>,
  onLifecycle: (client, handler) => (client as unknown as OldClient).on(handler as never),
};

const asNewest = (client: OldClient): CopilotClient => client as unknown as CopilotClient;

export const sdkVersions: readonly SdkVersion[] = [oldest, newest];
export { newest as newestSdk, oldest as oldestSdk };
