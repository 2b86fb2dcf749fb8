/** The manual is true: options, errors, methods and the names of files are compared with the code. */
import { access, readdir, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { OPTIONS, type OptionSpec } from "../src/config/options.ts";
import { TENANT_LIMITS } from "../src/limits/limits-config.ts";
import { createMethods } from "../src/methods/index.ts";
import type { FieldRule, FieldRules } from "../src/session/members/field-rules.ts";
import {
  ADD_PROVIDERS_FIELDS,
  PERMISSION_FIELDS,
  SET_TOOLS_FIELDS,
  SUBAGENT_FIELDS,
} from "../src/session/members/nested-fields.ts";
import { SEND_FIELDS } from "../src/session/members/prompt-fields.ts";
import { JOIN_FIELDS, OPTION_FIELDS } from "../src/session/members/session-fields.ts";

const doc = (name: string) => readFile(new URL(`../../../docs/${name}`, import.meta.url), "utf8");

describe("docs/configuration.md", async () => {
  const text = await doc("configuration.md");
  test.each(Object.entries(OPTIONS) as [string, OptionSpec][])(
    "has a row for %s with its flag and variables",
    (name, spec) => {
      const row = text.split("\n").find((line) => line.startsWith(`| \`${name}\` |`));
      expect(row, `a row that begins with | \`${name}\` |`).toBeDefined();
      if (spec.flag) expect(row).toContain(`\`--${spec.flag}\``);
      for (const variable of spec.env ?? []) expect(row).toContain(`\`${variable}\``);
    },
  );
});

test.each(TENANT_LIMITS)("docs/configuration.md has a row for the limit %s", async (name) => {
  expect(await doc("configuration.md")).toMatch(new RegExp(`^\\|[^|]*\`${name}\`[^|]*\\|`, "m"));
});

test("docs/errors.md has a row for every reason", async () => {
  const source = await readFile(new URL("../../protocol/src/errors.ts", import.meta.url), "utf8");
  const union = source.slice(
    source.indexOf("export type ErrorReason"),
    source.indexOf("export interface RpcErrorBody"),
  );
  const reasons = [...union.matchAll(/"([a-z_]+)"/g)].map((match) => match[1]);
  expect(reasons.length).toBeGreaterThan(10);
  const rows = [...(await doc("errors.md")).matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1]);
  expect(rows.sort()).toEqual(reasons.sort());
});

test("docs/compatibility.md lists exactly the methods that are served", async () => {
  // The table is made before any service is asked for anything.
  const served = ["connect", ...Object.keys(createMethods({ registry: {}, runs: {} } as never))];
  const text = await doc("compatibility.md");
  const table = text.slice(text.indexOf("## Methods that are served"), text.indexOf("Requests to clients"));
  const rows = [...table.matchAll(/^\| `([A-Za-z.]+)` \|/gm)].map((match) => match[1]);
  expect(rows.sort()).toEqual(served.sort());
});

describe("docs/compatibility.md lists exactly the fields that have no effect or are refused", async () => {
  const text = await doc("compatibility.md");
  /** The rows of the table whose head begins with this: the name, and whether it is refused. */
  const rowsOf = (head: string) => {
    const table = text.slice(text.indexOf(`| ${head} |`)).split("\n\n")[0] as string;
    const rows = table.matchAll(/^\| `([\w.]+)` \| (\*\*refused\*\*)?/gm);
    return [...rows].map((match) => `${match[1]}${match[2] ? " refused" : ""}`).sort();
  };
  const lineOf = (path: string, { effect }: FieldRule) => `${path}${effect === "refused" ? " refused" : ""}`;
  const fieldsOf = (rules: FieldRules): string[] =>
    Object.entries(rules).flatMap(([name, rule]) => (rule.effect === "honoured" ? [] : [lineOf(name, rule)]));
  const insideOf = (rules: FieldRules, at = ""): string[] =>
    Object.entries(rules).flatMap(([name, rule]) => {
      if (rule.effect !== "honoured") return at === "" ? [] : [lineOf(`${at}${name}`, rule)];
      const { fields } = rule.nested ?? {};
      return fields === undefined || typeof fields === "function" ? [] : insideOf(fields, `${at}${name}.`);
    });

  test("of sessions", () => {
    expect(rowsOf("option")).toEqual(fieldsOf({ ...OPTION_FIELDS, ...JOIN_FIELDS }).sort());
  });

  test("inside of others", () => {
    const tables = [
      JOIN_FIELDS,
      OPTION_FIELDS,
      ADD_PROVIDERS_FIELDS,
      SET_TOOLS_FIELDS,
      SUBAGENT_FIELDS,
      PERMISSION_FIELDS,
    ];
    expect(rowsOf("field")).toEqual([...new Set(tables.flatMap((rules) => insideOf(rules)))].sort());
  });

  test("of prompts", () => {
    expect(rowsOf("field of a prompt")).toEqual(fieldsOf(SEND_FIELDS).sort());
  });
});

