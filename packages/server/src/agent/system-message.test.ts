import { describe, expect, test } from "vitest";
import {
  type BuildSystemMessageOptions,
  buildSystemMessage,
  type SystemMessageConfig,
} from "./system-message.ts";

const environment = {
  workingDirectory: "/srv/project",
  gitRoot: "/srv/project",
  gitBranch: "main",
  operatingSystem: "Linux",
  date: "2026-01-02",
};

const build = (config?: SystemMessageConfig, rest: Partial<BuildSystemMessageOptions> = {}) =>
  buildSystemMessage({ config, environment, ...rest });
const customize = (
  sections: NonNullable<SystemMessageConfig["sections"]>,
  rest: Partial<BuildSystemMessageOptions> = {},
) => build({ mode: "customize", sections }, rest);

const tags = (text: string) => [...text.matchAll(/^<(\w+)>$/gm)].map((match) => match[1]);

describe("the default message", () => {
  test("is short, has its sections in order and says what serves it", async () => {
    const { text, warnings } = await build();
    expect(tags(text)).toEqual([
      "identity",
      "tone",
      "tool_efficiency",
      "code_change_rules",
      "guidelines",
      "safety",
      "environment_context",
      "last_instructions",
    ]);
    expect(
      text.startsWith(
        "<identity>\nYou are an assistant that applications reach through the GitHub Copilot SDK, served by the Rightseat runtime.",
      ),
    ).toBe(true);
    expect(Buffer.byteLength(text)).toBeLessThan(2048);
    expect(warnings).toEqual([]);
  });

  test("names the environment, with the date only", async () => {
    expect((await build()).text).toContain(
      "<environment_context>\nCurrent working directory: /srv/project\nGit root: /srv/project\nGit branch: main\nOperating system: Linux\nDate: 2026-01-02\n</environment_context>",
    );
    const { text } = await buildSystemMessage({ environment: { workingDirectory: "/a\nb" } });
    expect(text).toMatch(
      /\nCurrent working directory: \/a b\nOperating system: .+\nDate: \d{4}-\d\d-\d\d\n</,
    );
  });

  test("takes the instructions of project, tools and runtime", async () => {
    const { text } = await build(undefined, {
      sections: {
        custom_instructions: "Use tabs.",
        runtime_instructions: "Plan first.",
        tool_instructions: "T.",
        safety: "",
      },
    });
    expect(text).toContain(
      "<custom_instructions>\nUse tabs.\n</custom_instructions>\n\n<runtime_instructions>\nPlan first.\n</runtime_instructions>",
    );
    expect(text).toContain("<tool_instructions>\nT.\n</tool_instructions>");
    expect(tags(text)).not.toContain("safety");
  });
});

describe("modes", () => {
  test("append adds the content behind everything", async () => {
    const standard = (await build()).text;
    expect((await build({ content: "End with 'Bye'." })).text).toBe(
      `${standard}\n\n<additional_instructions>\nEnd with 'Bye'.\n</additional_instructions>`,
    );
  });

  test("replace is the given text and nothing else", async () => {
    expect(await build({ mode: "replace", content: " You are Testy. " })).toEqual({
      text: " You are Testy. ",
      warnings: [],
    });
  });

  test("customize adds its content too", async () => {
    const { text } = await build({
      mode: "customize",
      content: "Mention earnings.",
      sections: { environment_context: { action: "remove" } },
    });
    expect(text.endsWith("<additional_instructions>\nMention earnings.\n</additional_instructions>")).toBe(
      true,
    );
    expect(text).not.toMatch(/Current working directory:|Operating system:/i);
  });

  test("an unknown mode appends, with a warning", async () => {
    const { text, warnings } = await build({ mode: "prepend", content: "X" });
    expect(text.endsWith("X\n</additional_instructions>")).toBe(true);
    expect(warnings).toEqual([
      "systemMessage: expected the mode 'append', 'replace' or 'customize', got 'prepend'; used 'append'.",
    ]);
  });
});

