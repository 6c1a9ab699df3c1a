/** The value that `share` of the sorted values do not exceed (nearest rank); NaN when empty. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const rank = Math.ceil(sorted.length * share) - 1;
  return sorted[Math.min(sorted.length - 1, Math.max(0, rank))] ?? Number.NaN;
}

/** The middle value; of an even number the lower one, so that it is a value that was measured. */
export function median(values: readonly number[]): number {
  return percentile(values.toSorted((a, b) => a - b), 0.5);
}

/** The item whose number is the median of all. */
export function medianBy<T>(items: readonly T[], number: (item: T) => number): T | undefined {
  const sorted = items.toSorted((a, b) => number(a) - number(b));
  return sorted[Math.max(0, Math.ceil(sorted.length / 2) - 1)];
}

/** Latencies of one cell, kept as they come; grows by doubling. */
export class LatencyLog {
  #values = new Float64Array(4096);
  #count = 0;

  add(ms: number): void {
    if (this.#count === this.#values.length) {
      const wider = new Float64Array(this.#count * 2);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#count] = ms;
    this.#count += 1;
  }

  summary(): { count: number; p50Ms: number; p99Ms: number } {
    const sorted = this.#values.slice(0, this.#count).sort();
    return { count: this.#count, p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) };
  }
}
