import { HoldfastError } from '../../base/errors.ts';
import type { VolumeFile } from '../backends/local/volume-files.ts';
import type { ErasureSet } from './erasure-set.ts';
import { readParityFacts, writeParityFacts } from './parity-file.ts';
import type { ErasureWork } from './set-encoder.ts';
import { catalogueSize, CHUNK_BYTES, chunkCount, HASH_BYTES, layoutOf } from './set-layout.ts';
import { createDraft, discardDrafts, draftOf, finishDraft, publishDraft } from './shard-draft.ts';
import { closeAll, explained, readWhole, sha256 } from './shard-place.ts';
import type { ShardPlace } from './shard-place.ts';

const OP = 'storage/rebuildShard';

/**
 * Makes a volume or a parity file anew at `target`, from whatever is sound in the set: chunks of
 * the old file where they are, else any k others of the same row.
 *
 * The file is written as a draft, synced, read again through a fresh handle and compared with the
 * set's checksums; then it gets its name. Once it has resolved the file survives a power cut. The
 * old file is not touched: it must be out of the way, for example in the trash.
 *
 * @throws exists: there is a file of that name; corrupt, unavailable: as ErasureSet.readChunk, and
 * nothing is left of the attempt; full; invalid: no such shard.
 */
export async function rebuildShard(
  set: ErasureSet, shard: number, target: ShardPlace, work: ErasureWork = {},
): Promise<void> {
  if (set.facts.shards[shard] === undefined) {
    throw new HoldfastError('invalid', OP, 'The set has no such shard. Name one of its shards.');
  }
  let file: VolumeFile | undefined;
  try {
    await refuseExisting(target);
    file = await createDraft(target);
    await writeChunks(set, shard, file, work);
    await finishDraft(file);
    file = undefined;
    await compare(set, shard, target, work);
    await publishDraft(target);
  } catch (error) {
    await discardDrafts([target], [file]);
    throw explained(error, OP);
  }
}

async function refuseExisting({ files, name }: ShardPlace): Promise<void> {
  if (!(await files.list()).includes(name)) return;
  const message = 'A file of that name is still there. Move it to the trash first.';
  throw new HoldfastError('exists', OP, message);
}

/** Where the shard's bytes begin in its file. */
function startOf({ facts }: ErasureSet, shard: number): number {
  if (shard < facts.shape.data) return 0;
  const lengths = facts.shards.map(({ lengthBytes }) => lengthBytes);
  return layoutOf(Math.max(...lengths), catalogueSize(lengths)).parityAt;
}

function chunksOf({ facts }: ErasureSet, shard: number): number {
  return chunkCount(facts.shards[shard]?.lengthBytes ?? 0);
}

async function writeChunks(
  set: ErasureSet, shard: number, file: VolumeFile, { signal, pace }: ErasureWork,
): Promise<void> {
  const start = startOf(set, shard);
  for (let chunk = 0; chunk < chunksOf(set, shard); chunk++) {
    const bytes = await set.readChunk(shard, chunk, signal);
    await file.write([bytes], start + chunk * CHUNK_BYTES);
    await pace?.(bytes.length * (set.facts.shape.data + 1));
  }
  if (shard >= set.facts.shape.data) await writeParityFacts(file, set.facts, shard);
}

async function compare(
  set: ErasureSet, shard: number, target: ShardPlace, { signal, pace }: ErasureWork,
): Promise<void> {
  const { files, name } = draftOf(target);
  const { lengthBytes = 0, hashes } = set.facts.shards[shard] ?? {};
  const start = startOf(set, shard);
  const file = await files.open(name, 'read');
  try {
    let isRight = shard < set.facts.shape.data
      ? await file.size() === lengthBytes
      : (await readParityFacts(file))?.isWhole === true;
    for (let chunk = 0; isRight && chunk < chunksOf(set, shard); chunk++) {
      signal?.throwIfAborted();
      const bytes = Buffer.alloc(Math.min(CHUNK_BYTES, lengthBytes - chunk * CHUNK_BYTES));
      const wanted = hashes?.subarray(chunk * HASH_BYTES, (chunk + 1) * HASH_BYTES);
      isRight = await readWhole(file, bytes, start + chunk * CHUNK_BYTES) &&
        wanted !== undefined && (await sha256(bytes)).equals(wanted);
      await pace?.(bytes.length);
    }
    if (isRight) return;
  } finally {
    await closeAll([file]);
  }
  const message = 'The disk gave back other bytes than were written to it. Use another disk.';
  throw new HoldfastError('corrupt', OP, message);
}
