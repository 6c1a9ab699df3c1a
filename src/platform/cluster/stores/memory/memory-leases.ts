import type { Clock } from '../../../clock.ts';
import { clusterClosed } from '../../cluster-refusals.ts';
import type { Lease, LeaseRecord, Leases } from '../../leases.ts';

interface Row {
  holder: string;
  epoch: number;
  until: number;
}

/** Leases in the memory of one process, for tests: several of these may share their rows. */
export class MemoryLeases implements Leases {
  readonly #clock: Clock;
  readonly #rows: Map<string, Row>;
  #isClosed = false;

  constructor(clock: Clock, shared?: MemoryLeases) {
    this.#clock = clock;
    this.#rows = shared === undefined ? new Map<string, Row>() : shared.#rows;
  }

  async take(name: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    this.#check();
    const row = this.#rows.get(name) ?? { holder, epoch: 0, until: 0 };
    if (row.until > this.#now() && row.holder !== holder) return undefined;
    const epoch = row.epoch + 1;
    this.#rows.set(name, { holder, epoch, until: this.#now() + ttlMs });
    return { name, holder, epoch };
  }

  async renew(lease: Lease, ttlMs: number): Promise<boolean> {
    const row = this.#held(lease);
    if (row !== undefined) row.until = this.#now() + ttlMs;
    return row !== undefined;
  }

  async release(lease: Lease): Promise<void> {
    const row = this.#held(lease);
    if (row !== undefined) row.until = 0;
  }

  async holds(lease: Lease): Promise<boolean> {
    return this.#held(lease) !== undefined;
  }

  async list(): Promise<LeaseRecord[]> {
    this.#check();
    const names = [...this.#rows].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return names.map(([name, { holder, epoch, until }]) =>
      ({ name, holder, epoch, leftMs: until - this.#now() }));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #held({ name, holder, epoch }: Lease): Row | undefined {
    this.#check();
    const row = this.#rows.get(name);
    const isHeld = row?.holder === holder && row.epoch === epoch && row.until > this.#now();
    return isHeld ? row : undefined;
  }

  #now(): number {
    return this.#clock.now();
  }

  #check(): void {
    if (this.#isClosed) throw clusterClosed();
  }
}