describe("section overrides", () => {
  test("replace, remove, append and prepend change one section", async () => {
    const { text, warnings } = await customize({
      tone: { action: "replace", content: "Be warm." },
      code_change_rules: { action: "remove" },
      guidelines: { action: "append", content: "\n* Cite sources" },
      last_instructions: { action: "prepend", content: "First this." },
      safety: { action: "preserve" },
    });
    expect(text).toContain("<tone>\nBe warm.\n</tone>");
    expect(tags(text)).not.toContain("code_change_rules");
    expect(text).toContain("again.\n* Cite sources\n</guidelines>");
    expect(text).toContain("<last_instructions>\nFirst this.\nGo on");
    expect(warnings).toEqual([]);
  });

  test("an override of the group 'identity' covers its members, except those with one of their own", async () => {
    const replaced = await customize({ identity: { action: "replace", content: "You are Botanica." } });
    expect(replaced.text.startsWith("<identity>\nYou are Botanica.\n</identity>")).toBe(true);
    expect(tags(replaced.text)).not.toContain("tone");
    const removed = await customize({ tone: { action: "preserve" }, identity: { action: "remove" } });
    expect(tags(removed.text).slice(0, 3)).toEqual(["identity", "tone", "code_change_rules"]);
    expect(removed.text).not.toContain("Rightseat");
    const wrapped = await customize({ identity: { action: "append", content: "Behind." } });
    expect(wrapped.text).toContain("</tool_efficiency>\n\nBehind.\n</identity>");
    const preamble = await customize({ preamble: { action: "replace", content: "You are Botanica." } });
    expect(preamble.text.startsWith("<identity>\nYou are Botanica.\n\n<tone>")).toBe(true);
  });

  test("content for unknown sections becomes additional instructions, with a warning; removing one is silent", async () => {
    const { text, warnings } = await build({
      mode: "customize",
      content: "Last.",
      sections: {
        weather: { action: "replace", content: "It rains." },
        moon: { action: "remove" },
        sun: { action: "transform" },
        toString: { action: "append" },
      },
    });
    expect(text.endsWith("<additional_instructions>\nIt rains.\n\nLast.\n</additional_instructions>")).toBe(
      true,
    );
    expect(warnings).toEqual([
      "systemMessage.sections: there is no section 'weather'; its content was added as additional instructions.",
      "systemMessage.sections: there is no section 'sun'; it was ignored.",
      "systemMessage.sections: there is no section 'toString'; it was ignored.",
    ]);
  });

  test("an unknown action is ignored, with a warning", async () => {
    const { text, warnings } = await customize({ tone: { action: "shout", content: "LOUD" } });
    expect(text).toBe((await build()).text);
    expect(warnings).toEqual([
      "systemMessage.sections.tone: expected the action 'replace', 'remove', 'append', 'prepend', 'preserve' or 'transform', got 'shout'; it was ignored.",
    ]);
  });
});

describe("transforms", () => {
  test("are asked for in one call, with the content as it is, and applied", async () => {
    const calls: Record<string, { content: string }>[] = [];
    const { text, warnings } = await customize(
      { identity: { action: "transform" }, tone: { action: "transform" }, safety: { action: "remove" } },
      {
        transform: async (sections) => {
          calls.push(sections);
          return {
            identity: { content: `${sections.identity?.content}\nMARKER` },
            tone: { content: "Sing." },
          };
        },
      },
    );
    expect(calls).toHaveLength(1);
    expect(Object.keys(calls[0] ?? {})).toEqual(["identity", "tone"]);
    expect(calls[0]?.identity?.content).toContain("Rightseat");
    expect(calls[0]?.tone?.content).toMatch(/^Answer first/);
    expect(text).toContain("</tool_efficiency>\nMARKER\n\n<tone>\nSing.\n</tone>\n</identity>");
    expect(tags(text)).not.toContain("safety");
    expect(warnings).toEqual([]);
  });

  test("that fail, answer nothing or find no application leave the content, with a warning", async () => {
    const sections = { tone: { action: "transform" } };
    const standard = (await build()).text;
    const failing = await customize(sections, { transform: () => Promise.reject(new Error("boom")) });
    const silent = await customize(sections, { transform: async () => ({}) });
    const alone = await customize(sections);
    expect([failing.text, silent.text, alone.text]).toEqual([standard, standard, standard]);
    expect([failing, silent, alone].map(({ warnings }) => warnings)).toEqual([
      ["systemMessage.sections: tone could not be transformed: boom. The content stays as it was."],
      ["systemMessage.sections: the transform returned no content for 'tone'; it stays as it was."],
      [
        "systemMessage.sections: tone could not be transformed: no application is attached that could. The content stays as it was.",
      ],
    ]);
  });
});