describe("docs/first-hour.md walks through files and functions that exist", async () => {
  const rows = [...(await doc("first-hour.md")).matchAll(/^\| (\d+\. [^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)];
  const quotedIn = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);
  const rootOf = (file: string) => (file.startsWith("packages/") ? "../../../" : "../src/");

  test.each(rows.map((row) => row.slice(1)))("%s", async (_step, files, functions) => {
    const read = quotedIn(files).map((file) =>
      readFile(new URL(`${rootOf(file)}${file}`, import.meta.url), "utf8"),
    );
    const text = (await Promise.all(read)).join("\n");
    for (const name of quotedIn(functions)) expect(text).toContain(name.split(".").at(-1));
  });
});

describe.each(["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/first-hour.md"])(
  "every file and folder that %s names exists",
  async (name) => {
    const root = new URL("../../../", import.meta.url);
    const text = await readFile(new URL(name, root), "utf8");
    const quoted = [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] as string);
    // Placeholders name no file, and commands are not paths.
    const paths = quoted.filter(
      (path) => /^\.?[\w@][\w@./-]*$/.test(path) && /\/$|\.(?:c|m)?[jt]s$|\.md$/.test(path),
    );
    const sources = ["packages", "testing", "conformance"].map((folder) => new URL(`${folder}/`, root));
    const listed = await Promise.all(sources.map((folder) => readdir(folder, { recursive: true })));
    const files = listed.flat().filter((file) => !file.includes("node_modules") && !file.includes("dist/"));

    // A command writes it, when somebody asks for it.
    const written = new Set(["packages/sdk/api/"]);

    test.each([...new Set(paths)].filter((path) => !written.has(path)))("%s", async (path) => {
      const wanted = path.replace(/\/$/, "");
      const isInSources = files.some((file) => file === wanted || file.endsWith(`/${wanted}`));
      const isThere =
        isInSources ||
        (await access(new URL(wanted, root)).then(
          () => true,
          () => false,
        ));
      expect(isThere, `${path} of ${name}`).toBe(true);
    });
  },
);

describe("sentences begin with their subject", async () => {
  const root = new URL("../../../", import.meta.url);
  const places = ["packages", "testing", "conformance", "bench", "examples", "deploy", "docs"];
  const listed = await Promise.all(
    places.map(async (place) =>
      (await readdir(new URL(`${place}/`, root), { recursive: true })).map((file) => `${place}/${file}`),
    ),
  );
  const top = await readdir(root);
  const files = [...top, ...listed.flat()].filter(
    (file) => !/(?:^|\/)(?:node_modules|dist|generated|api)\//.test(file),
  );
  const read = (file: string) => readFile(new URL(file, root), "utf8");
  const openings = (file: string, lines: readonly string[], opening: RegExp) =>
    lines.flatMap((line, at) => (opening.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : []));
  const advice = "begin with the subject: name the thing, then say what it does";

  test("in pages: none opens with 'Of', 'Who', 'So' or 'What'; headings and tables may have 'What'", async () => {
    const found = files
      .filter((file) => file.endsWith(".md"))
      .map(async (file) => {
        const lines = (await read(file))
          .replace(/```.*?```/gs, (code) => code.replace(/.+/g, ""))
          .split("\n");
        const prose = lines.map((line) => (line.startsWith("#") ? "" : line));
        const text = prose.map((line) => (line.startsWith("|") ? "" : line));
        return [
          ...openings(file, prose, /(?:^|[.!?] |^ *[-*] |^\d+\. |^\| |\| )(?:\*\*)?(?:Of|Who|So) /),
          ...openings(file, text, /(?:^|[.!?] |^ *[-*] |^\d+\. )What /),
        ];
      });
    expect((await Promise.all(found)).flat(), advice).toEqual([]);
  });

  test("in comments: none opens with 'Of', 'Who' or 'So'", async () => {
    const found = files
      .filter((file) => /\.(?:[cm]?js|ts)$/.test(file))
      .map(async (file) => {
        const lines = (await read(file)).split("\n");
        const comments = lines.map((line) => /^\s*(?:\/\*\*|\*|\/\/) (.*)/.exec(line)?.[1] ?? "");
        return openings(file, comments, /(?:^|[.!?] )(?:Of|Who|So) /);
      });
    expect((await Promise.all(found)).flat(), advice).toEqual([]);
  });
});
