/** Reads a set as a whole and tries out every loss that it must survive. */
import { erasurePatterns, parityMatrix, recoveryMatrix } from './code-matrix.ts';
import { ErasureSet } from './erasure-set.ts';
import type { ErasureSetOptions } from './erasure-set.ts';
import type { ErasureWork } from './set-encoder.ts';
import { CHUNK_BYTES, chunkLength } from './set-layout.ts';
import { openKernel } from './shard-kernel.ts';
import type { ShardKernel } from './shard-kernel.ts';
import type { ErasureFinding, SetPlaces } from './shard-place.ts';

/** Rows in which every pattern is decoded, when the caller does not say. */
const SAMPLES = 4;
/** So much of a sampled row is decoded in each pattern: with 16 and 4 shards there are 4845. */
const WINDOW_BYTES = 64 * 1024;
/** Patterns between two breaths of the event loop: about ten milliseconds of work. */
const PATTERNS_AT_ONCE = 64;
/** Beyond this many findings only their number counts. */
const FINDINGS_MAX = 1000;

export interface ErasureProof {
  /** Every chunk of every shard is as it was stored, parity follows from the data in all rows, and
   *  every pattern of losses was decoded rightly in all sampled rows. */
  readonly sound: boolean;
  readonly rows: number;
  readonly bytesRead: number;
  /** Ways in which m shards can be lost; whoever survives these survives the loss of fewer. */
  readonly patterns: number;
  readonly rowsSampled: number;
  /** Decodings that gave wrong bytes, and rows whose parity does not follow from the data. */
  readonly undecodable: number;
  /** The first thousand. */
  readonly findings: readonly ErasureFinding[];
}

export interface ProofOptions extends ErasureWork, Pick<ErasureSetOptions, 'expect'> {
  /** Rows in which every pattern is decoded: first, last and others between. */
  readonly samples?: number;
}

/** Opens all shards anew. Writes nothing; repairs nothing. Memory: 2 (k + m) MiB.
 *  @throws as ErasureSet.open; damage found is no error but a finding. */
export async function proveErasureSet(
  places: SetPlaces, options: ProofOptions = {},
): Promise<ErasureProof> {
  const findings: ErasureFinding[] = [];
  const onFinding = (finding: ErasureFinding): void => {
    if (findings.length < FINDINGS_MAX) findings.push(finding);
  };
  const { expect, samples = SAMPLES } = options;
  const set = await ErasureSet.open(places, { onFinding, ...(expect !== undefined && { expect }) });
  try {
    const prover = new Prover(set);
    const sampled = sampledRows(set.chunks, samples);
    for (let row = 0; row < set.chunks; row++) {
      options.signal?.throwIfAborted();
      const bytes = await prover.proveRow(row, sampled.has(row));
      await options.pace?.(bytes);
    }
    const { bytesRead, undecodable, patterns } = prover;
    return {
      sound: findings.length === 0 && undecodable === 0,
      rows: set.chunks, bytesRead, patterns: patterns.length, rowsSampled: sampled.size,
      undecodable, findings,
    };
  } finally {
    await set.close();
  }
}

/** Evenly spread, the first and the last among them. */
function sampledRows(rows: number, samples: number): Set<number> {
  const count = Math.min(rows, Math.max(1, samples));
  const gap = count > 1 ? (rows - 1) / (count - 1) : 0;
  return new Set(Array.from({ length: count }, (_, at) => rows - 1 - Math.round(at * gap)));
}

class Prover {
  bytesRead = 0;
  undecodable = 0;
  readonly patterns: readonly (readonly number[])[];
  readonly #set: ErasureSet;
  readonly #kernel: ShardKernel;
  readonly #shards: readonly Buffer[];

  constructor(set: ErasureSet) {
    const { shape, shards } = set.facts;
    this.#set = set;
    this.#shards = shards.map(() => Buffer.alloc(CHUNK_BYTES));
    this.#kernel = openKernel({
      inputs: shape.data, outputs: shape.parity, bufferBytes: CHUNK_BYTES,
    });
    this.patterns = erasurePatterns(shape);
  }

  /** Resolves with the number of bytes read. A row with findings has no more to prove. */
  async proveRow(row: number, isSampled: boolean): Promise<number> {
    const { shards, shape } = this.#set.facts;
    let bytes = 0;
    const found = await Promise.all(shards.map(async ({ lengthBytes }, shard) => {
      const length = chunkLength(lengthBytes, row);
      const buffer = (this.#shards[shard] as Buffer).fill(0, length);
      bytes += length;
      return length === 0 ? undefined : this.#set.tryRead(shard, row, buffer.subarray(0, length));
    }));
    this.bytesRead += bytes;
    if (found.some((finding) => finding !== undefined)) return bytes;
    const rowBytes = Math.max(...shards.map(({ lengthBytes }) => chunkLength(lengthBytes, row)));
    const data = [...new Array(shape.data).keys()];
    const parity = shards.map((_, shard) => shard).slice(shape.data);
    this.#decode(parityMatrix(shape), { sources: data, wanted: parity, from: 0, end: rowBytes });
    if (isSampled) await this.#decodeAll(rowBytes, row);
    return bytes;
  }

  /** Windows at the beginning of even rows and at the end of odd ones and of the last. */
  async #decodeAll(rowBytes: number, row: number): Promise<void> {
    const { shape, shards } = this.#set.facts;
    const isAtEnd = row % 2 === 1 || row === this.#set.chunks - 1;
    const from = isAtEnd ? Math.max(0, rowBytes - WINDOW_BYTES) : 0;
    const end = Math.min(rowBytes, from + WINDOW_BYTES);
    const all = [...shards.keys()];
    for (const [at, wanted] of this.patterns.entries()) {
      const sources = all.filter((shard) => !wanted.includes(shard));
      this.#decode(recoveryMatrix(shape, sources, wanted), { sources, wanted, from, end });
      if (at % PATTERNS_AT_ONCE === 0) await breath();
    }
  }

  #decode(
    matrix: readonly (readonly number[])[],
    { sources, wanted, from, end }: {
      sources: readonly number[]; wanted: readonly number[]; from: number; end: number;
    },
  ): void {
    const kernel = this.#kernel;
    for (const [at, shard] of sources.entries()) {
      kernel.inputs[at]?.set((this.#shards[shard] as Buffer).subarray(from, end));
    }
    kernel.combine(matrix, end - from);
    const isRight = wanted.every((shard, at) => {
      const output = (kernel.outputs[at] as Uint8Array).subarray(0, end - from);
      return (this.#shards[shard] as Buffer).subarray(from, end).equals(output);
    });
    if (!isRight) this.undecodable++;
  }
}

/** Lets others on the event loop have their turn. */
function breath(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
