/** What the network of one client does to it. Each fault ends by itself. */
import type { Way } from "@rightseat/testing";
import type { Participant } from "./participant.ts";
import type { Scene } from "./scene.ts";

export function cut(scene: Scene, { name, proxy }: Participant): void {
  scene.note(`${name} is cut off`);
  scene.faults += 1;
  proxy.cutAll();
}

/** Nothing passes for a while, and then everything. */
export function stall(scene: Scene, { name, proxy }: Participant, ms: number): void {
  scene.note(`${name} is stalled for ${ms} ms`);
  scene.faults += 1;
  proxy.freeze();
  heal(scene, ms, () => {
    scene.note(`${name} goes on`);
    proxy.thaw();
  });
}

/** What is sent goes nowhere, until it is cut. */
export function swallow(scene: Scene, { name, proxy }: Participant, way: Way, ms: number): void {
  scene.note(`${name} is swallowed (${way}) for ${ms} ms`);
  scene.faults += 1;
  proxy.swallow(way);
  heal(scene, ms, () => {
    scene.note(`${name} is cut off`);
    scene.faults += 1;
    proxy.cutAll();
  });
}

function heal(scene: Scene, ms: number, end: () => void): void {
  const healed = new Promise<void>((resolve) => {
    setTimeout(() => {
      end();
      resolve();
    }, ms);
  });
  scene.healing.add(healed);
  void healed.then(() => scene.healing.delete(healed));
}
