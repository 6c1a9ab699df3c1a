/** What a soak has counted, and what it found. Every finding is printed at once, with its time. */
export class Findings {
  readonly #begunMs = performance.now();
  readonly #counts = new Map<string, number>();
  readonly found: string[] = [];

  get secondsIn(): string {
    return ((performance.now() - this.#begunMs) / 1000).toFixed(1);
  }

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  say(line: string): void {
    process.stdout.write(`${this.secondsIn.padStart(7)} ${line}\n`);
  }

  /** Something that must not be. */
  add(what: string): void {
    this.found.push(what);
    this.say(`FOUND ${what}`);
  }

  lines(): string[] {
    return [...this.#counts].sort().map(([what, count]) => `${String(count).padStart(7)} ${what}`);
  }
}
