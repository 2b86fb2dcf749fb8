/**
 * Those who hold a place and have not shown yet what they want. When places run out, the one that has had its time
 * goes: the oldest of the origin that has the most. Whoever says soon who it is keeps its place, however many
 * others say nothing.
 */
import { networkOf } from "./network-of.ts";

export class Newcomers<T> {
  /** Oldest first. */
  readonly #byNetwork = new Map<string, Set<T>>();
  readonly #networks = new Map<T, string>();

  get size(): number {
    return this.#networks.size;
  }

  add(one: T, remoteAddress: string | undefined): void {
    const network = networkOf(remoteAddress);
    this.#networks.set(one, network);
    const others = this.#byNetwork.get(network);
    if (others) others.add(one);
    else this.#byNetwork.set(network, new Set([one]));
  }

  /** Removes one that has shown what it wants, or that has gone. */
  delete(one: T): void {
    const network = this.#networks.get(one);
    if (network === undefined) return;
    this.#networks.delete(one);
    const others = this.#byNetwork.get(network);
    others?.delete(one);
    if (others?.size === 0) this.#byNetwork.delete(network);
  }

  /** The one whose place is to be given to another; undefined when there is none. */
  first(): T | undefined {
    let crowd: Set<T> | undefined;
    for (const others of this.#byNetwork.values()) if (others.size > (crowd?.size ?? 0)) crowd = others;
    const [oldest] = crowd ?? [];
    return oldest;
  }
}
