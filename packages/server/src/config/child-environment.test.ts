import { describe, expect, test } from "vitest";
import { childEnvironment } from "./child-environment.ts";
import { loadConfig } from "./load-config.ts";
import { unattendedEnvironment } from "./unattended-environment.ts";

const NONE = { passed: undefined, authTokenEnv: undefined };

describe("childEnvironment", () => {
  test("has what programs need to run", () => {
    const env = { PATH: "/bin", HOME: "/h", LANG: "C", LC_ALL: "C", TZ: "UTC", TERM: "dumb", CI: "1" };
    expect(childEnvironment({ ...env, NODE_EXTRA_CA_CERTS: "/ca.pem" }, NONE)).toEqual({
      ...env,
      NODE_EXTRA_CA_CERTS: "/ca.pem",
    });
  });

  test("has nothing else, whatever it is called", () => {
    const env = {
      MYSQL_PWD: "s",
      SENTRY_DSN: "https://s@x.example/1",
      SLACK_WEBHOOK_URL: "https://hooks.example/s",
      AZURE_STORAGE_CONNECTION_STRING: "AccountKey=s",
      COPILOT_PROVIDER_HEADERS: "{}",
      SSH_AUTH_SOCK: "/agent",
      NODE_OPTIONS: "--require x",
      LD_PRELOAD: "x.so",
      PLAIN: "1",
    };
    expect(childEnvironment(env, NONE)).toEqual({});
  });

  test("has proxies without the user and password in them", () => {
    const env = {
      https_proxy: "http://u:p@proxy:3128",
      HTTP_PROXY: "u:p@proxy:1",
      NO_PROXY: ".local,10.0.0.1",
    };
    expect(childEnvironment(env, NONE)).toEqual({
      https_proxy: "http://proxy:3128",
      HTTP_PROXY: "proxy:1",
      NO_PROXY: ".local,10.0.0.1",
    });
  });

  test("has what the operator names, as it is, and what begins so", () => {
    const env = { HTTPS_PROXY: "http://u:p@proxy", MY_A: "1", MY_B: "2", OTHER: "3" };
    expect(childEnvironment(env, { ...NONE, passed: "HTTPS_PROXY, MY_*" })).toEqual({
      HTTPS_PROXY: "http://u:p@proxy",
      MY_A: "1",
      MY_B: "2",
    });
  });

  test("never has what the server's settings are read from", () => {
    const env = {
      COPILOT_PROVIDER_API_KEY: "s",
      GH_TOKEN: "s",
      OPENAI_API_KEY: "s",
      MY_GH: "s",
      PATH: "/bin",
    };
    expect(childEnvironment(env, { passed: "*", authTokenEnv: "MY_GH" })).toEqual({ PATH: "/bin" });
    for (const passed of ["GH_TOKEN", "MY_GH", "COPILOT_ANYTHING"])
      expect(() => childEnvironment(env, { passed, authTokenEnv: "MY_GH" })).toThrow(
        `passEnvironment: expected names of variables that the server's own settings are not read from, got '${passed}'`,
      );
  });

  test("never has what makes commands do more than their words say", () => {
    const names = [
      "BASH_ENV",
      "ENV",
      "CDPATH",
      "BASH_FUNC_ls%%",
      "SHELLOPTS",
      "GLOBIGNORE",
      "POSIXLY_CORRECT",
    ];
    names.push("LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "GCONV_PATH", "RIPGREP_CONFIG_PATH");
    names.push(
      "GIT_DIR",
      "GIT_CONFIG_COUNT",
      "GIT_EXTERNAL_DIFF",
      "TAR_OPTIONS",
      "LESSOPEN",
      "OLDPWD",
      "PS4",
    );
    const env = Object.fromEntries([...names, "PATH", "GIT_AUTHOR_NAME"].map((name) => [name, "x"]));
    expect(childEnvironment(env, { ...NONE, passed: "*" })).toEqual({ PATH: "x", GIT_AUTHOR_NAME: "x" });
    for (const passed of names)
      expect(() => childEnvironment(env, { ...NONE, passed })).toThrow(
        `passEnvironment: expected names of variables that do not change what commands do, got '${passed}'`,
      );
  });

  test("is what the settings hold for the processes that the server starts", () => {
    const invocation = loadConfig(["--auth-token-env", "MY_GH", "--pass-environment", "PLAIN"], {
      PATH: "/bin",
      MY_GH: "s",
      PLAIN: "1",
      DATABASE_URL: "postgres://u:p@h/d",
    });
    expect(invocation.kind === "serve" && invocation.config.environment).toEqual(
      unattendedEnvironment({
        PATH: "/bin",
        PLAIN: "1",
      }),
    );
  });
});
