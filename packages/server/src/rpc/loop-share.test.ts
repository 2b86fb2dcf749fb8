import { describe, expect, test } from "vitest";
import { LoopShares } from "./loop-share.ts";

describe("the share of a tenant", () => {
  test("is a tenth of the time, beyond what may come at once, while another tenant says something", () => {
    const shares = new LoopShares();
    const quiet = shares.of("quiet");
    quiet.took(0.1, 0);
    const share = shares.of("large");
    share.took(50, 100);
    expect(share.restMs(100)).toBe(0);
    share.took(20, 100);
    expect(share.restMs(100)).toBe(200);
    expect(share.restMs(250)).toBe(50);
    expect(share.restMs(300)).toBe(0);
    share.took(10, 300);
    expect(share.restMs(300)).toBe(100);
    expect(quiet.restMs(300)).toBe(0);
  });

  test("is all of it while nobody else says anything", () => {
    const shares = new LoopShares();
    const quiet = shares.of("quiet");
    const share = shares.of("large");
    share.took(1_000, 0);
    expect(share.restMs(0)).toBe(0);
    quiet.took(0.1, 0);
    share.took(1_000, 10_000);
    expect(share.restMs(10_000)).toBe(0);
  });

  test("owes nothing for what it took alone, rests no longer than some seconds, and not when the others have gone", () => {
    const shares = new LoopShares();
    const quiet = shares.of("quiet");
    const share = shares.of("large");
    for (let at = 0; at < 600_000; at += 10) share.took(5, at);
    quiet.took(0.1, 600_000);
    share.took(5, 600_000);
    expect(share.restMs(600_000)).toBe(0);
    share.took(60_000, 600_000);
    expect(share.restMs(600_000)).toBe(5_000);
    quiet.took(0.1, 580_000);
    expect(share.restMs(602_000)).toBe(0);
  });

  test("counts no message that takes as long as ordinary ones do", () => {
    const shares = new LoopShares();
    const quiet = shares.of("quiet");
    quiet.took(0.1, 0);
    const share = shares.of("many");
    for (let at = 0; at < 10_000; at += 1) share.took(1.9, 0);
    expect(share.restMs(0)).toBe(0);
  });
});
