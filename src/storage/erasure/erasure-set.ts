import { HoldfastError } from '../../base/errors.ts';
import type { VolumeFile } from '../backends/local/volume-files.ts';
import { recoveryMatrix } from './code-matrix.ts';
import { chooseFacts } from './set-identity.ts';
import type { FoundParity, SetExpectation } from './set-identity.ts';
import { readParityFacts } from './parity-file.ts';
import {
  CHUNK_BYTES, chunkCount, chunkLength, HASH_BYTES, layoutOf, catalogueSize,
} from './set-layout.ts';
import type { SetFacts } from './set-layout.ts';
import { openKernel } from './shard-kernel.ts';
import type { ShardKernel } from './shard-kernel.ts';
import { closeAll, openShard, sha256, unreadable } from './shard-place.ts';
import type { ErasureFinding, OnErasureFinding, SetPlaces } from './shard-place.ts';

const OP = 'storage/ErasureSet';

export interface ErasureSetOptions {
  /** What the caller knows of the set. Files that say otherwise are foreign. */
  readonly expect?: SetExpectation;
  readonly onFinding?: OnErasureFinding;
}

/**
 * The shards of one set, some of which may be missing, unreachable or damaged.
 *
 * Every chunk of 1 MiB is checked by its SHA-256, whether it was read or computed: wrong bytes
 * never come out. A chunk that is not as it was stored counts as missing, and is computed from any
 * k sound ones of the same row. All methods may run concurrently; computing is done one chunk at a
 * time, in k + m MiB of memory. Writes nothing.
 */
