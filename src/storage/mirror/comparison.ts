import type { BlockId } from '../../base/ids.ts';

export interface Compared {
  readonly id: BlockId;
  readonly where: 'both' | 'first' | 'second';
}

/** After so many ids everything else that is due has its turn. */
const IDS_AT_ONCE = 1024;

/**
 * Walks two ascending lists side by side, in constant memory, and yields every id once with where
 * it is. An error of either list ends the walk: a list that breaks off must not look like a store
 * that has no more.
 */
export async function* missingFrom(
  first: AsyncIterable<BlockId>, second: AsyncIterable<BlockId>,
): AsyncGenerator<Compared> {
  const lists = [first[Symbol.asyncIterator](), second[Symbol.asyncIterator]()] as const;
  try {
    let [one, two] = [await nextOf(lists[0]), await nextOf(lists[1])];
    for (let count = 1; one !== undefined || two !== undefined; count += 1) {
      if (two === undefined || (one !== undefined && one < two)) {
        if (one !== undefined) yield { id: one, where: 'first' };
        one = await nextOf(lists[0], one);
      } else if (one === undefined || two < one) {
        yield { id: two, where: 'second' };
        two = await nextOf(lists[1], two);
      } else {
        yield { id: one, where: 'both' };
        [one, two] = [await nextOf(lists[0], one), await nextOf(lists[1], two)];
      }
      if (count % IDS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    for (const list of lists) await list.return?.();
  }
}

/** @throws Error: the list is not ascending, so that comparing would find wrong differences. */
async function nextOf(
  list: AsyncIterator<BlockId>, before?: BlockId,
): Promise<BlockId | undefined> {
  const next = await list.next();
  if (next.done === true) return undefined;
  const id: BlockId = next.value;
  if (before !== undefined && id <= before) throw new Error('a list of blocks is out of order');
  return id;
}
