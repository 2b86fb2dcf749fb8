/** What the HTTP port shows. */
import { PROTOCOL_VERSION } from "@rightseat/protocol";
import type { Metrics } from "../metrics/prometheus.ts";
import { json, type Page, text } from "./http-server.ts";
import type { ReadinessProbe } from "./readiness.ts";

/**
 * `/healthz`: the process turns; a supervisor restarts it when this stays away. `/readyz`: it can do its
 * work now; a load balancer sends it clients while this is 200.
 */
export function createPages(
  version: string,
  probe: ReadinessProbe,
  metrics: Metrics,
): Readonly<Record<string, () => Page | Promise<Page>>> {
  return {
    "/healthz": () => text(200, "ok\n"),
    "/readyz": async () => {
      const { ready, checks } = await probe.check();
      return json(ready ? 200 : 503, { ready, checks });
    },
    "/metrics": async () => ({ status: 200, contentType: metrics.contentType, body: await metrics.render() }),
    "/version": () => json(200, { version, protocolVersion: PROTOCOL_VERSION, node: process.version }),
  };
}
