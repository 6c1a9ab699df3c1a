/** Lists the blocks in a folder of a bucket, page by page. */
import type { BlockId } from '../../../base/ids.ts';
import type { ObjectClient } from './object-client.ts';
import type { Call } from './s3-client.ts';
import type { StoreMarker } from './store-marker.ts';

export interface ListedBlock {
  id: BlockId;
  sizeBytes: number;
  /** What stands between the listed folder and the id; empty among the blocks themselves. */
  folder?: string;
}

export interface ListingParts {
  client: ObjectClient;
  marker: StoreMarker;
  /** One request, in time. */
  call: <T>(work: (call: Call) => Promise<T>) => Promise<T>;
  /** Something was listed that is no block. */
  onForeign: () => void;
}

const DIGITS = [...'0123456789abcdef'];
const LISTINGS_AT_ONCE = 8;

/** Pages in ascending order. It ends only where the listing of this store ends. */
export async function* listFolder(
  parts: ListingParts, folder: string, after?: string,
): AsyncGenerator<ListedBlock[]> {
  yield* pagesOf(parts, { folder, prefix: folder, after });
  // An emptied bucket has a short listing too.
  await parts.call((call) => parts.marker.confirm(call));
}

/** All that is in a folder of blocks, in no order: by many listings at once when there is much. */
export async function listAll(
  parts: ListingParts, folder: string, take: (blocks: readonly ListedBlock[]) => void,
): Promise<void> {
  const first = await parts.call((call) => parts.client.list(folder, undefined, call));
  take(blocksOf(parts, first.objects, folder));
  const waiting = first.truncated ? [...DIGITS] : [];
  const work = async (): Promise<void> => {
    for (let digit = waiting.shift(); digit !== undefined; digit = waiting.shift()) {
      const pages = pagesOf(parts, { folder, prefix: folder + digit, after: undefined });
      for await (const page of pages) take(page);
    }
  };
  await Promise.all(Array.from({ length: LISTINGS_AT_ONCE }, work));
  await parts.call((call) => parts.marker.confirm(call));
}

async function* pagesOf(
  parts: ListingParts,
  { folder, prefix, after }: { folder: string; prefix: string; after: string | undefined },
): AsyncGenerator<ListedBlock[]> {
  let from = after === undefined ? undefined : folder + after;
  for (let truncated = true; truncated;) {
    const page = await parts.call((call) => parts.client.list(prefix, from, call));
    yield blocksOf(parts, page.objects, folder);
    ({ truncated } = page);
    from = page.objects.at(-1)?.key ?? from;
  }
}

function blocksOf(
  { onForeign }: ListingParts, objects: readonly { key: string; sizeBytes: number }[],
  listed: string,
): ListedBlock[] {
  const blocks: ListedBlock[] = [];
  for (const { key, sizeBytes } of objects) {
    const [, folder = '', id] = /^((?:\d{10}\/)?)([0-9a-f]{64})$/.exec(key.slice(listed.length))
      ?? [];
    if (id === undefined) onForeign();
    else blocks.push({ id: id as BlockId, sizeBytes, ...(folder !== '' && { folder }) });
  }
  return blocks;
}
