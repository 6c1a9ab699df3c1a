/**
 * Looks whether batches in the trash may go. Each of their blocks must be justified: the store has
 * it, read and hashed just now, or nothing refers to it. One that is needed and only here is put
 * back at once.
 */
import { HoldfastError, isKind } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import {
  INSPECTED_BLOCKS_MAX, type InspectedVolume, type TrashInspection,
} from '../../volume-reclaim.ts';
import type { BlockObjects } from './block-objects.ts';
import type { KnownBlocks } from './known-blocks.ts';
import type { ObjectBody } from './object-body.ts';
import type { ListedBlock } from './object-listing.ts';
import type { Call } from './s3-client.ts';

export interface TrashInspectionParts {
  known: KnownBlocks;
  /** Others write to the store as well: what is not known here may be there. */
  isShared: boolean;
  blocks: BlockObjects;
  trash: (batch: number) => BlockObjects;
  blocksOf: (batch: number) => Promise<ListedBlock[]>;
  write: (body: ObjectBody, method: string) => Promise<void>;
  call: <T>(method: string, work: (call: Call) => Promise<T>) => Promise<T>;
}

/** @throws not-found; too-large; unavailable. */
export async function inspectBatches(
  parts: TrashInspectionParts, batches: readonly number[], signal: AbortSignal | undefined,
): Promise<TrashInspection> {
  const inspection = new Inspection(parts);
  for (const batch of batches) await inspection.add(batch, signal);
  return inspection;
}

class Inspection implements TrashInspection {
  readonly #parts: TrashInspectionParts;
  readonly #results = new Map<number, InspectedVolume>();
  /** Blocks that the store does not have, and the batch in which they are. */
  readonly #onlyHere = new Map<BlockId, number>();
  readonly #needed = new Set<BlockId>();

  constructor(parts: TrashInspectionParts) {
    this.#parts = parts;
  }

  async add(batch: number, signal: AbortSignal | undefined): Promise<void> {
    const found = await this.#parts.blocksOf(batch);
    if (this.#onlyHere.size + found.length > INSPECTED_BLOCKS_MAX) throw tooMany();
    const result = {
      volumeId: batch, recordCount: found.length, elsewhereCount: 0, deadCount: 0, rescuedCount: 0,
    };
    this.#results.set(batch, result);
    for (const { id } of found) {
      signal?.throwIfAborted();
      // In two batches of one inspection: the first one must answer for it, the second has it.
      if (this.#onlyHere.has(id) || await this.#isElsewhere(id)) result.elsewhereCount++;
      else {
        this.#onlyHere.set(id, batch);
        result.deadCount++;
      }
    }
  }

  need(ids: readonly BlockId[]): void {
    for (const id of ids) if (this.#onlyHere.has(id)) this.#needed.add(id);
  }

  async finish(): Promise<InspectedVolume[]> {
    for (const id of this.#needed) {
      const batch = this.#onlyHere.get(id);
      const result = batch === undefined ? undefined : this.#results.get(batch);
      if (batch === undefined || result === undefined) continue;
      // It may have been put again since it was looked for, by who refers to it now.
      const cameBack = await this.#isElsewhere(id);
      if (!cameBack) await this.#rescue(id, batch);
      result.deadCount--;
      if (cameBack) result.elsewhereCount++;
      else result.rescuedCount++;
    }
    return [...this.#results.values()];
  }

  async #isElsewhere(id: BlockId): Promise<boolean> {
    const { known, blocks, call } = this.#parts;
    if (!this.#parts.isShared && known.find(id) === undefined) return false;
    try {
      await call('inspectTrash', (one) => blocks.getBody(id, one));
      return true;
    } catch (error) {
      if (isKind(error, 'corrupt') || isKind(error, 'not-found')) return false;
      throw error;
    }
  }

  async #rescue(id: BlockId, batch: number): Promise<void> {
    const { trash, call, write } = this.#parts;
    const body = await call('inspectTrash', (one) => trash(batch).getBody(id, one));
    await write(body, 'inspectTrash');
  }
}

function tooMany(): HoldfastError {
  const message = 'These are too many batches for one inspection. Inspect fewer at a time.';
  return new HoldfastError('too-large', 'storage/VolumeReclaim.inspectTrash', message);
}