export class ErasureSet {
  readonly facts: SetFacts;
  readonly #files: readonly (VolumeFile | undefined)[];
  /** Shards of which no file could be opened, and why. */
  readonly #absent: ReadonlyMap<number, ErasureFinding>;
  readonly #onFinding: OnErasureFinding;
  readonly #parityAt: number;
  #kernel: ShardKernel | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    facts: SetFacts, opened: OpenedFiles, onFinding: OnErasureFinding,
  ) {
    this.facts = facts;
    this.#files = opened.files;
    this.#absent = opened.absent;
    this.#onFinding = onFinding;
    const lengths = facts.shards.map(({ lengthBytes }) => lengthBytes);
    this.#parityAt = layoutOf(Math.max(...lengths), catalogueSize(lengths)).parityAt;
  }

  /** Reads what the parity files say of the set. One sound parity file is enough.
   *  @throws corrupt: none is; unavailable: none can be reached, or those that can are damaged;
   *  invalid: of a newer version, of another store, or the places do not fit the set. */
  static async open(places: SetPlaces, options: ErasureSetOptions = {}): Promise<ErasureSet> {
    const onFinding = options.onFinding ?? (() => undefined);
    const opened = await openAll(places, onFinding);
    try {
      const { facts, foreign } = chooseFacts(opened.parity, options.expect, onFinding);
      const { data, parity } = facts.shape;
      if (places.data.length !== data || places.parity.length !== parity) {
        const message = 'The set has another number of volumes. Name all of its volumes.';
        throw new HoldfastError('invalid', `${OP}.open`, message, { facts: { data, parity } });
      }
      for (const shard of foreign) opened.absent.set(shard, { kind: 'foreign', shard });
      return new ErasureSet(facts, opened, onFinding);
    } catch (error) {
      await closeAll(opened.files);
      throw error;
    }
  }

  /** Rows of chunks: as many as the longest shard has. */
  get chunks(): number {
    return Math.max(...this.facts.shards.map(({ lengthBytes }) => chunkCount(lengthBytes)));
  }

  /** A chunk of a shard as it was stored; computed from the others when it has to be. Shorter at
   *  the shard's end, empty beyond.
   *  @throws corrupt: fewer than k sound chunks are left; unavailable: too many are out of
   *  reach. */
  async readChunk(shard: number, chunk: number, signal?: AbortSignal): Promise<Buffer> {
    signal?.throwIfAborted();
    const length = chunkLength(this.#shard(shard).lengthBytes, chunk);
    const bytes = Buffer.alloc(length);
    if (length === 0) return bytes;
    if (await this.tryRead(shard, chunk, bytes) === undefined) return bytes;
    return this.#inTurn(async () => {
      signal?.throwIfAborted();
      return this.#compute(shard, chunk, length);
    });
  }

  /** Bytes of a shard from `position` on; fewer only at its end. Errors as of `readChunk`. */
  async read(
    shard: number, position: number, lengthBytes: number, signal?: AbortSignal,
  ): Promise<Buffer> {
    const end = Math.min(position + lengthBytes, this.#shard(shard).lengthBytes);
    const pieces: Buffer[] = [];
    for (let at = position; at < end;) {
      const chunk = Math.floor(at / CHUNK_BYTES);
      const from = at - chunk * CHUNK_BYTES;
      const bytes = await this.readChunk(shard, chunk, signal);
      const piece = bytes.subarray(from, Math.min(bytes.length, from + end - at));
      pieces.push(piece);
      at += piece.length;
    }
    return Buffer.concat(pieces);
  }

  /** Reads a chunk from its own shard and checks it. `into` is as long as the chunk. Answers
   *  undefined when the bytes are right, else what is wrong, which is reported too. */
  async tryRead(
    shard: number, chunk: number, into: Uint8Array,
  ): Promise<ErasureFinding | undefined> {
    const absent = this.#absent.get(shard);
    if (absent !== undefined) return absent; // Reported when the set was opened.
    const finding = await this.#readAndCheck(shard, chunk, into);
    if (finding !== undefined) this.#onFinding(finding);
    return finding;
  }

  /** The files are read no more. Reads that are under way may fail. */
  async close(): Promise<void> {
    await closeAll(this.#files);
  }

  async #readAndCheck(
    shard: number, chunk: number, into: Uint8Array,
  ): Promise<ErasureFinding | undefined> {
    const file = this.#files[shard];
    if (file === undefined) return { kind: 'missing', shard, chunk };
    const start = shard < this.facts.shape.data ? 0 : this.#parityAt;
    const position = start + chunk * CHUNK_BYTES;
    try {
      const count = await file.read(into, position);
      const isSound = count === into.length && await this.#isRight(shard, chunk, into);
      return isSound ? undefined : { kind: 'damaged', shard, chunk };
    } catch (error) {
      return { ...unreadable(error, shard), chunk };
    }
  }

  async #isRight(shard: number, chunk: number, bytes: Uint8Array): Promise<boolean> {
    const at = chunk * HASH_BYTES;
    const wanted = this.#shard(shard).hashes.subarray(at, at + HASH_BYTES);
    return (await sha256(bytes)).equals(wanted);
  }

  /** The other shards are asked in turn until k have answered with sound bytes. */
  async #compute(shard: number, chunk: number, length: number): Promise<Buffer> {
    const { shape, shards } = this.facts;
    this.#kernel ??= openKernel({ inputs: shape.data, outputs: 1, bufferBytes: CHUNK_BYTES });
    const kernel = this.#kernel;
    const waiting = [...shards.keys()].filter((other) => other !== shard);
    const sources: number[] = [];
    const problems: ErasureFinding[] = [];
    const fillInput = async (input: Uint8Array): Promise<number | undefined> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const problem = await this.#fill(next, chunk, input);
        if (problem === undefined) return next;
        problems.push(problem);
      }
      return undefined;
    };
    const found = await Promise.all(kernel.inputs.map(fillInput));
    for (const source of found) if (source !== undefined) sources.push(source);
    if (sources.length < shape.data) throw tooFew(shard, chunk, problems);
    kernel.combine(recoveryMatrix(shape, sources, [shard]), length);
    const bytes = Buffer.from((kernel.outputs[0] as Uint8Array).subarray(0, length));
    if (await this.#isRight(shard, chunk, bytes)) return bytes;
    const message = 'What was computed from sound shards is not what was stored. This is a bug.';
    throw new HoldfastError('internal', `${OP}.readChunk`, message, { facts: { shard, chunk } });
  }

  /** The chunk and, where the shard is shorter than others, zeros. */
  async #fill(
    shard: number, chunk: number, input: Uint8Array,
  ): Promise<ErasureFinding | undefined> {
    const length = chunkLength(this.#shard(shard).lengthBytes, chunk);
    input.fill(0, length);
    return length === 0 ? undefined : this.tryRead(shard, chunk, input.subarray(0, length));
  }

  #shard(shard: number): SetFacts['shards'][number] {
    const facts = this.facts.shards[shard];
    if (facts !== undefined) return facts;
    const message = 'The set has no such shard. Name one of its shards.';
    throw new HoldfastError('invalid', OP, message, { facts: { shard } });
  }

  /** The kernel has one set of buffers. Those who wait are as many as the caller lets wait. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

interface OpenedFiles {
  readonly files: (VolumeFile | undefined)[];
  readonly absent: Map<number, ErasureFinding>;
  readonly parity: FoundParity[];
}

async function openAll(places: SetPlaces, onFinding: OnErasureFinding): Promise<OpenedFiles> {
  const all = [...places.data, ...places.parity];
  const opened = await Promise.all(all.map(openShard));
  const files = opened.map(({ file }) => file);
  const absent = new Map<number, ErasureFinding>();
  const parity: FoundParity[] = [];
  for (const [shard, { finding }] of opened.entries()) {
    if (finding !== undefined) absent.set(shard, finding);
  }
  try {
    for (let shard = places.data.length; shard < all.length; shard++) {
      const found = await examineParity(files[shard], shard);
      if (found.finding !== undefined) absent.set(shard, absent.get(shard) ?? found.finding);
      parity.push({ ...found, finding: absent.get(shard) });
    }
  } catch (error) {
    await closeAll(files);
    throw error;
  }
  for (const finding of absent.values()) onFinding(finding);
  return { files, absent, parity };
}

/** A parity file whose header and catalogue are gone still has its parity: its chunks are checked
 *  by what the other parity files say. So only what cannot be read at all is absent. */
async function examineParity(file: VolumeFile | undefined, shard: number): Promise<FoundParity> {
  if (file === undefined) return { shard, facts: undefined, finding: undefined };
  try {
    return { shard, facts: await readParityFacts(file), finding: undefined };
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    return { shard, facts: undefined, finding: unreadable(error, shard) };
  }
}

function tooFew(
  shard: number, chunk: number, problems: readonly ErasureFinding[],
): HoldfastError {
  const facts = { shard, chunk, problems: problems.length };
  const isAway = problems.some(({ kind }) => kind === 'unreachable' || kind === 'missing');
  if (isAway) {
    const message = 'Too many disks of a set are out of reach. Bring back one of them.';
    return new HoldfastError('unavailable', `${OP}.readChunk`, message, { facts });
  }
  const message = 'Too many volumes of a set are damaged at the same place. Restore one of them.';
  return new HoldfastError('corrupt', `${OP}.readChunk`, message, { facts });
}
