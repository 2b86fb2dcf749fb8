// This file says who may import whom. The table is in ARCHITECTURE.md; a change here is a change there.

const SERVER = "^packages/server/src";
const PROTOCOL = "^packages/protocol/";
/** Which addresses may be reached; knows nothing of ours. */
const NETWORK = "^packages/server/src/network/";
const TEST = "\\.test\\.ts$|/contract/|/test/";

/** The files of a seam: its interface, registry and helpers, and none of its implementations. */
const seam = (folder) => `${SERVER}/${folder}/[^/]+\\.ts$`;

/** A rule: modules of one server folder import themselves, the protocol, what is listed, and nothing else of ours. */
function serverFolder(folder, allowed, comment) {
  return {
    name: `server-${folder}`,
    comment,
    severity: "error",
    from: { path: `${SERVER}/${folder}/`, pathNot: TEST },
    to: { path: "^packages/", pathNot: [PROTOCOL, `${SERVER}/${folder}/`, ...allowed] },
  };
}

/** A rule: an implementation of a seam imports the seam and itself, never a sibling or another part of the server. */
function implementations(folder, guests = "^$") {
  return {
    name: `server-${folder}-implementation`,
    comment: `an implementation in ${folder}/ imports its interface, the helpers beside it, and its driver`,
    severity: "error",
    from: { path: `${SERVER}/${folder}/([^/]+)/`, pathNot: [TEST, guests] },
    to: { path: "^packages/", pathNot: [PROTOCOL, NETWORK, seam(folder), `${SERVER}/${folder}/$1/`] },
  };
}

/** A rule: implementations that build on siblings, and the siblings they may build on. */
function guestsOf(folder, guests, hosts) {
  return {
    name: `server-${folder}-guests`,
    severity: "error",
    from: { path: guests, pathNot: TEST },
    to: { path: "^packages/", pathNot: [PROTOCOL, seam(folder), guests, hosts] },
  };
}

/** What a session is made of, lowest first: each floor imports those below it. ARCHITECTURE.md says what each is. */
const FLOORS = ["log", "state", "members", "open", "abilities", "runs"];

/** What a session is able to do, lowest first, all on one floor: each imports those before it. */
const ABILITIES = [
  "workspace",
  "agents",
  "permissions",
  "questions",
  "tools",
  "hooks",
  "context",
  "commands",
  "github",
  "loop",
  "sub-agents",
];

/** What sessions know of the rest of the server. */
const AROUND_SESSIONS = [
  `${SERVER}/(agent|announcements|discovery|file-history|hooks|permissions)/`,
  `${SERVER}/metrics/instruments\\.ts$`,
  seam("models"),
  seam("tools"),
  seam("store"),
];

/** A rule: a floor of `session/` imports itself and the floors below. */
function sessionFloor(name, index) {
  return {
    name: `session-floor-${name}`,
    comment: `session/${name}/ stands on ${FLOORS.slice(0, index).join(", ") || "nothing of session/"}`,
    severity: "error",
    from: { path: `${SERVER}/session/${name}/`, pathNot: TEST },
    to: {
      path: "^packages/",
      pathNot: [PROTOCOL, `${SERVER}/session/(${FLOORS.slice(0, index + 1).join("|")})/`, ...AROUND_SESSIONS],
    },
  };
}

/** A rule: an ability imports the abilities before it in the list. */
function ability(name, index) {
  return {
    name: `session-ability-${name}`,
    comment: `session/abilities/${name}/ may use ${ABILITIES.slice(0, index).join(", ") || "no other ability"}`,
    severity: "error",
    from: { path: `${SERVER}/session/abilities/${name}/`, pathNot: TEST },
    to: {
      path: `${SERVER}/session/abilities/`,
      pathNot: `${SERVER}/session/abilities/(${ABILITIES.slice(0, index + 1).join("|")})/`,
    },
  };
}

