/**
 * A program that does to a folder of volumes all that ends their lives, until it is killed: blocks
 * are stored and given up, volumes are ended because they are old or asked to, compacted, moved to
 * the trash and unlinked. It tells of each step in a line of its standard output.
 *
 * Its only argument is an `Order` in JSON.
 */
import { writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BlockId } from '../../src/base/ids.ts';
import type { Witness } from '../../src/base/witness.ts';
import { ManualClock } from '../../src/platform/index.ts';
import { Block } from '../../src/storage/index.ts';
import { LocalVolumeStore } from '../../src/storage/backends/local/local-volume-store.ts';
import { SeededRandom } from '../support/random.ts';

export interface Order {
  readonly folder: string;
  readonly seed: number;
  /** Numbers of the blocks that are needed. */
  readonly needed: readonly number[];
  /** The number of the next block. */
  readonly next: number;
  readonly witness: Witness;
  readonly nowMs: number;
}

/** What it tells. `stored`: a promise. `dropped`: from here on nobody needs these. */
export type Told =
  | { readonly what: 'ready' | 'sealing' | 'sealed' | 'compacting' | 'compacted' | 'unlinked' }
  | { readonly what: 'stored'; readonly number: number; readonly witness: Witness }
  | { readonly what: 'dropped'; readonly numbers: readonly number[] };

const DAY_MS = 24 * 60 * 60 * 1000;
const GARBAGE_SHARE = 0.2;

export function blockOf(number: number): Block {
  const sizeBytes = 50 + ((number * 7919) % 9000);
  return Block.of([Buffer.alloc(sizeBytes, `block ${number}; `)]);
}

export async function openVolumes(
  { folder, witness, nowMs }: Order, onFinding: (kind: string) => void = () => undefined,
): Promise<{ store: LocalVolumeStore; clock: ManualClock }> {
  const clock = new ManualClock(nowMs);
  const store = await LocalVolumeStore.open({
    root: folder, witness, clock,
    config: {
      volumeBytesMax: 96 * 1024, sealAfterMs: DAY_MS, reserveBytes: 0, recentBytesMax: 0,
      hintEveryBlocks: 10, batchRecordsMax: 6,
    },
    onFinding: ({ kind }) => onFinding(kind),
  });
  return { store, clock };
}

function tell(told: Told): void {
  writeSync(1, `${JSON.stringify(told)}\n`);
}

class Life {
  readonly #store: LocalVolumeStore;
  readonly #clock: ManualClock;
  readonly #random: SeededRandom;
  readonly #needed: Set<number>;
  #next: number;

  constructor(order: Order, { store, clock }: Awaited<ReturnType<typeof openVolumes>>) {
    this.#store = store;
    this.#clock = clock;
    this.#random = new SeededRandom(order.seed);
    this.#needed = new Set(order.needed);
    this.#next = order.next;
  }

  async live(): Promise<never> {
    const random = this.#random;
    tell({ what: 'ready' });
    for (;;) {
      await Promise.all(Array.from({ length: random.between(1, 6) }, () => this.#put()));
      if (random.next() < 0.4) this.#drop();
      if (random.next() < 0.4) await this.#end(random.next() < 0.5);
      if (random.next() < 0.6) await this.#compact();
      if (random.next() < 0.2) await this.#emptyTrash();
      await nextTurn();
    }
  }

  async #put(): Promise<void> {
    const number = this.#next++;
    await this.#store.put(blockOf(number));
    this.#needed.add(number);
    tell({ what: 'stored', number, witness: this.#store.witness() });
  }

  get #neededIds(): BlockId[] {
    return [...this.#needed].map((number) => blockOf(number).id);
  }

  #drop(): void {
    const numbers = [...this.#needed].filter(() => this.#random.next() < 0.3);
    for (const number of numbers) this.#needed.delete(number);
    // In short lines: a longer one could be cut in the middle.
    for (let at = 0; at < numbers.length; at += 100) {
      tell({ what: 'dropped', numbers: numbers.slice(at, at + 100) });
    }
    const { reclaim } = this.#store;
    const census = reclaim.beginCensus();
    reclaim.need(census, this.#neededIds);
    reclaim.condemn(census, numbers.map((number) => blockOf(number).id));
  }

  /** Ends the volume that is being written, while more is stored. */
  async #end(isAged: boolean): Promise<void> {
    const { keeper } = this.#store;
    const open = await keeper.useOfOpen();
    if (open === undefined) return;
    tell({ what: 'sealing' });
    const puts = [this.#put(), this.#put()];
    if (isAged) {
      this.#clock.advance(2 * DAY_MS);
      await this.#store.endDegraded(); // Resolves when what was to be sealed is.
    } else await keeper.sealOpen(open.volumeId);
    tell({ what: 'sealed' });
    await Promise.all(puts);
  }

  async #compact(): Promise<void> {
    const { keeper } = this.#store;
    const ids: number[] = [];
    for await (const { volumeId, recordBytes, liveBytes } of keeper.listUses()) {
      if (recordBytes - liveBytes >= GARBAGE_SHARE * recordBytes) ids.push(volumeId);
    }
    for (const volumeId of ids) {
      tell({ what: 'compacting' });
      const puts = [this.#put(), this.#put()];
      await keeper.compact(volumeId);
      await keeper.moveToTrash(volumeId);
      tell({ what: 'compacted' });
      await Promise.all(puts);
    }
  }

  async #emptyTrash(): Promise<void> {
    const { keeper } = this.#store;
    const ids = (await keeper.listTrash()).map(({ volumeId }) => volumeId);
    if (ids.length === 0) return;
    const inspection = await keeper.inspectTrash(ids);
    inspection.need(this.#neededIds);
    for (const { volumeId, rescuedCount } of await inspection.finish()) {
      if (rescuedCount === 0) await keeper.unlink(volumeId);
    }
    tell({ what: 'unlinked' });
  }
}

const [text] = process.argv.slice(2);
if (import.meta.main && text !== undefined) {
  const order = JSON.parse(text) as Order;
  await new Life(order, await openVolumes(order)).live();
}
