/**
 * Garbage leaves the second place of a mirror as well, after the first one.
 *
 * A collector of its own works there, with a ledger of its own, by the same rules: two censuses a
 * day apart, two weeks of trash, two inspections. Three rules more:
 * - What the first place has is needed here, whether or not anything refers to it. So claims of
 *   uploads, and every mercy of the first collector, count here without being asked for.
 * - Nothing is unlinked here before the first place has unlinked whatever it had put into its trash
 *   until then: a volume taken back there finds its copy here.
 * - It works only when nothing waits to be copied, and has both places compared afterwards: a block
 *   that came back in the very moment in which it left here is copied again.
 */
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import { GarbageCollector, VolumeLedger } from '../durability/index.ts';
import type { CollectorParts, CollectorReport } from '../durability/index.ts';
import { SqliteGcStore } from '../durability/gc/stores/sqlite/sqlite-gc-store.ts';
import { RECLAIM_PAGE_MAX } from '../storage/index.ts';
import type { BlockStore, MirrorStore } from '../storage/index.ts';
import type { BlockId } from '../base/ids.ts';
import { MIRROR_LEDGER, MIRROR_NOTES } from './mirror-place.ts';
import type { MirroredStore } from './mirror-place.ts';

export interface MirrorCollectionParts extends Pick<
  CollectorParts, 'metadata' | 'homes' | 'clock' | 'pace' | 'onTrouble'
> {
  readonly root: string;
  readonly mirror: Pick<MirrorStore, 'places' | 'status' | 'compareSoon'>;
  readonly mirrored: () => MirroredStore | undefined;
  /** Of the first place. */
  readonly collector: Pick<GarbageCollector, 'listTrash'>;
}

export class MirrorCollection {
  readonly #parts: MirrorCollectionParts;
  #opened: { collector: GarbageCollector; close: () => Promise<void> } | undefined;

  constructor(parts: MirrorCollectionParts) {
    this.#parts = parts;
  }

  /** To be called when a run in the first place has just ended well, not while one is under way.
   *  Undefined: the second place is away, or something waits to be copied; nothing was done.
   *  @throws as GarbageCollector.run. */
  async run(signal?: AbortSignal): Promise<CollectorReport | undefined> {
    const { mirror } = this.#parts;
    const { lag, comparison } = mirror.status();
    if (lag.blocks > 0 || !lag.isComplete) return undefined;
    if (comparison.isDue || comparison.comparedMs === undefined) return undefined;
    const collector = await this.#collector();
    if (collector === undefined) return undefined;
    try {
      return await collector.run(signal === undefined ? {} : { signal });
    } finally {
      if (signal?.aborted !== true) mirror.compareSoon();
    }
  }

  /** Takes back what is in the trash of the second place. @throws not-found; unavailable: it is
   *  away. */
  async restore(volumeId: number): Promise<void> {
    const collector = await this.#collector();
    if (collector !== undefined) return collector.restore(volumeId);
    const message = 'The second place of the mirror does not answer. Try again later.';
    throw new HoldfastError('unavailable', 'app/MirrorCollection.restore', message);
  }

  /** Undefined: the second place is away. */
  async #collector(): Promise<GarbageCollector | undefined> {
    const second = this.#parts.mirrored();
    if (second === undefined) return undefined;
    if ('ready' in second) await second.ready();
    this.#opened ??= await this.#open(second);
    return this.#opened.collector;
  }

  async close(): Promise<void> {
    await this.#opened?.close();
    this.#opened = undefined;
  }

  async #open(second: MirroredStore) {
    const { root, mirror, collector: first, ...common } = this.#parts;
    const notes = SqliteGcStore.open(join(root, MIRROR_NOTES));
    try {
      const opened = await VolumeLedger.open(join(root, MIRROR_LEDGER), notes);
      const collector = new GarbageCollector({
        ...common, notes, blocks: second, reclaim: second.reclaim, volumes: second.keeper,
        also: () => pagesOf(mirror.places.first),
        mayUnlink: ({ since }) => first.listTrash().every((there) => there.since > since),
      }, opened);
      const close = async (): Promise<void> => {
        await opened.ledger.close();
        notes.close();
      };
      return { collector, close };
    } catch (error) {
      notes.close();
      throw error;
    }
  }
}

async function* pagesOf(store: BlockStore): AsyncGenerator<readonly BlockId[]> {
  let page: BlockId[] = [];
  for await (const id of store.list()) {
    page.push(id);
    if (page.length < RECLAIM_PAGE_MAX) continue;
    yield page;
    page = [];
  }
  yield page;
}
