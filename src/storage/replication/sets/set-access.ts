import { HoldfastError } from '../../../base/errors.ts';
import type { Clock } from '../../../platform/index.ts';
import { ErasureSet } from '../../erasure/erasure-set.ts';
import { parityName } from '../../erasure/set-layout.ts';
import type { SetPlaces, ShardPlace } from '../../erasure/shard-place.ts';
import type { CopyTable } from '../copy-table.ts';
import type { DiskLink } from '../disk-link.ts';
import { volumeName } from '../file-names.ts';
import { LinkFiles } from './link-files.ts';
import type { KnownSet, SetTable } from './set-table.ts';

/** Sets that are kept open for readers. */
const OPEN_MAX = 4;
/** A disk may have come back since, or a shard may have been made anew. */
const OPEN_FOR_MS = 5000;

/** A volume of a set, computed from the other shards where its own file does not help. */
export interface DecodedVolume {
  size(): Promise<number>;
  /** As VolumeFile.read. @throws unavailable: too many shards are out of reach or damaged. */
  read(into: Uint8Array, position: number): Promise<number>;
}

export interface SetAccessParts {
  readonly links: readonly DiskLink[];
  readonly copies: CopyTable;
  readonly sets: SetTable;
  readonly clock: Clock;
}

interface OpenSet {
  readonly opening: Promise<ErasureSet>;
  readonly openedMs: number;
  readonly generation: number;
  users: number;
}

/** What is known of the files of one shard. */
interface Sightings {
  readonly states: ReadonlyMap<string, string>;
  readonly home: string;
  /** Also on disks that have fallen silent. */
  readonly evenSilent: boolean;
}

/** Finds and opens the shards of sets. */
export class SetAccess {
  readonly #parts: SetAccessParts;
  /** The most recently opened last. */
  readonly #open = new Map<KnownSet, OpenSet>();

  constructor(parts: SetAccessParts) {
    this.#parts = parts;
  }

  /** The volume; undefined when it is in no set. */
  decoded(volumeId: number | undefined): DecodedVolume | undefined {
    const set = this.#parts.sets.find(volumeId);
    if (set === undefined || volumeId === undefined) return undefined;
    const shard = set.shardOf(volumeId) ?? 0;
    return {
      size: () => Promise.resolve(set.record.volumes[shard]?.sizeBytes ?? 0),
      read: async (into, position) => {
        const bytes = await this.#shared(set, (opened) =>
          opened.read(shard, position, into.length));
        into.set(bytes);
        return bytes.length;
      },
    };
  }

  /** The set, opened for the caller alone, who closes it.
   *  @throws as ErasureSet.open; corrupt: the parity files are of another set. */
  async open(set: KnownSet, evenSilent = false): Promise<ErasureSet> {
    const { storeId, number, setId } = set.record;
    const expect = { storeId: Buffer.from(storeId, 'hex'), number };
    const opened = await ErasureSet.open(this.places(set, evenSilent), { expect });
    if (opened.facts.id.toString('hex') === setId) return opened;
    await opened.close();
    const message = 'The parity files of a set are those of another one. Look at what is mounted.';
    throw new HoldfastError('corrupt', 'storage/ErasureSets.open', message, { facts: { number } });
  }

  /** Where each shard is, as far as its disk answers, or may answer: the soundest file of each. */
  places(set: KnownSet, evenSilent = false): SetPlaces {
    const { record } = set;
    const data = record.volumes.map(({ volumeId, diskId: home }) => {
      const { states } = this.#parts.copies.find(volumeId) ?? { states: new Map<string, string>() };
      return this.#best({ states, home, evenSilent }, volumeName(volumeId));
    });
    const parity = record.parityDiskIds.map((home, at) => {
      const shard = set.data + at;
      const states = set.parity.get(shard) ?? new Map<string, string>();
      return this.#best({ states, home, evenSilent }, parityName(record.number, shard));
    });
    return { data, parity };
  }

  /** Before shards are moved or made: readers open the set anew. */
  async forget(set: KnownSet): Promise<void> {
    const known = this.#open.get(set);
    this.#open.delete(set);
    if (known?.users === 0) await release(known);
  }

  async close(): Promise<void> {
    for (const set of [...this.#open.keys()]) await this.forget(set);
  }

  #best({ states, home, evenSilent }: Sightings, name: string): ShardPlace | undefined {
    const rank = ['good', 'unchecked', 'damaged', 'stale'];
    const rankOf = ({ id, silentSinceMs }: DiskLink): number =>
      rank.indexOf(states.get(id) ?? '') + (silentSinceMs === undefined ? 0 : rank.length);
    const found = this.#parts.links
      .filter(({ id, inUse, silentSinceMs }) => inUse && rank.includes(states.get(id) ?? '')
        && (evenSilent || silentSinceMs === undefined))
      .sort((a, b) => rankOf(a) - rankOf(b) || Number(b.id === home) - Number(a.id === home));
    return found[0] && { files: new LinkFiles(found[0]), name };
  }

  /** What was opened before may have missed a disk that is back by now, and so may what is known of
   *  silent disks: then once more, anew, and asking them too. */
  async #shared<T>(set: KnownSet, use: (opened: ErasureSet) => Promise<T>): Promise<T> {
    const { generation } = set.record;
    const openedMs = this.#parts.clock.monotonic();
    let known = this.#open.get(set);
    const isStale = known !== undefined
      && (openedMs - known.openedMs > OPEN_FOR_MS || known.generation !== generation);
    if (isStale) await this.forget(set);
    known = this.#open.get(set);
    if (known === undefined) {
      known = { opening: this.open(set), openedMs, generation, users: 0 };
      this.#open.set(set, known);
    }
    try {
      return await this.#with(set, known, use);
    } catch {
      known = { opening: this.open(set, true), openedMs, generation, users: 0 };
      return this.#with(set, known, use);
    }
  }

  async #with<T>(
    set: KnownSet, known: OpenSet, use: (opened: ErasureSet) => Promise<T>,
  ): Promise<T> {
    known.users++;
    try {
      return await use(await known.opening);
    } catch (error) {
      if (this.#open.get(set) === known) this.#open.delete(set);
      throw error;
    } finally {
      known.users--;
      if (known.users === 0 && this.#open.get(set) !== known) await release(known);
      await this.#evict();
    }
  }

  async #evict(): Promise<void> {
    for (const [set, { users }] of this.#open) {
      if (this.#open.size <= OPEN_MAX) return;
      if (users === 0) await this.forget(set);
    }
  }
}

/** It was never opened, or only read from: nothing is lost with it. */
async function release({ opening }: OpenSet): Promise<void> {
  await opening.then((opened) => opened.close(), () => undefined);
}
