/**
 * All references of the metadata to blocks, a range of block ids at a time.
 *
 * References come in the order of files, the store's lists in the order of ids. To put a billion of
 * them side by side in bounded memory, the metadata is read several times, and each time only ids
 * of one range are kept. The range is narrowed while reading whenever memory runs out: so nobody
 * has to guess how many there are, and a small server needs one reading.
 */
import { HoldfastError } from '../../base/errors.ts';
import { nextTurn } from './budget.ts';
import type { FindingKind } from './finding.ts';
import { readManifest, readManifestEntries } from './manifest-format.ts';
import type { ManifestEntry } from './manifest-format.ts';
import type { ManifestKey, ManifestSource } from './manifest-source.ts';
import { isWithin } from './volume/volume-catalog.ts';
import type { IdRange } from './volume/volume-catalog.ts';
import type { Pace } from './volume/volume-window.ts';

const ENTRY_BYTES = 36;
const PAGE_ROWS = 128;
export const RANGE_ENTRIES_MAX = 256 * 1024;

export interface ReferenceParts {
  source: ManifestSource;
  /** Reads a block that lists blocks; undefined when it cannot be read. */
  readBlock: (id: string) => Promise<Buffer | undefined>;
  /** A manifest, or a block of one, that cannot be understood. */
  onUnreadable: (kind: FindingKind, key: ManifestKey) => void;
  pace: Pace;
  entriesMax?: number;
}

/** Sorted references without repeats. */
export class ReferenceRange {
  readonly range: IdRange;
  readonly count: number;
  readonly #bytes: Buffer;
  /** One bit of knowledge each, for whoever compares. */
  readonly seen: Uint8Array;

  constructor(range: IdRange, bytes: Buffer) {
    this.range = range;
    this.#bytes = bytes;
    this.count = bytes.length / ENTRY_BYTES;
    this.seen = new Uint8Array(this.count);
  }

  at(index: number): ManifestEntry {
    const from = index * ENTRY_BYTES;
    const id = this.#bytes.toString('hex', from, from + 32);
    return { id, sizeBytes: this.#bytes.readUInt32LE(from + 32) };
  }

  /** The numbers of all references to a block: several when files differ on its length. */
  indexesOf(id: Buffer): number[] {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(middle, id) < 0) low = middle + 1;
      else high = middle;
    }
    const found: number[] = [];
    for (; low < this.count && this.#compare(low, id) === 0; low++) found.push(low);
    return found;
  }

  #compare(index: number, id: Buffer): number {
    const at = index * ENTRY_BYTES;
    return this.#bytes.compare(id, 0, 32, at, at + 32);
  }
}

/** The references from `from` on, as many as fit. The answer's range says how far it goes. */
export async function collectReferences(
  from: string, parts: ReferenceParts,
): Promise<ReferenceRange> {
  const collector = new Collector(from, parts.entriesMax ?? RANGE_ENTRIES_MAX);
  await eachReference(parts, (entry) => collector.add(entry), () => collector.makeRoom());
  return collector.finish();
}

/** Files that refer to one of the blocks right now, a few for each block. */
export async function findOrigins(
  ids: ReadonlySet<string>, parts: ReferenceParts,
): Promise<Map<string, ManifestKey[]>> {
  const origins = new Map<string, ManifestKey[]>();
  await eachReference(parts, ({ id }, key) => {
    if (!ids.has(id)) return;
    const known = origins.get(id) ?? [];
    if (known.length < ORIGINS_MAX) origins.set(id, [...known, key]);
  });
  return origins;
}

/** Those of the blocks that anything refers to. @throws corrupt: something cannot be understood, so
 *  nobody knows what it refers to. */
export async function findReferenced(
  ids: ReadonlySet<string>, parts: Omit<ReferenceParts, 'onUnreadable'>,
): Promise<Set<string>> {
  const found = new Set<string>();
  const onUnreadable = (): never => {
    const message = 'A list of blocks cannot be read, so nobody knows what is still needed.';
    throw new HoldfastError('corrupt', 'durability/findReferenced', message);
  };
  await eachReference({ ...parts, onUnreadable }, ({ id }) => {
    if (ids.has(id)) found.add(id);
  });
  return found;
}

const ORIGINS_MAX = 3;

