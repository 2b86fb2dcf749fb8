/** What becomes of every field that comes with a prompt, and of those of its attachments. */
import type { PublishedMethods } from "@rightseat/protocol";
import {
  differsFrom,
  type FieldRule,
  type FieldRules,
  honoured,
  none,
  nothing,
  refused,
  within,
} from "./field-rules.ts";

type SendField = keyof PublishedMethods["session.send"]["params"];

const REPO = within({ id: honoured, name: honoured, owner: honoured });
const LINES = within({ start: honoured, end: honoured });
const POSITION = within({ line: honoured, character: honoured });
const FILE_SIDE = within({ repo: REPO, ref: honoured, path: honoured });
const TREE_SIDE = within({ repo: REPO, revision: honoured });
/** How events tell of content that is kept elsewhere; from a client it says nothing. */
const STORED = none("has no effect: it is only told by the server", nothing);

const GITHUB = { type: honoured, url: honoured };
const ATTACHMENTS: Readonly<Record<string, FieldRules>> = {
  file: {
    type: honoured,
    path: honoured,
    displayName: honoured,
    lineRange: LINES,
    taggedFilesEntry: honoured,
    mimeType: STORED,
    assetId: STORED,
    byteLength: STORED,
    omittedReason: STORED,
  },
  directory: { type: honoured, path: honoured, displayName: honoured, taggedFilesEntry: honoured },
  selection: {
    type: honoured,
    filePath: honoured,
    displayName: honoured,
    text: honoured,
    selection: within({ start: POSITION, end: POSITION }),
  },
  blob: {
    type: honoured,
    data: honoured,
    mimeType: honoured,
    displayName: honoured,
    assetId: STORED,
    byteLength: STORED,
    omittedReason: STORED,
  },
  extension_context: {
    type: honoured,
    extensionId: honoured,
    canvasId: honoured,
    instanceId: honoured,
    title: honoured,
    payload: honoured,
    capturedAt: honoured,
  },
  github_reference: {
    ...GITHUB,
    number: honoured,
    title: honoured,
    referenceType: honoured,
    state: honoured,
  },
  github_commit: { ...GITHUB, repo: REPO, oid: honoured, message: honoured },
  github_release: { ...GITHUB, repo: REPO, tagName: honoured, name: honoured },
  github_actions_job: {
    ...GITHUB,
    repo: REPO,
    jobId: honoured,
    jobName: honoured,
    workflowName: honoured,
    conclusion: honoured,
  },
  github_repository: { ...GITHUB, repo: REPO, description: honoured, ref: honoured },
  github_file_diff: { ...GITHUB, head: FILE_SIDE, base: FILE_SIDE },
  github_tree_comparison: { ...GITHUB, head: TREE_SIDE, base: TREE_SIDE },
  github_url: GITHUB,
  github_file: { ...GITHUB, repo: REPO, ref: honoured, path: honoured },
  github_snippet: { ...GITHUB, repo: REPO, ref: honoured, path: honoured, lineRange: LINES },
};

const TYPE_ALONE: FieldRules = { type: honoured };
const attachments = within(({ type }) =>
  typeof type === "string" && Object.hasOwn(ATTACHMENTS, type)
    ? (ATTACHMENTS[type] as FieldRules)
    : TYPE_ALONE,
);

const SHARED = {
  mode: honoured,
  prepend: honoured,
  agentMode: honoured,
  source: honoured,
  requestHeaders: honoured,
  billable: none("has no effect: what a prompt costs is the provider's to say", differsFrom(true)),
  requiredTool: refused("asks that the prompt fails without a tool, which would not be looked at"),
  responseFormat: within({
    type: honoured,
    jsonSchema: within({ name: honoured, description: honoured, schema: honoured, strict: honoured }),
  }),
  traceparent: none("has no effect: traces are not exported"),
  tracestate: none("has no effect: traces are not exported"),
  wait: none("has no effect: the call is answered as soon as the prompt is kept"),
} as const satisfies FieldRules;

const MESSAGE = { prompt: honoured, displayPrompt: honoured, attachments } as const satisfies FieldRules;

export const SEND_FIELDS: FieldRules = {
  sessionId: honoured,
  messageId: honoured,
  ...MESSAGE,
  ...SHARED,
} satisfies Record<SendField, FieldRule> & FieldRules;

export const SEND_MESSAGES_FIELDS: FieldRules = {
  sessionId: honoured,
  messages: within({ ...SHARED, ...MESSAGE }),
  ...SHARED,
};

export const FLEET_FIELDS: FieldRules = {
  sessionId: honoured,
  prompt: honoured,
  attachments,
  billable: SHARED.billable,
  wait: honoured,
};
