/** The value below which a share of the sorted values lies (nearest rank). */
export function quantile(values, share) {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

export const median = (values) => quantile(values, 0.5);

/** How much slower the last part of a series is than the first: 1 is no drift. `share` is the part's size. */
export function drift(values, share) {
  const size = Math.max(1, Math.floor(values.length * share));
  return median(values.slice(-size)) / median(values.slice(0, size));
}

export async function timedMs(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Three significant digits, and whole numbers from 100 on. */
export function rounded(value) {
  if (!Number.isFinite(value)) return value;
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
