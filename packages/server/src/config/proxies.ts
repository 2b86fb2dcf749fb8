/** The proxies that the environment names, as other programs read it. */
import type { ProxySettings } from "../network/proxies.ts";
import { ConfigError } from "./config-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined when there is none. @throws ConfigError naming the variable. */
export function readProxies(env: Environment): ProxySettings | undefined {
  const http = readProxy(env, "HTTP_PROXY");
  const https = readProxy(env, "HTTPS_PROXY");
  if (!http && !https) return undefined;
  const [, list] = settingOf(env, "NO_PROXY") ?? [];
  const exempt = (list ?? "").split(/[\s,]+/).filter((entry) => entry !== "");
  return { ...(http ? { http } : {}), ...(https ? { https } : {}), exempt };
}

function readProxy(env: Environment, variable: string): URL | undefined {
  const [name, value] = settingOf(env, variable) ?? [];
  if (value === undefined) return undefined;
  const address = value.includes("://") ? value : `http://${value}`;
  // The value may hold a password: it is not repeated.
  if (!URL.canParse(address))
    throw new ConfigError(`${name}: expected the address of a proxy, like http://proxy:3128`);
  const url = new URL(address);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new ConfigError(
      `${name}: expected a proxy of http or https, got one of ${url.protocol.slice(0, -1)}`,
    );
  return url;
}

/** Lower case goes first, as with curl. */
function settingOf(env: Environment, variable: string): readonly [name: string, value: string] | undefined {
  for (const name of [variable.toLowerCase(), variable]) {
    const value = env[name]?.trim();
    if (value) return [name, value];
  }
  return undefined;
}
