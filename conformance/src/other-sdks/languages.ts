import { join } from "node:path";
import { PHASES_AND_BLOCKED } from "./scenario.ts";

/** A command line: program and arguments. */
export type CommandLine = readonly [program: string, ...args: string[]];

/** An official SDK, or a client that is built on one, and how a program that uses it is made and run. */
export interface Language {
  /** Its name; its folder in `conformance` too, unless `source` names another. */
  readonly folder: string;
  readonly source?: string;
  /** Other folders in `conformance` that its packages are looked for in. */
  readonly beside?: readonly string[];
  /** For its program alone. */
  readonly env?: Readonly<Record<string, string>>;
  /** The lines that it prints, by phase; default `PHASES`. */
  readonly phases?: readonly (readonly string[])[];
  /** Neither it nor the server may complain: nothing on standard error, no option without effect. */
  readonly isQuiet?: true;
  /** It starts the runtime that RUNTIME_PATH names: there is no address, and nobody to know by a token. */
  readonly startsRuntime?: true;
  /** Not an official SDK: where it cannot be installed, it is skipped. */
  readonly isClient?: true;
  readonly sdk: string;
  /** Whether this version can bring a connection token. */
  readonly bringsToken: boolean;
  /** Programs that have to be there, and how each tells its version. */
  readonly toolchain: readonly CommandLine[];
  /** Run in a copy of the folder, one after the other. Install the SDK and compile. */
  readonly prepare: (workFolder: string) => readonly CommandLine[];
  /** Run in the same copy; gets the phase as its last argument. */
  readonly run: (workFolder: string) => CommandLine;
}

const inFolder = (workFolder: string, ...path: string[]): string => join(workFolder, ...path);
const python = (workFolder: string): string =>
  process.platform === "win32"
    ? inFolder(workFolder, "venv", "Scripts", "python.exe")
    : inFolder(workFolder, "venv", "bin", "python");

const NEWEST_PYTHON = "github-copilot-sdk==1.0.27";
const OPEN_A_DATABASE = 'new (require("better-sqlite3"))(":memory:")';
const npmInstall: CommandLine = [
  "npm",
  "install",
  ...["--no-audit", "--no-fund", "--no-package-lock", "--silent"],
];

const install = (workFolder: string, ...what: string[]): CommandLine[] => [
  ["python3", "-m", "venv", "venv"],
  [python(workFolder), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...what],
];

export const languages: readonly Language[] = [
  {
    folder: "python",
    sdk: "github-copilot-sdk 1.0.14",
    bringsToken: true,
    toolchain: [["python3", "--version"]],
    prepare: (workFolder) => install(workFolder, "-r", "requirements.txt"),
    run: (workFolder) => [python(workFolder), "scenario.py"],
  },
  {
    folder: "python-newest",
    source: "python",
    sdk: "github-copilot-sdk 1.0.27",
    bringsToken: true,
    isQuiet: true,
    phases: PHASES_AND_BLOCKED,
    env: { BLOCKED: "1" },
    toolchain: [["python3", "--version"]],
    prepare: (workFolder) => install(workFolder, NEWEST_PYTHON),
    run: (workFolder) => [python(workFolder), "scenario.py"],
  },
  {
    folder: "node",
    sdk: "@github/copilot-sdk 1.0.15-preview.4",
    bringsToken: true,
    isQuiet: true,
    phases: PHASES_AND_BLOCKED,
    toolchain: [["npm", "--version"]],
    prepare: () => [npmInstall],
    run: () => ["node", "scenario.mjs"],
  },
  {
    folder: "agent-framework",
    sdk: "agent-framework-github-copilot 2.1.0",
    bringsToken: true,
    isQuiet: true,
    isClient: true,
    phases: [
      [
        "run: forty-two",
        "again: and this",
        "tool: done after 1 call",
        "stream: the pieces make up the message",
        "list: 1 session",
      ],
    ],
    toolchain: [["python3", "--version"]],
    prepare: (workFolder) => install(workFolder, "-r", "requirements.txt"),
    run: (workFolder) => [python(workFolder), "scenario.py"],
  },
  {
    folder: "squad",
    beside: ["no-copilot"],
    sdk: "@bradygaster/squad-sdk 0.8.18",
    bringsToken: false,
    isClient: true,
    startsRuntime: true,
    phases: [
      [
        "status: protocol 3",
        "create: the session has the id that was asked for",
        "send: forty-two",
        "resume: and this",
        "list: 1 session",
      ],
    ],
    toolchain: [["npm", "--version"]],
    prepare: () => [npmInstall],
    run: () => ["node", "scenario.mjs"],
  },
  {
    folder: "devmentorai",
    beside: ["no-copilot"],
    sdk: "devmentorai-server 1.8.0",
    bringsToken: false,
    isClient: true,
    startsRuntime: true,
    phases: [["create: done", "send: forty-two", "again: and this", "end: done"]],
    toolchain: [["npm", "--version"]],
    // It keeps its sessions with a module that is compiled, or fetched, when it is installed.
    prepare: () => [npmInstall, ["node", "--input-type=commonjs", "--eval", OPEN_A_DATABASE]],
    run: () => ["node", "scenario.mjs"],
  },
  {
    folder: "go",
    sdk: "github.com/github/copilot-sdk/go v1.0.14",
    bringsToken: true,
    toolchain: [["go", "version"]],
    prepare: () => [["go", "build", "-o", "scenario", "."]],
    run: (workFolder) => [inFolder(workFolder, "scenario")],
  },
  {
    folder: "java",
    sdk: "com.github:copilot-sdk-java 0.3.0-java.2",
    bringsToken: false,
    toolchain: [
      ["javac", "-version"],
      ["mvn", "-version"],
    ],
    prepare: () => [["mvn", "--quiet", "--batch-mode", "package", "dependency:copy-dependencies"]],
    run: (workFolder) => [
      "java",
      "-cp",
      ["classes", "dependency/*"]
        .map((part) => inFolder(workFolder, "target", part))
        .join(process.platform === "win32" ? ";" : ":"),
      "Scenario",
    ],
  },
  {
    folder: "rust",
    sdk: "github-copilot-sdk 1.0.14",
    bringsToken: true,
    toolchain: [["cargo", "--version"]],
    prepare: () => [["cargo", "build", "--quiet"]],
    run: (workFolder) => [inFolder(workFolder, "target", "debug", "scenario")],
  },
  {
    folder: "rust-newest",
    beside: ["rust"],
    sdk: "github-copilot-sdk 1.0.28",
    bringsToken: true,
    isQuiet: true,
    toolchain: [["cargo", "--version"]],
    prepare: () => [["cargo", "build", "--quiet"]],
    run: (workFolder) => [inFolder(workFolder, "target", "debug", "scenario")],
  },
  {
    folder: "dotnet",
    sdk: "GitHub.Copilot.SDK 1.0.14",
    bringsToken: true,
    toolchain: [["dotnet", "--version"]],
    prepare: () => [["dotnet", "build", "--verbosity", "quiet", "--output", "out"]],
    run: (workFolder) => ["dotnet", inFolder(workFolder, "out", "Scenario.dll")],
  },
];
