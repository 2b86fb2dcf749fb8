#!/usr/bin/env node
// The command `copilot`, for scripts and images that call the runtime by that name.
import "../index.js";
