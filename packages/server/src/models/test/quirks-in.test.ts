import { describeQuirksIn, type QuirkIn } from "./describe-quirks.ts";

const chunk = (delta: object, finish_reason: string | null = null): string =>
  `data: ${JSON.stringify({ id: "c", choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
const DONE = "data: [DONE]\n\n";

/** How providers answer. A row is a quirk; its cells are the wires that can have it, on every host of theirs. */
const QUIRKS: readonly QuirkIn[] = [
  {
    quirk: "reasoning comes under the name `reasoning`",
    seenAt: "OpenRouter, Ollama, Groq",
    sends: {
      chat: {
        rawChunks: [chunk({ reasoning: "Hm. " }), chunk({ content: "Yes" }), chunk({}, "stop"), DONE],
      },
    },
    gives: { answer: { content: "Yes", reasoning: { text: "Hm. " } } },
  },
  {
    quirk: "a call of a tool ends as if nothing were asked for",
    seenAt: "Gemini, vLLM",
    sends: {
      chat: {
        rawChunks: [
          chunk({ tool_calls: [{ index: 0, id: "a", function: { name: "clock", arguments: "{}" } }] }),
          chunk({}, "stop"),
          DONE,
        ],
      },
    },
    gives: {
      answer: { finishReason: "tool-calls", toolCalls: [{ id: "a", name: "clock", arguments: "{}" }] },
    },
  },
  {
    quirk: "a surrogate pair comes in two deltas",
    seenAt: "vLLM, llama.cpp, gateways in JavaScript",
    sends: {
      chat: {
        rawChunks: [
          String.raw`data: {"choices":[{"index":0,"delta":{"content":"hi \ud83d"}}]}`,
          "\n\n",
          String.raw`data: {"choices":[{"index":0,"delta":{"content":"\ude00! \ud83d"}}]}`,
          "\n\n",
          chunk({}, "stop"),
          DONE,
        ],
      },
    },
    gives: { answer: { content: "hi 😀! \ufffd" } },
    deltas: ["hi ", "😀! ", "\ufffd"],
  },
];

describeQuirksIn(QUIRKS);
