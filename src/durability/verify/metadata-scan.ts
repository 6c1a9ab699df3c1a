/**
 * Every block that the metadata refers to: is it in a volume, with a sound record header, and as
 * long as the file says?
 *
 * The volumes are asked themselves, not the running store's index. A suspect is looked at a second
 * time in another way before it is reported: all records are walked, footers aside, and the
 * metadata is read again, since meanwhile a volume may have been rewritten and a file deleted.
 */
import type { Clock } from '../../platform/index.ts';
import type { Budget } from './budget.ts';
import { PassClock, readStatus } from './coverage.ts';
import type { Pass } from './coverage.ts';
import type { FindingDesk } from './finding-desk.ts';
import type { FindingKind } from './finding.ts';
import { placeOfManifest } from './manifest-source.ts';
import type { ManifestKey, ManifestSource } from './manifest-source.ts';
import { collectReferences, findOrigins } from './reference-range.ts';
import type { ReferenceParts, ReferenceRange } from './reference-range.ts';
import { TRAITS } from './verifier.ts';
import type { RunOptions, RunOutcome, Verifier, VerifierStatus } from './verifier.ts';
import type { VerifyStore } from './verify-store.ts';
import {
  ALL_IDS, blockReader, listBlocksOf, listVolumes, readHeaderOf,
} from './volume/volume-catalog.ts';
import type { BlockSource, CatalogBlock } from './volume/volume-catalog.ts';
import type { ReadableVolume } from './volume/volume-folder.ts';
import type { Pace } from './volume/volume-window.ts';

export interface MetadataScanParts extends BlockSource {
  source: ManifestSource;
  store: VerifyStore;
  desk: FindingDesk;
  clock: Clock;
  cycleMs?: number;
  /** References held in memory at a time. */
  entriesMax?: number;
}

const SCOPE = 'all';
const ID = 'metadata-scan';
/** Suspects that are looked at twice and reported one by one in a run; the rest wait for repair. */
const SUSPECTS_MAX = 1_000;

interface Suspect {
  id: string;
  sizeBytes: number;
  /** A record that its footer promises and whose header is not sound. */
  damagedAt?: { volumeId: number; offset: number };
}

export class MetadataScan implements Verifier {
  readonly id = ID;
  readonly unit = TRAITS[ID].unit;
  readonly cycleMs: number;
  readonly #parts: MetadataScanParts;
  readonly #passes: PassClock;
  #reports = 0;

  constructor(parts: MetadataScanParts) {
    this.#parts = parts;
    this.cycleMs = parts.cycleMs ?? TRAITS[ID].cycleMs;
    this.#passes = new PassClock(parts.store, ID);
  }

  status(): VerifierStatus {
    const { store, clock } = this.#parts;
    return readStatus(store, ID, { nowMs: clock.now(), cycleMs: this.cycleMs });
  }

  async run(budget: Budget, signal: AbortSignal, options: RunOptions = {}): Promise<RunOutcome> {
    const { clock } = this.#parts;
    const outcome: RunOutcome = { result: 'checked', checked: 0, reports: 0 };
    const isDue = options.everything === true || this.#passes.isDue(clock.now(), this.cycleMs);
    if (!isDue) return outcome;
    const expected = this.#passes.lastWhole()?.checked;
    const pass = this.#passes.beginOrResume(clock.now());
    this.#reports = 0;
    for (let from = typeof pass.cursor === 'string' ? pass.cursor : ''; ;) {
      const references = await this.#scanRange(from, { budget, signal });
      pass.checked += references.count;
      outcome.checked += references.count;
      options.onProgress?.(pass.checked, expected);
      if (references.range.to === undefined) break;
      from = references.range.to;
      pass.cursor = from;
      this.#passes.save(pass);
    }
    this.#finish(pass);
    if (pass.checked === 0) {
      const reason = 'no file has any content yet';
      return { result: 'nothing-to-do', checked: 0, reports: this.#reports, reason };
    }
    return { ...outcome, reports: this.#reports };
  }

  #finish(pass: Pass): void {
    const { clock, desk } = this.#parts;
    this.#passes.finish(pass, clock.now());
    desk.settle(ID, pass.begunMs, SCOPE);
  }

  async #scanRange(from: string, pace: Pace): Promise<ReferenceRange> {
    const { disks, entriesMax } = this.#parts;
    const parts = this.#referenceParts(pace);
    // References first: whatever they name was durable in some volume by then.
    const references = await collectReferences(from, {
      ...parts, ...(entriesMax !== undefined && { entriesMax }),
    });
    const damaged = new Map<string, { volumeId: number; offset: number }>();
    const marks = await this.#parts.source.marks();
    for (const volume of await listVolumes(disks())) {
      await listBlocksOf(volume, {
        range: references.range, pace, marks,
        take: (block, file) => markFound(references, { block, file, damaged }),
      });
    }
    const suspects: Suspect[] = [];
    for (let index = 0; index < references.count; index++) {
      if (references.seen[index] === 1 || suspects.length >= SUSPECTS_MAX) continue;
      const entry = references.at(index);
      const damagedAt = damaged.get(entry.id);
      suspects.push({ ...entry, ...(damagedAt !== undefined && { damagedAt }) });
    }
    if (suspects.length > 0) await this.#examine(suspects, pace);
    return references;
  }

