import { describe, expect, test } from "vitest";
import { FairPlaces } from "./fair-places.ts";

// Each wait has a run's signal of its own.
const never = () => new AbortController().signal;

describe("FairPlaces", () => {
  test("places are taken at once until there are none", () => {
    const places = new FairPlaces(2);
    expect([places.tryTake("a"), places.tryTake("a"), places.tryTake("b")]).toEqual([true, true, false]);
    places.giveBack("a");
    expect(places.tryTake("b")).toBe(true);
  });

  test("a tenant with one prompt does not wait behind a tenant with a hundred", async () => {
    const places = new FairPlaces(2);
    const order: string[] = [];
    places.tryTake("busy");
    places.tryTake("busy");
    const waits = [];
    for (let n = 0; n < 100; n += 1)
      waits.push(places.wait("busy", never()).then(() => void order.push("busy")));
    waits.push(places.wait("small", never()).then(() => void order.push("small")));
    places.giveBack("busy");
    await Promise.resolve();
    expect(order).toEqual(["small"]);
    places.giveBack("small");
    await Promise.resolve();
    expect(order).toEqual(["small", "busy"]);
    for (let left = 100; left > 0; left -= 1) {
      places.giveBack("busy");
      await Promise.resolve();
    }
    await Promise.all(waits);
    expect(places.waiting).toBe(0);
  });

  test("who goes on is served before those of its tenant who begin, and behind those who went on before it", async () => {
    const places = new FairPlaces(1);
    places.tryTake("a");
    const order: string[] = [];
    const waits = (["begins", "goes on", "goes on later"] as const).map((who) =>
      places.wait("a", never(), who !== "begins").then(() => void order.push(who)),
    );
    for (let left = waits.length; left > 0; left -= 1) {
      places.giveBack("a");
      await Promise.resolve();
    }
    await Promise.all(waits);
    expect(order).toEqual(["goes on", "goes on later", "begins"]);
  });

  test("a tenant has no more than it may, whatever is free", async () => {
    const places = new FairPlaces(10, (tenant) => (tenant === "a" ? 1 : 5));
    expect([places.tryTake("a"), places.tryTake("a"), places.tryTake("b")]).toEqual([true, false, true]);
    let second = false;
    const waits = places.wait("a", never()).then(() => {
      second = true;
    });
    places.giveBack("b");
    await Promise.resolve();
    expect(second).toBe(false);
    places.giveBack("a");
    await waits;
    expect(places.takenBy("a")).toBe(1);
  });

  test("who gives up while waiting takes no place", async () => {
    const places = new FairPlaces(1);
    places.tryTake("a");
    const controller = new AbortController();
    const given = places.wait("b", controller.signal);
    const stays = places.wait("c", never());
    controller.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    places.giveBack("a");
    await stays;
    expect(places.takenBy("b")).toBe(0);
    expect(places.takenBy("c")).toBe(1);
  });

  test("never more than there are, and everybody is served, whatever happens in which order", async () => {
    let seed = 11;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    const places = new FairPlaces(3);
    let running = 0;
    let most = 0;
    const run = async (tenant: string) => {
      const controller = new AbortController();
      if (!places.tryTake(tenant)) {
        if (random() < 0.2) setImmediate(() => controller.abort(new Error("gone")));
        try {
          await places.wait(tenant, controller.signal);
        } catch {
          return "gone";
        }
      }
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      places.giveBack(tenant);
      return "served";
    };
    const ends = await Promise.all(Array.from({ length: 2_000 }, () => run(`t${Math.floor(random() * 7)}`)));
    expect(most).toBe(3);
    expect(running).toBe(0);
    expect(ends.filter((end) => end === "served").length).toBeGreaterThan(1_000);
    expect(places.waiting).toBe(0);
    for (let tenant = 0; tenant < 7; tenant += 1) expect(places.takenBy(`t${tenant}`)).toBe(0);
  });
});
