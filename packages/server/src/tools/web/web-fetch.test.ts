import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createBuiltInTools } from "../built-in.ts";
import type { PermissionAsk, ToolContext, ToolResult } from "../tool.ts";
import { fetchPage } from "./fetch-page.ts";
import { assertFetchable } from "./guarded-request.ts";
import { toMarkdown } from "./to-markdown.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

interface Site extends AsyncDisposable {
  readonly host: string;
  readonly url: string;
  requests: IncomingMessage[];
  connections: number;
  /** The connections that are open now. */
  readonly open: Set<unknown>;
}

async function startSite(handler: Handler): Promise<Site> {
  const requests: IncomingMessage[] = [];
  const open = new Set<unknown>();
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  server.on("connection", (socket) => {
    site.connections += 1;
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const site: Site = {
    host,
    url: `http://${host}`,
    requests,
    open,
    connections: 0,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return site;
}

const asked: PermissionAsk[] = [];
let verdict = { allowed: true, message: "" };
const privateHosts: string[] = [];
const tool = createBuiltInTools({
  sessionId: "s",
  workingDirectory: () => "/",
  largeOutputDirectory: () => undefined,
  privateHosts: () => privateHosts,
  environment: () => ({}),
}).tools.find((candidate) => candidate.definition.name === "web_fetch")!;

const newContext = (signal = new AbortController().signal): ToolContext => ({
  sessionId: "s",
  toolCallId: "t",
  signal,
  workingDirectory: "/",
  onOutput: () => {},
  ask: async (ask) => {
    asked.push(ask);
    return verdict;
  },
});
const run = (args: object, context = newContext()): Promise<ToolResult> => tool.run(args, context);

beforeEach(() => {
  asked.length = 0;
  privateHosts.length = 0;
  verdict = { allowed: true, message: "" };
});

let site: Site;
const serve = async (handler: Handler) => {
  site = await startSite(handler);
  privateHosts.push(site.host);
};
const page = (body: string | Buffer, headers: Record<string, string> = { "content-type": "text/html" }) =>
  serve((_request, response) => response.writeHead(200, headers).end(body));
afterEach(() => site[Symbol.asyncDispose]());

describe("a page", () => {
  test("is Markdown, without what is not for readers", async () => {
    await page(`<!doctype html><html><head><title>The &amp; title</title><style>x{}</style></head><body>
      <script>alert(1)</script><h2>Head</h2><p>Some <b>bold</b> <a href="/x">link</a>.</p>
      <ul><li>one</li><li>two</li></ul><pre><code>code()</code></pre>
      <img alt="Dot" src="data:image/png;base64,AAAA"><img alt="Pic" src="/pic.png">
      <table><thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td>1</td><td>2|3</td></tr></tbody></table>
      </body></html>`);
    const { text } = await run({ url: `${site.url}/` });
    expect(text).toBe(
      [
        "# The & title",
        "## Head",
        "Some **bold** [link](/x).",
        "-   one\n-   two",
        "```\ncode()\n```",
        "Dot![Pic](/pic.png)",
        "| A | B |\n| --- | --- |\n| 1 | 2\\|3 |",
      ].join("\n\n"),
    );
    expect(site.requests[0]?.headers).toMatchObject({ host: site.host });
    expect(Object.keys(site.requests[0]?.headers ?? {})).not.toContain("cookie");
  });

  test.each([
    ["without a head", "<tr><td>1<td>2<tr><td>3<td>4", "| 1 | 2 |\n| --- | --- |\n| 3 | 4 |"],
    ["with a caption", "<caption>Cap</caption><col><tr><th>A<tr><td>1", "Cap\n\n| A |\n| --- |\n| 1 |"],
    [
      "with two rows of heads, and several bodies",
      "<thead><tr><th>A<tr><th>B<tbody><tr><td>1<tbody><tr><td>2",
      "| A |\n| --- |\n| B |\n| 1 |\n| 2 |",
    ],
    ["with a cell of two columns", "<tr><th colspan=2>A<tr><td>1<td>2", "| A |  |\n| --- | --- |\n| 1 | 2 |"],
    [
      "with lists, lines and pipes",
      "<tr><th>A<th>B<tr><td><ul><li>1<li>2</ul><td>a||b<br>c",
      "| A | B |\n| --- | --- |\n| -   1 -   2 | a\\|\\|b c |",
    ],
    [
      "that arranges a page",
      "<tr><td><ul><li>menu</ul><td><table><tr><th>A<tr><td>1</table>",
      "-   menu\n\n| A |\n| --- |\n| 1 |",
    ],
    ["of one cell", "<tr><td><h2>T</h2><p>text", "## T\n\ntext"],
  ])("has a table %s", async (_, rows, markdown) => {
    await page("");
    expect(await toMarkdown(`<table>${rows}</table>`, newContext().signal)).toBe(markdown);
  });

  test("is HTML when asked for raw", async () => {
    await page("<p>hi</p>");
    expect((await run({ url: site.url, raw: true })).text).toBe("<p>hi</p>");
  });

  test("comes in parts", async () => {
    await page("0123456789".repeat(10), { "content-type": "text/plain" });
    const part = async (more: object) => (await run({ url: site.url, ...more })).text;
    expect(await part({ max_length: 5 })).toBe(
      "01234\n\n(Characters 0 to 5 of 100. Use start_index 5 for what follows.)",
    );
    expect(await part({ max_length: 5, start_index: 95 })).toBe("56789\n\n(Characters 95 to 100 of 100.)");
    expect(await part({ start_index: 500 })).toBe("(Characters 100 to 100 of 100.)");
    expect(await part({})).toBe("0123456789".repeat(10));
  });

  test("that is not there is a failure with its status", async () => {
    await serve((_request, response) => response.writeHead(404, { "content-type": "text/plain" }).end("no"));
    expect(await run({ url: `${site.url}/x` })).toMatchObject({
      resultType: "failure",
      text: `${site.url}/x was answered with 404 Not Found.\n\nno`,
    });
  });

  test("is read in its encoding", async () => {
    await page(Buffer.from("<p>\xe9t\xe9</p>", "latin1"), {
      "content-type": "text/html; charset=ISO-8859-1",
    });
    expect((await run({ url: site.url })).text).toBe("été");
  });

  test.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
  ] as const)("is unpacked: %s", async (encoding, pack) => {
    await page(pack("hello"), { "content-type": "text/plain", "content-encoding": encoding });
    expect((await run({ url: site.url })).text).toBe("hello");
  });
});

describe("bounds", () => {
  test("a page without end is cut, however well it is compressed", async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, "a"));
    await page(bomb, { "content-type": "text/plain", "content-encoding": "gzip" });
    const { text } = await run({ url: site.url, max_length: 10 });
    expect(text).toContain(`of ${5 * 1024 * 1024}.`);
    expect(text).toContain("its end is missing");
  });

  test.each([
    ["image/png", "x"],
    ["application/octet-stream", "x"],
    ["application/pdf", "%PDF"],
    ["text/plain", "a\0b"],
  ])("what is not text is refused: %s", async (type, body) => {
    await page(body, { "content-type": type });
    await expect(run({ url: site.url })).rejects.toThrow("cannot be shown");
    await expect.poll(() => site.open.size).toBe(0);
  });

  test("a page that takes too long to convert is given up, and another one converted meanwhile", async () => {
    await page("<p>quick</p>");
    const deep = toMarkdown("<div>".repeat(20_000), newContext().signal, 500).catch((error) => error.message);
    expect((await run({ url: site.url })).text).toBe("quick");
    expect(await deep).toBe("The page could not be converted; fetch it with raw.");
    expect(await toMarkdown("<script>".repeat(100_000), newContext().signal)).toBe("");
    const wide = await toMarkdown("<table><tr><td colspan=100000000>a<td>b</table>", newContext().signal);
    expect(wide.length).toBeLessThan(1000);
  });

  test("a server that does not answer is left after a while", async () => {
    await serve(() => {});
    const signal = new AbortController().signal;
    const options = { privateHosts, signal, mayFollow: async () => true, timeoutMs: 100 };
    await expect(fetchPage(new URL(site.url), options)).rejects.toThrow("longer than 0.1 seconds");
    await expect.poll(() => site.open.size).toBe(0);
  });

  test("an abort ends it in the middle of the body", async () => {
    await serve((_request, response) => response.writeHead(200, { "content-type": "text/plain" }).write("a"));
    const abort = new AbortController();
    const running = run({ url: site.url }, newContext(abort.signal));
    await expect.poll(() => site.requests.length).toBe(1);
    abort.abort(new Error("stopped"));
    await expect(running).rejects.toThrow("stopped");
    await expect.poll(() => site.open.size).toBe(0);
  });
});

