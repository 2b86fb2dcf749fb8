/** The only place that looks at this process's environment, when it is first needed. */
export function environment(): NodeJS.ProcessEnv {
  // biome-ignore lint/style/noProcessEnv: a runtime that is started here inherits it, as with the official SDK
  return process.env;
}