async function eachReference(
  parts: ReferenceParts,
  take: (entry: ManifestEntry, key: ManifestKey) => void,
  onPage: () => Promise<void> = nextTurn,
): Promise<void> {
  const { source, readBlock, onUnreadable, pace } = parts;
  for (let after: ManifestKey | undefined; ;) {
    await pace.budget?.take(PAGE_ROWS, pace.signal);
    const rows = await source.page(after, PAGE_ROWS);
    if (rows.length === 0) return;
    for (const { key, manifest } of rows) {
      after = key;
      const read = readManifest(manifest);
      if (read === undefined) onUnreadable('manifest-unreadable', key);
      for (const entry of read?.blocks ?? []) {
        take(entry, key);
        if (read?.isIndirect !== true) continue;
        const bytes = await readBlock(entry.id);
        const inner = bytes === undefined ? undefined : readManifestEntries(bytes);
        if (inner === undefined) onUnreadable('manifest-unreadable', key);
        for (const content of inner ?? []) take(content, key);
      }
    }
    await onPage();
  }
}

class Collector {
  #range: IdRange;
  readonly #entriesMax: number;
  #bytes = Buffer.alloc(1024 * ENTRY_BYTES);
  #count = 0;

  constructor(from: string, entriesMax: number) {
    this.#range = { from, to: undefined };
    this.#entriesMax = entriesMax;
  }

  add({ id, sizeBytes }: ManifestEntry): void {
    if (!isWithin(id, this.#range)) return;
    const at = this.#count * ENTRY_BYTES;
    if (at === this.#bytes.length) this.#grow();
    this.#bytes.write(id, at, 32, 'hex');
    this.#bytes.writeUInt32LE(sizeBytes, at + 32);
    this.#count++;
  }

  /** Repeats go first; if that does not make room, the upper half of the range does. */
  async makeRoom(): Promise<void> {
    if (this.#count < this.#entriesMax) return;
    await this.#sortUnique();
    if (this.#count <= this.#entriesMax / 2) return;
    const to = this.#idAt(this.#count >>> 1);
    if (to === this.#range.from) return;
    this.#range = { from: this.#range.from, to };
    while (this.#count > 0 && this.#idAt(this.#count - 1) >= to) this.#count--;
  }

  async finish(): Promise<ReferenceRange> {
    await this.#sortUnique();
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#count * ENTRY_BYTES));
    return new ReferenceRange(this.#range, bytes);
  }

  #grow(): void {
    const grown = Buffer.alloc(this.#bytes.length * 2);
    this.#bytes.copy(grown);
    this.#bytes = grown;
  }

  #idAt(index: number): string {
    return this.#bytes.toString('hex', index * ENTRY_BYTES, index * ENTRY_BYTES + 32);
  }

  async #sortUnique(): Promise<void> {
    const bytes = this.#bytes;
    const sorted = Buffer.alloc(bytes.length);
    let count = 0;
    let last = -1;
    for await (const stretch of sortedStretches(bytes, this.#count)) {
      for (const index of stretch) {
        if (last >= 0 && compareEntries(bytes, last, index) === 0) continue;
        bytes.copy(sorted, count * ENTRY_BYTES, index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES);
        last = index;
        count++;
      }
    }
    this.#bytes = sorted;
    this.#count = count;
  }
}

/** A few milliseconds of sorting: users wait meanwhile. */
const SORTED_PER_TURN = 4096;
const GROUPS = 65_536;

/** The numbers of the entries in ascending order, in stretches, others getting their turn between.
 *  Ids are hashes, so their first two bytes split them into even groups. */
async function* sortedStretches(bytes: Buffer, count: number): AsyncGenerator<Uint32Array> {
  if (count <= SORTED_PER_TURN) {
    const few = Uint32Array.from({ length: count }, (_, index) => index);
    yield few.sort((a, b) => compareEntries(bytes, a, b));
    return;
  }
  const ends = new Uint32Array(GROUPS);
  const groupOf = (index: number): number => bytes.readUInt16BE(index * ENTRY_BYTES);
  for (let index = 0; index < count; index++) {
    const group = groupOf(index);
    ends[group] = (ends[group] ?? 0) + 1;
  }
  let sum = 0;
  const next = new Uint32Array(GROUPS);
  for (let group = 0; group < GROUPS; group++) {
    next[group] = sum;
    sum += ends[group] ?? 0;
    ends[group] = sum;
  }
  await nextTurn();
  const order = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    const group = groupOf(index);
    const place = next[group] ?? 0;
    order[place] = index;
    next[group] = place + 1;
  }
  let sinceTurn = 0;
  for (let group = 0, begin = 0; group < GROUPS; group++) {
    const end = ends[group] ?? begin;
    if (end === begin) continue;
    yield order.subarray(begin, end).sort((a, b) => compareEntries(bytes, a, b));
    sinceTurn += end - begin;
    begin = end;
    if (sinceTurn < SORTED_PER_TURN) continue;
    sinceTurn = 0;
    await nextTurn();
  }
}

function compareEntries(bytes: Buffer, a: number, b: number): number {
  const [left, right] = [a * ENTRY_BYTES, b * ENTRY_BYTES];
  return bytes.compare(bytes, right, right + ENTRY_BYTES, left, left + ENTRY_BYTES);
}