describe("addresses that models may not reach", () => {
  test.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://192.168.0.1/",
    "http://localhost/",
    "http://localhost./",
    "http://app.localhost/",
    "http://user:password@example.com/",
    "http://user@example.com/",
    "file:///etc/passwd",
    "ftp://example.com/",
    "data:text/plain,hi",
  ])("%s is refused before anybody is asked", async (url) => {
    await page("");
    const permission = async () => tool.permission!({ url }, newContext());
    await expect(permission()).rejects.toThrow(/cannot be fetched|can be fetched/);
    await expect(run({ url })).rejects.toThrow(/cannot be fetched|can be fetched/);
    expect(site.connections).toBe(0);
  });

  test("a name that leads to one is refused where it is resolved, whatever it led to before", async () => {
    await page("secret");
    privateHosts.length = 0;
    const port = site.host.split(":")[1];
    const answers = [["127.0.0.1"], ["10.0.0.1", "127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], []];
    for (const addresses of answers) {
      const lookUp = (_name: string, _options: unknown, callback: (...args: unknown[]) => void) =>
        callback(
          null,
          addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
        );
      const options = {
        privateHosts,
        signal: new AbortController().signal,
        mayFollow: async () => true,
        lookUp: lookUp as never,
      };
      await expect(fetchPage(new URL(`http://rebinding.example:${port}/`), options)).rejects.toThrow(
        "rebinding.example is not on the public internet",
      );
    }
    expect(site.connections).toBe(0);
  });

  test("the one host that the server's owner allows is reached, and no other port of it", () => {
    for (const url of ["http://127.0.0.1:8080/", "http://wiki.internal/x"])
      expect(() => assertFetchable(new URL(url), ["127.0.0.1:8080", "wiki.internal"])).not.toThrow();
    expect(() => assertFetchable(new URL("http://127.0.0.1:8081/"), ["127.0.0.1:8080"])).toThrow();
  });
});

