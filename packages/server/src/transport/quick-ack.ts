/**
 * Ends the 40 ms pauses of clients that we cannot change. SDKs write a frame's header and its body as
 * two small writes; Nagle's algorithm holds the second back until the first is acknowledged, and the
 * kernel delays that acknowledgement. When the beginning of a frame has arrived, we therefore have it
 * acknowledged at once: `TCP_QUICKACK`, which is not permanent and is set again after each such read.
 *
 * Node has no call for it. Without the foreign-function library, or elsewhere than on Linux,
 * everything works all the same, slower.
 */
import type { Duplex } from "node:stream";

const IPPROTO_TCP = 6;
const TCP_QUICKACK = 12;

type SetSocketOption = (fd: number, level: number, name: number, value: number[], length: number) => number;

export interface QuickAck {
  /** Loads the library, if that was not done yet. Tells `onUnavailable` when that fails; never rejects. */
  load(): Promise<void>;
  /** Acknowledges what has arrived on a TCP connection. Never throws; does nothing for other streams. */
  acknowledge(stream: Duplex): void;
  /** How often that was done. */
  readonly count: number;
}

/** @param onUnavailable told once, when the library cannot be loaded on a platform that has the option. */
export function createQuickAck(onUnavailable: (error: unknown) => void): QuickAck {
  const hasOption = process.platform === "linux";
  let setSocketOption: SetSocketOption | undefined;
  let loading: Promise<void> | undefined;
  let count = 0;
  const load = (): Promise<void> => {
    if (!hasOption) return Promise.resolve();
    loading ??= loadSetSocketOption().then((loaded) => {
      setSocketOption = loaded;
    }, onUnavailable);
    return loading;
  };
  return {
    load,
    acknowledge: (stream) => {
      const fd = (stream as { _handle?: { fd?: number } | null })._handle?.fd;
      if (fd === undefined || fd < 0) return;
      if (!setSocketOption) {
        void load();
        return;
      }
      setSocketOption(fd, IPPROTO_TCP, TCP_QUICKACK, [1], 4);
      count += 1;
    },
    get count() {
      return count;
    },
  };
}

async function loadSetSocketOption(): Promise<SetSocketOption> {
  const { default: koffi } = await import("koffi");
  return koffi.load(null).func("int setsockopt(int, int, int, const int *, uint32_t)") as SetSocketOption;
}