  #referenceParts(pace: Pace): ReferenceParts {
    const { source } = this.#parts;
    return {
      source, pace, readBlock: blockReader(this.#parts, pace),
      onUnreadable: (kind, key) => this.#report(kind, placeOfManifest(key), {}),
    };
  }

  /** Looks at the suspects again, from the records themselves, and at who refers to them. */
  async #examine(suspects: readonly Suspect[], pace: Pace): Promise<void> {
    const ids = new Set(suspects.map(({ id }) => id));
    const lengths = new Map<string, Set<number>>();
    const marks = await this.#parts.source.marks();
    for (const volume of await listVolumes(this.#parts.disks())) {
      for (const disk of volume.disks) {
        await listBlocksOf({ ...volume, disks: [disk] }, {
          range: ALL_IDS, pace, marks, ignoresFooters: true,
          take: ({ id, sizeBytes }) => {
            if (!ids.has(id)) return;
            lengths.set(id, (lengths.get(id) ?? new Set()).add(sizeBytes));
          },
        });
      }
    }
    const origins = await findOrigins(ids, {
      ...this.#referenceParts(pace), onUnreadable: () => undefined,
    });
    for (const suspect of suspects) {
      const keys = origins.get(suspect.id);
      if (keys === undefined) continue; // Whoever needed it is gone.
      this.#judge(suspect, lengths.get(suspect.id), keys);
    }
  }

  #judge(
    { id, sizeBytes, damagedAt }: Suspect, stored: ReadonlySet<number> | undefined,
    keys: readonly ManifestKey[],
  ): void {
    if (stored?.has(sizeBytes) === true) return;
    const facts = { blockId: id, neededBytes: sizeBytes };
    const [first] = keys;
    const where = `block ${id.slice(0, 16)}, ${first === undefined ? '' : placeOfManifest(first)}`;
    if (stored !== undefined) {
      this.#report('length-differs', where, { ...facts, storedBytes: [...stored][0] ?? 0 });
    } else if (damagedAt !== undefined) {
      this.#report('header-damaged', where, { ...facts, ...damagedAt });
    } else {
      this.#report('block-missing', where, facts);
    }
  }

  #report(kind: FindingKind, where: string, facts: Record<string, string | number>): void {
    this.#reports++;
    this.#parts.desk.report({ verifier: ID, kind, scope: SCOPE, where, facts });
  }
}

const idBytes = Buffer.alloc(32);

/** Ticks off the references to a block whose header is sound and says the same length. */
async function markFound(
  references: ReferenceRange,
  found: {
    block: CatalogBlock; file: ReadableVolume;
    damaged: Map<string, { volumeId: number; offset: number }>;
  },
): Promise<void> {
  const { block, file, damaged } = found;
  idBytes.write(block.id, 0, 32, 'hex');
  const indexes = references.indexesOf(idBytes);
  if (indexes.length === 0) return;
  const header = await readHeaderOf(file, block);
  if (header === undefined) {
    damaged.set(block.id, { volumeId: block.volumeId, offset: block.offset });
    return;
  }
  for (const index of indexes) {
    if (references.at(index).sizeBytes === header.blockBytes) references.seen[index] = 1;
  }
}