describe("redirects", () => {
  const redirectTo = (target: () => string) =>
    serve((request, response) => {
      if (request.url === "/end") response.writeHead(200, { "content-type": "text/plain" }).end("here");
      else response.writeHead(302, { location: target() }).end();
    });

  test("on the same site are followed", async () => {
    await redirectTo(() => "/end");
    expect((await run({ url: `${site.url}/start` })).text).toBe(`here\n\n(Redirected to ${site.url}/end.)`);
    expect(asked).toEqual([]);
  });

  test("to another site are asked for first", async () => {
    await using other = await startSite((_request, response) =>
      response.writeHead(200, { "content-type": "text/plain" }).end("elsewhere"),
    );
    privateHosts.push(other.host);
    await redirectTo(() => `${other.url}/end`);
    verdict = { allowed: false, message: "No." };
    expect(await run({ url: `${site.url}/start` })).toMatchObject({
      resultType: "denied",
      text: `${site.url}/start redirects to ${other.url}/end. No.`,
    });
    expect(other.connections).toBe(0);
    expect(asked).toEqual([
      {
        kind: "url",
        intention: `Follow a redirect from ${site.url}/start to ${other.url}/end`,
        url: `${other.url}/end`,
        redirectedFrom: `${site.url}/start`,
      },
    ]);
    verdict = { allowed: true, message: "" };
    expect((await run({ url: `${site.url}/start` })).text).toContain("elsewhere");
  });

  test.each(["http://169.254.169.254/", "http://[::1]:80/", "http://localhost:1/", "file:///etc/passwd"])(
    "to %s are refused, and nobody is asked",
    async (target) => {
      await redirectTo(() => target);
      await expect(run({ url: `${site.url}/start` })).rejects.toThrow(/cannot be fetched|can be fetched/);
      expect(asked).toEqual([]);
    },
  );

  test("without end are left", async () => {
    await redirectTo(() => "/again");
    await expect(run({ url: `${site.url}/start` })).rejects.toThrow("redirects more than 5 times");
    expect(site.requests).toHaveLength(6);
  });
});

test("what is no address is said", async () => {
  await page("");
  await expect(run({ url: "example.com" })).rejects.toThrow("must be a whole address");
  await expect(run({})).rejects.toThrow('"url" is required');
});
