import { HoldfastError } from '../../base/errors.ts';
import type { VolumeFile } from '../backends/local/volume-files.ts';
import { isCodeShape, parityMatrix } from './code-matrix.ts';
import { writeParityFacts } from './parity-file.ts';
import {
  catalogueSize, CHUNK_BYTES, chunkCount, chunkLength, HASH_BYTES, layoutOf, VOLUME_BYTES_MAX,
} from './set-layout.ts';
import type { SetFacts, ShardFacts } from './set-layout.ts';
import { proveErasureSet } from './set-proof.ts';
import type { ErasureProof } from './set-proof.ts';
import { createDraft, discardDrafts, draftOf, finishDraft, publishDraft } from './shard-draft.ts';
import { openKernel } from './shard-kernel.ts';
import type { ShardKernel } from './shard-kernel.ts';
import { closeAll, explained, readWhole, sha256 } from './shard-place.ts';
import type { ShardPlace } from './shard-place.ts';

const OP = 'storage/encodeErasureSet';

export interface DataVolume {
  readonly place: ShardPlace;
  readonly volume: number;
  readonly generation: number;
  /** SHA-256 of each MiB as the other replicas have it: a volume that differs is refused. */
  readonly hashes?: Buffer;
}

export interface ErasureSetPlan {
  readonly number: number;
  /** 16 random bytes that no other set has. */
  readonly id: Buffer;
  /** 16 bytes. */
  readonly storeId: Buffer;
  readonly createdAt: number;
  /** 1 to 16 sealed volumes. They must not change from now on. */
  readonly data: readonly DataVolume[];
  /** 1 to 4, each in a failure domain of its own. */
  readonly parity: readonly ShardPlace[];
}

export interface ErasureWork {
  readonly signal?: AbortSignal;
  /** Called after each row with the bytes that were read and written, and waited for: whoever
   *  limits the rate does it here. */
  readonly pace?: (bytes: number) => Promise<void>;
}

export interface EncodedSet {
  readonly facts: SetFacts;
  /** Only with this in hand may replicas of the data volumes go. */
  readonly proof: ErasureProof;
}

/**
 * Writes the parity files of a set of sealed volumes, whose own files stay as they are.
 *
 * Each parity file is written as a draft and synced; then all shards are read again through fresh
 * handles and every pattern of losses is decoded (`proveErasureSet`); only then the drafts get
 * their names. Once it has resolved, the parity files survive a power cut, and the loss of any m
 * shards loses nothing. After a failure drafts may be left, which the next attempt removes, and,
 * when giving names failed, proven parity files that do no harm. Memory: k + m MiB, and twice
 * that for the proof.
 *
 * @throws invalid: the plan; exists: a parity file of that name is there; corrupt: a volume is not
 * what the other replicas have, or the proof failed; full, unavailable: a disk.
 */
export async function encodeErasureSet(
  plan: ErasureSetPlan, work: ErasureWork = {},
): Promise<EncodedSet> {
  checkPlan(plan);
  const drafts: (VolumeFile | undefined)[] = [];
  const sources: VolumeFile[] = [];
  try {
    await refuseExisting(plan.parity);
    for (const { place } of plan.data) sources.push(await place.files.open(place.name, 'read'));
    for (const place of plan.parity) drafts.push(await createDraft(place));
    const facts = await writeShards(plan, sources, drafts as VolumeFile[], work);
    await finishAll(drafts);
    for (const { files } of plan.parity) await files.syncFolder();
    const proof = await prove(plan, work);
    for (const place of plan.parity) await publishDraft(place);
    return { facts, proof };
  } catch (error) {
    await discardDrafts(plan.parity, drafts);
    throw explained(error, OP);
  } finally {
    await closeAll(sources);
  }
}

/** Those that are finished leave the list: what is left in it after a failure must be closed. */
async function finishAll(drafts: (VolumeFile | undefined)[]): Promise<void> {
  for (const [at, draft] of drafts.entries()) {
    if (draft !== undefined) await finishDraft(draft);
    drafts[at] = undefined;
  }
}

function checkPlan({ data, parity, id, storeId, number }: ErasureSetPlan): void {
  const places = [...data.map(({ place }) => place), ...parity];
  const names = new Map<unknown, Set<string>>();
  for (const { files, name } of places) names.set(files, (names.get(files) ?? new Set()).add(name));
  const distinct = [...names.values()].reduce((sum, { size }) => sum + size, 0);
  const isSound = isCodeShape({ data: data.length, parity: parity.length }) &&
    id.length === 16 && storeId.length === 16 && Number.isSafeInteger(number) && number > 0 &&
    distinct === places.length && new Set(data.map(({ volume }) => volume)).size === data.length;
  if (isSound) return;
  const message = 'A set has 1 to 16 different volumes and 1 to 4 parity files, each in its place.';
  throw new HoldfastError('invalid', OP, message);
}

async function refuseExisting(places: readonly ShardPlace[]): Promise<void> {
  for (const { files, name } of places) {
    if (!(await files.list()).includes(name)) continue;
    const message = 'The set has been encoded already. Take another number for a new set.';
    throw new HoldfastError('exists', OP, message);
  }
}

