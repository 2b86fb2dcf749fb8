#!/usr/bin/env node
// Starts the runtime, where clients look for that of `@github/copilot` and of its packages for each platform.
import { existsSync } from "node:fs";

// What is published brings the runtime along; in a checkout it is the package beside this one.
const packed = new URL("./runtime/bin/rightseat.js", import.meta.url);
await (existsSync(packed) ? import(packed.href) : import("rightseat/bin"));
