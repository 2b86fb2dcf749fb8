import { describe, expect, test } from "vitest";
import type { ModelMessage } from "../models/model-provider.ts";
import { visibleMessages } from "./visible-messages.ts";

const image = (base64: string, mimeType = "image/png") => ({ mimeType, base64 });
const part = (base64: string, mimeType?: string) => ({ type: "image", ...image(base64, mimeType) }) as const;
const text = (value: string) => ({ type: "text", text: value }) as const;

const conversation: ModelMessage[] = [
  { role: "user", content: [text("Look"), text("a.png"), part("AAAA"), part("BBBB")] },
  { role: "assistant", content: "", toolCalls: [{ id: "1", name: "view", arguments: "{}" }] },
  { role: "tool", toolCallId: "1", content: "Seen.", images: [image("CCCC"), image("DDDD", "image/gif")] },
  { role: "user", content: "Thanks" },
];

const imagesOf = (messages: readonly ModelMessage[]) =>
  messages.flatMap((message) => {
    if (message.role === "tool") return (message.images ?? []).map((one) => one.base64);
    if (message.role !== "user" || typeof message.content === "string") return [];
    return message.content.flatMap((one) => (one.type === "image" ? [one.base64] : []));
  });

describe("visibleMessages", () => {
  test("gives a model that sees the very same list", () => {
    expect(visibleMessages(conversation, { supportsVision: true })).toBe(conversation);
    const plain: ModelMessage[] = [{ role: "user", content: "Hi" }];
    expect(visibleMessages(plain, { supportsVision: false })).toBe(plain);
  });

  test("sees an image that came to a conversation without any, at its end or in place of its last message", () => {
    const blind = { supportsVision: false };
    const plain = (): ModelMessage[] => [
      { role: "user", content: "Hi" },
      { role: "user", content: "Look" },
    ];
    const shown: ModelMessage = { role: "user", content: [text("Look"), part("AAAA")] };
    const grown = plain();
    expect(visibleMessages(grown, blind)).toBe(grown);
    grown.push(shown);
    expect(visibleMessages(grown, blind)).toEqual([...plain(), { role: "user", content: "Look" }]);
    const replaced = plain();
    expect(visibleMessages(replaced, blind)).toBe(replaced);
    replaced[1] = shown;
    expect(visibleMessages(replaced, blind)).toEqual(plain());
    const shorter = plain();
    expect(visibleMessages(shorter, blind)).toBe(shorter);
    shorter.splice(0, 2, shown);
    expect(visibleMessages(shorter, blind)).toEqual([{ role: "user", content: "Look" }]);
  });

  test("leaves images out for a model that does not, and changes nothing else", () => {
    expect(visibleMessages(conversation, { supportsVision: false })).toEqual([
      { role: "user", content: "Look\na.png" },
      conversation[1],
      { role: "tool", toolCallId: "1", content: "Seen." },
      conversation[3],
    ]);
    expect(imagesOf(conversation)).toHaveLength(4);
  });

  test("keeps documents beside images that go", () => {
    const pdf = { type: "document", mimeType: "application/pdf", base64: "JVBE", name: "x.pdf" } as const;
    const messages: ModelMessage[] = [{ role: "user", content: [text("Read"), pdf, part("AAAA")] }];
    expect(visibleMessages(messages, { supportsVision: false })).toEqual([
      { role: "user", content: [text("Read"), pdf] },
    ]);
  });

  test("keeps the newest images when the model takes only so many", () => {
    const visible = (maxImages: number) =>
      imagesOf(visibleMessages(conversation, { supportsVision: true, imageLimits: { maxImages } }));
    expect(visible(3)).toEqual(["BBBB", "CCCC", "DDDD"]);
    expect(visible(1)).toEqual(["DDDD"]);
    expect(visible(0)).toEqual([]);
  });

  test("leaves out images of types and sizes that the model does not take, and they do not count", () => {
    const limits = { maxImages: 2, mediaTypes: ["image/png"], maxImageBytes: 3 };
    const large: ModelMessage = { role: "user", content: [text("Large"), part("EEEEEEEE")] };
    const visible = visibleMessages([...conversation, large], { supportsVision: true, imageLimits: limits });
    expect(imagesOf(visible)).toEqual(["BBBB", "CCCC"]);
    expect(visible.at(-1)?.content).toContain("An image of 6 bytes was left out");
  });

  test("puts a note in the place of an image over ten megabytes when the model tells no bound", () => {
    const huge = "A".repeat(14_000_000);
    const visible = visibleMessages(
      [
        { role: "tool", toolCallId: "1", content: "Seen.", images: [image(huge), image("CCCC")] },
        { role: "user", content: [text("Look"), part(huge)] },
      ],
      { supportsVision: true },
    );
    const note =
      "[An image of 10500000 bytes was left out here: the model takes images of at most 10485760 bytes.]";
    expect(visible).toEqual([
      { role: "tool", toolCallId: "1", content: `Seen.\n${note}`, images: [image("CCCC")] },
      { role: "user", content: `Look\n${note}` },
    ]);
  });
});
