/** Puts the port for operators together: readiness, metrics, version. Loaded only when it is asked for. */
import type { Announcements } from "../announcements/announcements.ts";
import type { InstrumentRelay } from "../metrics/instruments.ts";
import { LoopDelay } from "../metrics/loop-delay.ts";
import { createMetrics, type Snapshot } from "../metrics/prometheus.ts";
import { type HttpPort, listenHttp } from "./http-server.ts";
import { createPages } from "./pages.ts";
import { type ReadinessOptions, ReadinessProbe } from "./readiness.ts";

export interface OperationsOptions extends Omit<ReadinessOptions, "loopDelay"> {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly version: string;
  readonly snapshot: () => Snapshot;
  /** Is given the metrics to pass things on to. */
  readonly relay: InstrumentRelay;
  readonly announcements: Announcements;
  readonly onError: (error: unknown, path: string) => void;
}

/** Listens. Rejects with the system's error. */
export async function openOperationsPort(options: OperationsOptions): Promise<HttpPort> {
  const loopDelay = new LoopDelay();
  const metrics = createMetrics(options.snapshot, options.version, loopDelay);
  options.relay.target = metrics.instruments;
  options.announcements.subscribe(metrics.listeners);
  const probe = new ReadinessProbe({ ...options, loopDelay });
  const { host, port, onError } = options;
  const pages = createPages(options.version, probe, metrics);
  const http = await listenHttp({ host, port, onError, pages }).catch((error) => {
    loopDelay.close();
    throw error;
  });
  return {
    port: http.port,
    close: () => {
      loopDelay.close();
      http.close();
    },
  };
}
