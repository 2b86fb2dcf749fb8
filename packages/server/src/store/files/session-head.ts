import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SessionContext, SessionSummary } from "../catalogue.ts";
import { isMissing } from "./errors.ts";
import { eventsFileName } from "./layout.ts";

const headBytes = 64 * 1024;

/**
 * What a list shows of a session that no index knows yet, one the Copilot CLI wrote for instance:
 * from the first events of its log, and from `workspace.yaml` beside it where there is one.
 * Undefined when the directory holds no log, or an empty one.
 */
export async function readSessionHead(
  directory: string,
  sessionId: string,
): Promise<SessionSummary | undefined> {
  const head = await readHead(join(directory, eventsFileName));
  if (!head) return undefined;
  const workspace = parseWorkspace(await readFile(join(directory, "workspace.yaml"), "utf8").catch(() => ""));
  const start = findStart(head.text);
  const context = toContext(start.context, workspace);
  const startTime = toTime(start.startTime) ?? toTime(workspace.created_at) ?? head.created;
  const clientName = toText(start.clientName);
  return {
    sessionId,
    startTime,
    modifiedTime: head.modified > startTime ? head.modified : startTime,
    ...(workspace.summary ? { summary: workspace.summary } : {}),
    ...(workspace.name ? { name: workspace.name } : {}),
    ...(clientName ? { clientName } : {}),
    ...(context ? { context } : {}),
  };
}

interface Head {
  readonly text: string;
  readonly created: string;
  readonly modified: string;
}

async function readHead(path: string): Promise<Head | undefined> {
  try {
    const file = await open(path, "r");
    try {
      const { size, birthtime, mtime } = await file.stat();
      if (size === 0) return undefined;
      const buffer = Buffer.allocUnsafe(Math.min(size, headBytes));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      const text = buffer.toString("utf8", 0, bytesRead);
      return { text, created: birthtime.toISOString(), modified: mtime.toISOString() };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

interface SessionStart {
  readonly startTime?: unknown;
  readonly clientName?: unknown;
  readonly context?: unknown;
}

function findStart(text: string): SessionStart {
  for (const line of text.split("\n", 8)) {
    try {
      const event = JSON.parse(line) as { type?: unknown; data?: SessionStart };
      if (event.type === "session.start" && event.data) return event.data;
    } catch {
      // The last line of the head is usually cut; a bad one tells nothing.
    }
  }
  return {};
}

function toContext(value: unknown, workspace: Record<string, string>): SessionContext | undefined {
  const event = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const cwd = toText(event.cwd) ?? workspace.cwd;
  if (!cwd) return undefined;
  const gitRoot = toText(event.gitRoot) ?? workspace.git_root;
  const repository = toText(event.repository) ?? workspace.repository;
  const branch = toText(event.branch) ?? workspace.branch;
  return {
    cwd,
    ...(gitRoot ? { gitRoot } : {}),
    ...(repository ? { repository } : {}),
    ...(branch ? { branch } : {}),
  };
}

function toText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function toTime(value: unknown): string | undefined {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/** The flat `key: value` lines of a YAML file, with quotes and one level of block text. */
export function parseWorkspace(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const match = /^([A-Za-z_][\w-]*):(?:\s+(.*))?$/.exec(lines[i]!);
    if (!match) continue;
    let value = (match[2] ?? "").trim();
    if (/^[|>][-+]?$/.test(value)) {
      const block: string[] = [];
      while (/^\s+\S/.test(lines[i + 1] ?? "")) block.push(lines[++i]!.trim());
      value = block.join(" ");
    }
    values[match[1]!] = unquote(value);
  }
  return values;
}

function unquote(value: string): string {
  if (/^".*"$/.test(value)) {
    try {
      return String(JSON.parse(value));
    } catch {
      return value.slice(1, -1);
    }
  }
  return /^'.*'$/.test(value) ? value.slice(1, -1).replaceAll("''", "'") : value;
}
