/** Copies all blocks of one place to another, and reads each one there before it counts. */
import { isKind } from '../base/errors.ts';
import type { BlockId } from '../base/ids.ts';
import { failpoint } from '../platform/index.ts';
import { Block, isShredded, missingFrom } from '../storage/index.ts';
import type { BlockStore } from '../storage/index.ts';

export interface BlockMove {
  readonly from: BlockStore;
  readonly to: BlockStore;
  readonly onProgress?: (done: MoveCounts) => void;
  readonly signal?: AbortSignal;
}

export interface MoveCounts {
  /** Blocks of the first place that were dealt with. */
  blockCount: number;
  /** Of those, that had to be copied. */
  copiedCount: number;
  copiedBytes: number;
  /** Whose keys were destroyed on purpose: they stay behind. */
  shreddedCount: number;
  /** That the first place cannot give out, nor the second: nothing may be moved before they are
   *  repaired or given up. */
  unreadable: BlockId[];
}

const AT_ONCE = 8;
const UNREADABLE_MAX = 1_000;

/** What lacks at the second place: lists only, reads and writes nothing. */
export async function countLacking({ from, to }: BlockMove): Promise<number> {
  let count = 0;
  for await (const { where } of missingFrom(from.list(), to.list())) {
    if (where === 'first') count += 1;
  }
  return count;
}

/** Nothing is removed anywhere. May be cut short at any time, and begun again: what is there is
 *  read again, not copied again. @throws what the places throw, unless it is about one block. */
export async function moveBlocks(move: BlockMove): Promise<MoveCounts> {
  const { from, to, onProgress, signal } = move;
  const counts: MoveCounts = {
    blockCount: 0, copiedCount: 0, copiedBytes: 0, shreddedCount: 0, unreadable: [],
  };
  const together: Promise<void>[] = [];
  const settle = async (): Promise<void> => {
    await Promise.all(together.splice(0));
    failpoint('app.move-copied');
    onProgress?.(counts);
  };
  for await (const { id, where } of missingFrom(from.list(), to.list())) {
    signal?.throwIfAborted();
    if (where === 'second') continue;
    together.push(moveOne(move, counts, { id, isThere: where === 'both' }));
    if (together.length >= AT_ONCE) await settle();
  }
  await settle();
  return counts;
}

async function moveOne(
  { from, to }: BlockMove, counts: MoveCounts, { id, isThere }: { id: BlockId; isThere: boolean },
): Promise<void> {
  try {
    if (!isThere || !(await isWhole(to, id))) {
      const bytes = await from.get(id);
      await to.put(Block.hashed(id, [bytes], bytes.length));
      await to.get(id); // Checked against its id; its error is one of the place's.
      counts.copiedCount += 1;
      counts.copiedBytes += bytes.length;
    }
  } catch (error) {
    if (isShredded(error)) counts.shreddedCount += 1;
    else if (!isKind(error, 'corrupt') && !isKind(error, 'not-found')) throw error;
    else if (counts.unreadable.length < UNREADABLE_MAX) counts.unreadable.push(id);
  }
  counts.blockCount += 1;
}

/** @throws what is not about this block alone, and when its keys were destroyed. */
async function isWhole(to: BlockStore, id: BlockId): Promise<boolean> {
  try {
    await to.get(id);
    return true;
  } catch (error) {
    if (isShredded(error)) throw error;
    if (isKind(error, 'corrupt') || isKind(error, 'not-found')) return false;
    throw error;
  }
}
