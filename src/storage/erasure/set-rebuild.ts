import { hash } from 'node:crypto';
import { HoldfastError } from '../../base/errors.ts';
import type { VolumeFile } from '../backends/local/volume-files.ts';
import type { ErasureSet } from './erasure-set.ts';
import { readParityFacts, writeParityFacts } from './parity-file.ts';
import type { ErasureWork } from './set-encoder.ts';
import {
  catalogueSize, CHUNK_BYTES, chunkCount, encodeCatalogue, HASH_BYTES, layoutOf,
} from './set-layout.ts';
import { createDraft, discardDrafts, draftOf, finishDraft, publishDraft } from './shard-draft.ts';
import { closeAll, explained, readWhole, sha256 } from './shard-place.ts';
import type { ShardPlace } from './shard-place.ts';

const OP = 'storage/rebuildShard';

export interface RebuildWork extends ErasureWork {
  /** The new file is whole and proven, and gets its name next: an old one of that name must go, to
   *  the trash for example. Without this an old one is an error. */
  readonly makeWay?: () => Promise<void>;
}

/**
 * Makes a volume or a parity file anew at `target`, from whatever is sound in the set: chunks of
 * the old file where they are, else any k others of the same row.
 *
 * The file is written as a draft, synced, read again through a fresh handle and compared with the
 * set's checksums; then it gets its name. Once it has resolved the file survives a power cut.
 *
 * @throws exists: there is a file of that name; corrupt, unavailable: as ErasureSet.readChunk, and
 * nothing is left of the attempt; full; invalid: no such shard.
 */
export async function rebuildShard(
  set: ErasureSet, shard: number, target: ShardPlace, work: RebuildWork = {},
): Promise<void> {
  if (set.facts.shards[shard] === undefined) {
    throw new HoldfastError('invalid', OP, 'The set has no such shard. Name one of its shards.');
  }
  let file: VolumeFile | undefined;
  try {
    if (work.makeWay === undefined) await refuseExisting(target);
    file = await createDraft(target);
    await writeChunks(set, shard, file, work);
    await finishDraft(file);
    file = undefined;
    if (!await isShardSound(set, shard, draftOf(target), work)) throw notKept();
    await work.makeWay?.();
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

/**
 * Reads the file at `place`, which need not be one that the set was opened with, and says whether
 * it is that shard, whole. @throws what the disk says, and `invalid`: of a newer version.
 */
export async function isShardSound(
  set: ErasureSet, shard: number, place: ShardPlace, { signal, pace }: ErasureWork = {},
): Promise<boolean> {
  const { facts } = set;
  const { lengthBytes = 0, hashes } = facts.shards[shard] ?? {};
  const start = startOf(set, shard);
  const file = await place.files.open(place.name, 'read');
  try {
    let isRight = shard < facts.shape.data
      ? await file.size() === lengthBytes
      : await hasFacts(file, set, shard);
    for (let chunk = 0; isRight && chunk < chunksOf(set, shard); chunk++) {
      signal?.throwIfAborted();
      const bytes = Buffer.alloc(Math.min(CHUNK_BYTES, lengthBytes - chunk * CHUNK_BYTES));
      const wanted = hashes?.subarray(chunk * HASH_BYTES, (chunk + 1) * HASH_BYTES);
      isRight = await readWhole(file, bytes, start + chunk * CHUNK_BYTES) &&
        wanted !== undefined && (await sha256(bytes)).equals(wanted);
      await pace?.(bytes.length);
    }
    return isRight;
  } finally {
    await closeAll([file]);
  }
}

/** Headers and catalogues are whole, and those of the set and the shard. */
async function hasFacts(file: VolumeFile, { facts }: ErasureSet, shard: number): Promise<boolean> {
  const found = await readParityFacts(file);
  if (found?.isWhole !== true) return false;
  const { header } = found;
  const catalogue = hash('sha256', encodeCatalogue(facts.shards), 'buffer');
  return header.id.equals(facts.id) && header.shard === shard &&
    header.number === facts.number && header.catalogueHash.equals(catalogue);
}

function notKept(): HoldfastError {
  const message = 'The disk gave back other bytes than were written to it. Use another disk.';
  return new HoldfastError('corrupt', OP, message);
}
