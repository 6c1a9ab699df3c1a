import { HoldfastError } from '../../../../base/errors.ts';
import type { BlockId } from '../../../../base/ids.ts';
import type { Clock } from '../../../../platform/index.ts';
import { GOING_MS } from '../../leaving-list.ts';
import type { LeavingList, ListedRound } from '../../leaving-list.ts';

interface Row {
  round: number;
  /** Over, or 0: it is not going. */
  goingUntil: number;
}

/** A LeavingList in the memory of one process, for tests. */
export class MemoryLeavingList implements LeavingList {
  readonly #clock: Clock;
  readonly #stores = new Map<string, Map<BlockId, Row>>();
  #round = 0;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async announce(store: string, ids: readonly BlockId[]): Promise<void> {
    const rows = this.#of(store);
    this.#round += 1;
    for (const id of ids) {
      if (!rows.has(id)) rows.set(id, { round: this.#round, goingUntil: 0 });
    }
  }

  async readRound(): Promise<number> {
    this.#check();
    return this.#round;
  }

  async read(store: string): Promise<{ round: number; blocks: ListedRound[] }> {
    const blocks = [...this.#of(store)].map(([id, { round }]) => ({ id, round }));
    return { round: this.#round, blocks };
  }

  async take(store: string, ids: readonly BlockId[], round: number): Promise<BlockId[]> {
    const rows = this.#of(store);
    return ids.filter((id) => {
      const row = rows.get(id);
      if (row === undefined || this.#isGoing(row) || row.round > round) return false;
      row.goingUntil = this.#clock.now() + GOING_MS;
      return true;
    });
  }

  async left(store: string, ids: readonly BlockId[]): Promise<void> {
    const rows = this.#of(store);
    for (const id of ids) rows.delete(id);
  }

  async strike(store: string, ids: readonly BlockId[]): Promise<BlockId[]> {
    const rows = this.#of(store);
    for (const id of ids) {
      const row = rows.get(id);
      if (row !== undefined && !this.#isGoing(row)) rows.delete(id);
    }
    return ids.filter((id) => rows.has(id));
  }

  async prune(store: string, round: number): Promise<void> {
    const rows = this.#of(store);
    for (const [id, row] of rows) {
      if (!this.#isGoing(row) && row.round <= round) rows.delete(id);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #isGoing({ goingUntil }: Row): boolean {
    return goingUntil > this.#clock.now();
  }

  #of(store: string): Map<BlockId, Row> {
    this.#check();
    const rows = this.#stores.get(store) ?? new Map<BlockId, Row>();
    this.#stores.set(store, rows);
    return rows;
  }

  #check(): void {
    if (!this.#isClosed) return;
    throw new HoldfastError('unavailable', 'storage/LeavingList', 'The server is shutting down.');
  }
}
