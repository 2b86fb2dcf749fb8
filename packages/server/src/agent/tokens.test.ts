import { expect, it } from "vitest";
import type { ModelMessage } from "../models/model-provider.ts";
import { tokensOfMessages } from "./tokens.ts";

it("a conversation that changed at its end is counted like one that was never seen", () => {
  const user = (characters: number): ModelMessage => ({ role: "user", content: "x".repeat(characters) });
  const messages: ModelMessage[] = [];
  const changes = [
    () => messages.push(user(10)),
    () => messages.push(user(200), user(3000)),
    () => messages.splice(-1, 1, user(7)),
    () => messages.splice(-2),
    () => messages.push(user(50), user(60)),
    () => messages.splice(0, 1),
    () => messages.splice(0),
    () => messages.push(user(5)),
  ];
  for (const change of changes) {
    change();
    expect(tokensOfMessages(messages)).toBe(tokensOfMessages([...messages]));
  }
});