async function lengthsOf(sources: readonly VolumeFile[]): Promise<number[]> {
  const lengths = await Promise.all(sources.map((source) => source.size()));
  if (lengths.every((length) => length > 0 && length <= VOLUME_BYTES_MAX)) return lengths;
  throw new HoldfastError('invalid', OP, 'A volume of a set has from 1 byte to 32 GiB.');
}

async function writeShards(
  plan: ErasureSetPlan, sources: readonly VolumeFile[], drafts: readonly VolumeFile[],
  { signal, pace }: ErasureWork,
): Promise<SetFacts> {
  const shape = { data: plan.data.length, parity: plan.parity.length };
  const dataLengths = await lengthsOf(sources);
  const parityBytes = Math.max(...dataLengths);
  const lengths = [...dataLengths, ...drafts.map(() => parityBytes)];
  const layout = layoutOf(parityBytes, catalogueSize(lengths));
  const row: Row = {
    sources, drafts, lengths, parityAt: layout.parityAt, matrix: parityMatrix(shape),
    kernel: openKernel({ inputs: shape.data, outputs: shape.parity, bufferBytes: CHUNK_BYTES }),
    hashes: lengths.map((length) => Buffer.alloc(chunkCount(length) * HASH_BYTES)),
  };
  for (let chunk = 0; chunk < chunkCount(parityBytes); chunk++) {
    signal?.throwIfAborted();
    await encodeRow(row, chunk);
    await pace?.(lengths.reduce((sum, length) => sum + chunkLength(length, chunk), 0));
  }
  const shards = lengths.map((lengthBytes, shard): ShardFacts => {
    const { volume, generation } = plan.data[shard] ?? { volume: 0, generation: 0 };
    return { volume, generation, lengthBytes, hashes: row.hashes[shard] as Buffer };
  });
  refuseDifferent(plan, shards);
  const { number, id, storeId, createdAt } = plan;
  const facts: SetFacts = { number, id, storeId, createdAt, shape, shards };
  for (const [at, draft] of drafts.entries()) {
    await writeParityFacts(draft, facts, shape.data + at);
  }
  return facts;
}

interface Row {
  readonly sources: readonly VolumeFile[];
  readonly drafts: readonly VolumeFile[];
  /** Of all shards. */
  readonly lengths: readonly number[];
  readonly parityAt: number;
  readonly matrix: readonly (readonly number[])[];
  readonly kernel: ShardKernel;
  /** Of all shards, filled in row by row. */
  readonly hashes: readonly Buffer[];
}

async function encodeRow(row: Row, chunk: number): Promise<void> {
  const { sources, drafts, lengths, kernel, matrix } = row;
  const position = chunk * CHUNK_BYTES;
  const note = async (shard: number, bytes: Uint8Array): Promise<void> => {
    (await sha256(bytes)).copy(row.hashes[shard] as Buffer, chunk * HASH_BYTES);
  };
  await Promise.all(sources.map(async (source, shard) => {
    const length = chunkLength(lengths[shard] as number, chunk);
    const input = kernel.inputs[shard] as Uint8Array;
    input.fill(0, length); // A shorter volume counts as followed by zeros.
    if (length === 0) return;
    const bytes = input.subarray(0, length);
    if (!await readWhole(source, bytes, position)) throw shrunk();
    await note(shard, bytes);
  }));
  const length = chunkLength(Math.max(...lengths), chunk);
  kernel.combine(matrix, length);
  await Promise.all(drafts.map(async (draft, at) => {
    const bytes = (kernel.outputs[at] as Uint8Array).subarray(0, length);
    const hashed = note(sources.length + at, bytes);
    await draft.write([bytes], row.parityAt + position);
    await hashed;
  }));
}

function shrunk(): HoldfastError {
  const message = 'A volume became shorter while it was read. Only sealed volumes can be encoded.';
  return new HoldfastError('corrupt', OP, message);
}

function refuseDifferent({ data }: ErasureSetPlan, shards: readonly ShardFacts[]): void {
  for (const [shard, { hashes, volume }] of data.entries()) {
    if (hashes === undefined || hashes.equals(shards[shard]?.hashes as Buffer)) continue;
    const message = 'A volume is not what its other replicas have. Repair it first.';
    throw new HoldfastError('corrupt', OP, message, { facts: { volume } });
  }
}

async function prove(plan: ErasureSetPlan, work: ErasureWork): Promise<ErasureProof> {
  const { storeId, number } = plan;
  const proof = await proveErasureSet(
    { data: plan.data.map(({ place }) => place), parity: plan.parity.map(draftOf) },
    { ...work, expect: { storeId, number } },
  );
  if (proof.sound) return proof;
  const message = 'The set could not be read back as it was written. Its replicas must stay.';
  const facts = { findings: proof.findings.length, undecodable: proof.undecodable };
  throw new HoldfastError('corrupt', OP, message, { facts });
}
