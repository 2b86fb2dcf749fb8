import { close } from "node:fs";

/** Something that appends through a descriptor it may lose while it is idle. */
export interface DescriptorOwner {
  /** -1 while it has none. Set by the cache alone. */
  fd: number;
  /** True while a write is under way: its descriptor stays open. */
  readonly busy: boolean;
}

/**
 * Keeps at most `max` descriptors open among many owners; the one used longest ago goes first.
 * When all of them are busy, the next owner waits its turn.
 */
export class DescriptorCache<Owner extends DescriptorOwner> {
  readonly #max: number;
  readonly #openFile: (owner: Owner) => Promise<number>;
  readonly #owners = new Set<Owner>();
  readonly #waiting: (() => void)[] = [];
  #opening = 0;

  constructor(max: number, openFile: (owner: Owner) => Promise<number>) {
    this.#max = max;
    this.#openFile = openFile;
  }

  /** The owner's descriptor; the owner is busy from before this call until after `idle`. */
  acquire(owner: Owner): number | Promise<number> {
    if (owner.fd < 0) return this.#open(owner);
    this.#owners.delete(owner);
    this.#owners.add(owner);
    return owner.fd;
  }

  /** Takes over a descriptor that the owner opened itself; closes it when all places are busy. */
  adopt(owner: Owner, fd: number): void {
    if (!this.#makeRoom()) return close(fd, ignoreResult);
    owner.fd = fd;
    this.#owners.add(owner);
  }

  /** The owner has nothing to write for now: others may use its place. */
  idle(): void {
    this.#waiting.shift()?.();
  }

  /** Closes the owner's descriptor, if it has one. */
  forget(owner: Owner): void {
    if (!this.#owners.delete(owner)) return;
    const fd = owner.fd;
    owner.fd = -1;
    close(fd, ignoreResult);
    this.idle();
  }

  async #open(owner: Owner): Promise<number> {
    while (!this.#makeRoom()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#opening++;
    try {
      owner.fd = await this.#openFile(owner);
      this.#owners.add(owner);
      return owner.fd;
    } finally {
      this.#opening--;
      if (owner.fd < 0) this.idle();
    }
  }

  #makeRoom(): boolean {
    if (this.#owners.size + this.#opening < this.#max) return true;
    for (const owner of this.#owners) {
      if (owner.busy) continue;
      this.#owners.delete(owner);
      const fd = owner.fd;
      owner.fd = -1;
      close(fd, ignoreResult);
      return true;
    }
    return false;
  }
}

// A close that fails has nothing left to do: what was appended is already synced.
function ignoreResult(): void {}
