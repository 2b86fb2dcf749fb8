import { setMaxListeners } from "node:events";

/**
 * What aborts a run. Each tool call that is waited for listens to its signal, and takes its listeners off
 * when it ends; a model may ask for hundreds at once, which Node would take for a leak.
 */
export function createRunController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
