/**
 * What is asked of the model when a context is compacted, and what the context becomes. The sentence
 * that the prompt begins with, the names of the tags, and the words around the summary are what
 * recorded conversations hold; the rest is our own.
 */
import { cutText } from "@rightseat/protocol";
import type { ModelMessage } from "../models/model-provider.ts";

const PROMPT = `Please create a detailed summary of the conversation so far. The history is being compacted: from here on, your summary takes the place of everything above it, and whoever goes on with the work has nothing else to go by.

Write for that reader. Keep what they would otherwise have to find out again: what was asked and why, in the user's own terms; what was decided and what was ruled out; names of files, functions, commands, identifiers and values exactly as they are; errors met and how they were dealt with. Leave out pleasantries and what no longer matters. Where something is unfinished, say how far it got.

Answer in text alone, without calling tools, with these sections in this order:

<overview>
What the user wants, and the approach taken, in a few sentences.
</overview>

<history>
What happened, step by step: each request, and what came of it.
</history>

<work_done>
What was made or changed, and what state it is in now; tests that pass or fail.
</work_done>

<technical_details>
Findings, decisions with their reasons, constraints, workarounds, open questions.
</technical_details>

<important_files>
Each file that matters: its path, why it matters, what was changed in it.
</important_files>

<next_steps>
What remains to be done, in order, and what was about to be done next.
</next_steps>

<checkpoint_title>A title of at most six words</checkpoint_title>`;

const HANDOFF_PROMPT = `Write a hand-over note for a colleague who continues this conversation elsewhere and has not seen it. Use Markdown, and answer with the note alone, without calling tools.

Say, as far as it applies: what the user wants; what has been done, with paths, commands and values exactly as they are; what is decided and why; what does not work or is not known; what comes next.`;

/** The user message that asks for a summary. */
export function compactionPrompt(customInstructions?: string): string {
  if (customInstructions === undefined || customInstructions.trim() === "") return PROMPT;
  return `${PROMPT}\n\nThe user asked that the summary pay attention to this above all:\n${customInstructions.trim()}`;
}

/** The user message that asks for a note to somebody who goes on elsewhere. */
export function handoffPrompt(): string {
  return HANDOFF_PROMPT;
}

const HEAD = "Some of the conversation history has been summarized to free up context.";

/** The message that stands for what was summarised. @param prompts what the user asked, oldest first. */
export function summaryMessage(prompts: readonly string[], summary: string): ModelMessage {
  const asked = prompts.map((prompt) => `<user_message>\n${prompt}\n</user_message>\n`).join("");
  const content = `${HEAD}\n\nYou were originally given instructions from a user over one or more turns. Here were the user messages:\n${asked}\nHere is a summary of the prior context:\n<summary>\n${summary}\n</summary>`;
  return { role: "user", content };
}

export function isSummary(message: ModelMessage): boolean {
  return message.role === "user" && typeof message.content === "string" && message.content.startsWith(HEAD);
}

export interface Checkpoint {
  readonly title: string;
  readonly content: string;
}

const TITLE = /<checkpoint_title>([\s\S]*?)<\/checkpoint_title>/;
const TITLE_CHARACTERS = 80;

/** A summary as it is kept in a file: its title apart. */
export function toCheckpoint(summary: string): Checkpoint {
  const title = TITLE.exec(summary)?.[1]?.trim().replace(/\s+/g, " ") ?? "";
  return {
    title: title === "" ? "Compaction" : cutText(title, TITLE_CHARACTERS),
    content: summary.replace(TITLE, "").trim(),
  };
}
