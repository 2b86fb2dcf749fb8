/** A server on the bare wire that remembers what it is asked, and answers as a test says. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { encodeFrame, FrameDecoder, Peer } from "@rightseat/protocol";
import { createQuickAck } from "../../../server/src/transport/quick-ack.ts";

/** The official SDK waits for it between the two parts of a message. */
const quickAck = createQuickAck(() => undefined).acknowledge;

export interface AskedRequest {
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they expect
  readonly params: any;
}

export interface RecordingServer extends AsyncDisposable {
  readonly port: number;
  readonly asked: AskedRequest[];
  /** Connections open now, the oldest first. */
  readonly peers: readonly Peer[];
  /** Answers of methods; without one, an empty object. What is thrown is the error. */
  readonly answers: Map<string, (params: never, peer: Peer) => unknown>;
  /** Writes bytes that may be no message. */
  sendRaw(text: string): void;
  /** Ends every connection. */
  cutAll(): void;
  /** Resolves once the condition holds; looked at again after every request and connection. */
  until(condition: () => boolean): Promise<void>;
}

export async function startRecordingServer(): Promise<RecordingServer> {
  const asked: AskedRequest[] = [];
  const sockets = new Map<Socket, Peer>();
  const waiters = new Set<() => void>();
  const changed = () => {
    const waiting = [...waiters];
    waiters.clear();
    for (const wake of waiting) wake();
  };
  const answers: RecordingServer["answers"] = new Map([
    ["connect", () => ({ ok: true, protocolVersion: 3, version: "recording" })],
    ["session.create", ({ sessionId }: { sessionId: string }) => ({ sessionId })],
    ["session.resume", ({ sessionId }: { sessionId: string }) => ({ sessionId, eventCursor: "0" })],
    ["session.send", ({ messageId }: { messageId?: string }) => ({ messageId: messageId ?? "m" })],
    ["session.detach", () => ({ success: true })],
    ["session.eventLog.read", () => ({ events: [], cursor: "0", hasMore: false, cursorStatus: "ok" })],
  ] as never);
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => undefined);
    const peer: Peer = new Peer({
      send: (body) => socket.write(encodeFrame(body)),
      onRequest: (method, params): unknown => {
        asked.push({ method, params });
        setImmediate(changed);
        return answers.get(method)?.(params as never, peer) ?? {};
      },
      onNotification: (method, params) => void asked.push({ method, params }),
      onBug: () => undefined,
    });
    const decoder = new FrameDecoder({
      maxFrameBytes: 1 << 28,
      onFrame: (body) => peer.receive(body),
      onError: (error) => socket.destroy(error),
    });
    socket.on("data", (chunk) => {
      quickAck(socket);
      decoder.push(chunk);
    });
    socket.once("close", () => {
      peer.close();
      sockets.delete(socket);
      changed();
    });
    sockets.set(socket, peer);
    changed();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cutAll = () => {
    for (const socket of sockets.keys()) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    get peers() {
      return [...sockets.values()];
    },
    answers,
    sendRaw: (text) => {
      for (const socket of sockets.keys()) socket.write(text);
    },
    cutAll,
    until: async (condition) => {
      while (!condition()) await new Promise<void>((resolve) => waiters.add(resolve));
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      cutAll();
      await closed;
    },
  };
}