/** A rule: one package imports only what the table of packages allows. */
function packageRule(name, folder, allowed, comment) {
  return {
    name: `package-${name}`,
    comment,
    severity: "error",
    from: { path: folder, pathNot: TEST },
    to: { path: "^(packages|testing|conformance|bench|examples)/", pathNot: [folder, ...allowed] },
  };
}

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "protocol-no-node",
      comment: "the protocol runs anywhere: no Node built-ins and no packages",
      severity: "error",
      from: { path: "^packages/protocol/src/", pathNot: TEST },
      to: { dependencyTypes: ["core", "npm", "npm-dev", "npm-optional", "npm-peer"] },
    },
    packageRule("protocol", "^packages/protocol/", [], "protocol imports no other package of ours"),
    packageRule("server", "^packages/server/", [PROTOCOL], "the server imports the protocol"),
    packageRule("sdk", "^packages/sdk/", [PROTOCOL], "the SDK imports the protocol"),
    packageRule(
      "copilot-command",
      "^packages/copilot-command/",
      ["^packages/server/"],
      "the command copilot starts the server",
    ),
    {
      name: "outsiders",
      comment: "conformance, bench and examples drive a runtime over the wire, never through its internals",
      severity: "error",
      from: { path: "^(conformance|bench|examples)/" },
      to: { path: "^packages/(server|protocol)/" },
    },
    {
      name: "no-testing-in-sources",
      comment: "what helps tests does not ship",
      severity: "error",
      from: { path: "^packages/[^/]+/src/", pathNot: TEST },
      to: { path: "^testing/|^node_modules/vitest/|\\.test\\.ts$" },
    },
    serverFolder(
      "config",
      [
        seam("models"),
        seam("store"),
        `${SERVER}/(auth/access|limits/limits)-config\\.ts$`,
        `${SERVER}/rpc/principal\\.ts$`,
        `${SERVER}/logs/`,
        `${SERVER}/network/proxies\\.ts$`,
        `${SERVER}/tools/user-home\\.ts$`,
      ],
      "configuration knows the interfaces it describes",
    ),
    serverFolder(
      "auth",
      [`${SERVER}/rpc/principal\\.ts$`, `${SERVER}/strangers/`],
      "who is let in: implements what a connection asks of its gatekeeper",
    ),
    serverFolder("limits", [seam("store")], "limits count and refuse; they know the store's interface"),
    serverFolder(
      "announcements",
      [seam("store")],
      "what happens is told without knowing who tells it or who listens",
    ),
    serverFolder("metrics", [`${SERVER}/announcements/`], "metrics are told of by others and know nobody"),
    serverFolder(
      "http",
      [`${SERVER}/(announcements|metrics)/`, seam("store"), `${SERVER}/strangers/`],
      "the port for operators shows metrics and asks the store",
    ),
    serverFolder("network", [], "which addresses may be reached is asked by models and tools alike"),
    serverFolder("logs", [], "lines go to files and pipes; what they say is for others to know"),
    serverFolder("strangers", [], "those who have not said who they are; knows nobody"),
    serverFolder("transport", [`${SERVER}/strangers/`], "transport moves bytes: it imports the protocol"),
    serverFolder("rpc", [`${SERVER}/strangers/`], "rpc imports the protocol; the method table is injected"),
    serverFolder(
      "methods",
      [
        `${SERVER}/(sessions?|accounts|rpc|discovery)/`,
        "-(registry|directory)\\.ts$",
        `${SERVER}/limits/governor\\.ts$`,
        `${SERVER}/models/model-provider\\.ts$`,
        seam("store"),
        `${SERVER}/tools/session-todos\\.ts$`,
        `${SERVER}/tools/shell-task\\.ts$`,
      ],
      "a method turns parameters into a call of a session or a registry, and speaks of what they speak of",
    ),
    {
      name: "session-has-floors-alone",
      comment: "a file of session/ is on one of its floors",
      severity: "error",
      from: { path: `${SERVER}/session/[^/]+\\.ts$` },
      to: {},
    },
    ...FLOORS.map(sessionFloor),
    ...ABILITIES.map(ability),
    serverFolder(
      "sessions",
      [`${SERVER}/session/`, ...AROUND_SESSIONS],
      "the open sessions of a node: found, made, joined, ended; above all that one session is",
    ),
    serverFolder(
      "file-history",
      [`${SERVER}/tools/regular-file\\.ts$`],
      "what files held is kept and put back without knowing of sessions",
    ),
    serverFolder("discovery", [], "discovery reads files and knows nothing of sessions"),
    serverFolder("permissions", [seam("store"), seam("tools")], "permissions judge what tools ask for"),
    serverFolder(
      "hooks",
      [`${SERVER}/discovery/`, seam("tools")],
      "hooks know the tools' interface, and the files that hold some; who has hooks, and what comes of them, is given to them",
    ),
    serverFolder(
      "agent",
      [seam("models"), seam("tools"), seam("permissions"), seam("hooks")],
      "the loop imports the interfaces of models, tools, permissions and hooks",
    ),
    implementations("models", `${SERVER}/models/(azure|copilot)/`),
    // Azure and GitHub host the wires of others under addresses and credentials of their own.
    guestsOf(
      "models",
      `${SERVER}/models/(azure|copilot)/`,
      `${SERVER}/models/(openai-chat|openai-responses|anthropic)/`,
    ),
    implementations("store"),
    implementations("tools"),
    {
      name: "compose-only-by-server",
      comment: "compose/ is a part of the composition root: nobody else builds on it",
      severity: "error",
      from: { path: `${SERVER}/`, pathNot: [TEST, `${SERVER}/(server\\.ts$|compose/)`] },
      to: { path: `${SERVER}/compose/` },
    },
    {
      name: "concrete-only-in-server",
      comment:
        "server.ts and compose/, the composition root, alone name concrete stores, providers and tools; two factories load providers and tools when they are first needed",
      severity: "error",
      from: {
        path: `${SERVER}/`,
        pathNot: [
          TEST,
          `${SERVER}/(server\\.ts$|compose/)`,
          `${SERVER}/models/create-provider\\.ts$`,
          `${SERVER}/tools/built-in\\.ts$`,
          `${SERVER}/(models|store|tools)/[^/]+/`,
        ],
      },
      to: { path: `${SERVER}/(models|store|tools)/[^/]+/` },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/dist/|/generated/.*\\.mjs$" },
    includeOnly: "^(packages|testing|conformance|bench|examples)/|^node_modules/|^[a-z_/]+$",
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["rightseat-source", "import", "node", "default", "types"],
      extensions: [".ts", ".mjs", ".js", ".d.ts", ".d.mts", ".json"],
    },
  },
};
