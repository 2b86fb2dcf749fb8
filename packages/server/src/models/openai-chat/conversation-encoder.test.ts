import v8 from "node:v8";
import vm from "node:vm";
import { toJson } from "@rightseat/protocol";
import { describe, expect, it } from "vitest";
import type { ModelMessage } from "../model-provider.ts";
import { ConversationEncoder, type EncodedConversation } from "./conversation-encoder.ts";

/** Results of tools are counted at their end, so that how they are spelled depends on what follows. */
function toWire(messages: readonly ModelMessage[]): object[] {
  const wire: object[] = [];
  let results = 0;
  for (const message of messages) {
    if (message.role !== "tool" && results > 0) wire.push({ results });
    results = message.role === "tool" ? results + 1 : 0;
    wire.push({ role: message.role, content: message.content });
  }
  if (results > 0) wire.push({ results });
  return wire;
}

const textOf = ({ kept, text }: EncodedConversation) =>
  kept && text !== "" ? `${Buffer.from(kept)},${text}` : `${Buffer.from(kept ?? [])}${text}`;
const whole = (messages: readonly ModelMessage[]) => toJson(toWire(messages)).slice(1, -1);
const user = (content: string): ModelMessage => ({ role: "user", content });
const assistant = (content: string): ModelMessage => ({ role: "assistant", content, toolCalls: [] });
const result = (content: string): ModelMessage => ({ role: "tool", toolCallId: "1", content });
const PLAIN = { key: "plain" };
const long = (text: string) => text.repeat(10_000);

v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc") as () => void;

describe("ConversationEncoder", () => {
  it("keeps nothing of a conversation that is gone", async () => {
    const encoder = new ConversationEncoder(toWire);
    const staying = [user(long("stays "))];
    encoder.encode(staying, PLAIN);
    const own = encoder.keptBytes;
    (() => {
      for (let index = 0; index < 10; index += 1) encoder.encode([user(long(`goes ${index} `))], PLAIN);
    })();
    expect(encoder.keptBytes).toBeGreaterThan(5 * own);
    while (encoder.keptBytes !== own) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(encoder.encode(staying, PLAIN).kept).toBeDefined();
    expect(encoder.keptBytes).toBe(own);
  });

  it("gives the same bytes as encoding everything anew, however the conversation changes", () => {
    const encoder = new ConversationEncoder(toWire);
    const messages: ModelMessage[] = [];
    const changes: (() => unknown)[] = [
      () => messages.push(user("short")),
      () => messages.push(assistant(long("Grüße 東京 \ud83d\uddfc \ud800 "))),
      () => messages.push(user(long("next ")), assistant("calls")),
      () => messages.push(result("one")),
      () => messages.push(result(long("two "))),
      () => messages.push(assistant("read")),
      () => messages.splice(-1, 1, assistant("replaced")),
      () => messages.splice(-3),
      () => messages.push(user("again")),
      () => messages.splice(0, 3),
      () => messages.push(user(long("after ")), assistant(long("wards "))),
      () => messages.splice(0),
      () => messages.push(user(long("anew "))),
    ];
    for (const change of changes) {
      change();
      expect(textOf(encoder.encode(messages, PLAIN))).toBe(messages.length === 0 ? "" : whole(messages));
    }
  });

  it("spells only what is new of a long conversation", () => {
    const spelled: number[] = [];
    const encoder = new ConversationEncoder((messages) => {
      spelled.push(messages.length);
      return toWire(messages);
    });
    const messages = [user(long("a ")), assistant(long("b "))];
    encoder.encode(messages, PLAIN);
    messages.push(user("c"));
    encoder.encode(messages, PLAIN);
    expect(spelled).toEqual([2, 1]);
  });

  it("encodes everything anew in another spelling", () => {
    const encoder = new ConversationEncoder((messages, { key }: { key: string }) =>
      messages.map(({ role }) => ({ role, key })),
    );
    const messages = Array.from({ length: 2_000 }, () => user("x"));
    encoder.encode(messages, { key: "a" });
    const spelled = JSON.parse(`[${textOf(encoder.encode(messages, { key: "b" }))}]`);
    expect(spelled).toEqual(messages.map(({ role }) => ({ role, key: "b" })));
  });

  it("forgets the conversations used longest ago when all together are too long", () => {
    const spelled: number[] = [];
    const encoder = new ConversationEncoder((messages) => {
      spelled.push(messages.length);
      return toWire(messages);
    });
    const conversations = Array.from({ length: 5 }, () => [user("x".repeat(8 * 1024 * 1024)), user("y")]);
    for (const messages of conversations) encoder.encode(messages, PLAIN);
    spelled.length = 0;
    for (const messages of [...conversations].reverse())
      expect(textOf(encoder.encode(messages, PLAIN))).toBe(whole(messages));
    // The newest two fit; encoding an older one pushes the others out one by one.
    expect(spelled).toEqual([2, 2, 2]);
  });
});
