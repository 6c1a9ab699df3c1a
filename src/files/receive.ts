/**
 * From a body to durable blocks: the bytes stream through the cutter into the block store, hashed
 * on the way, never through a temporary file. The sender is held back while too much is waiting
 * for the disk, so memory is bounded: all bodies together share BODIES_BYTES_MAX, of which each
 * needs one block that is being filled, and gets more than one for the disk while few are sending.
 */
import type { Hash } from 'node:crypto';
import type { Block, BlockClaim, BlockStore } from '../storage/index.ts';
import { BLOCK_BYTES_MAX, BlockCutter } from '../storage/index.ts';
import type { BodySource } from './body.ts';
import { bodyCut, bodyOf } from './body.ts';
import type { Checksum, ChecksumAlgorithm } from './checksums.ts';
import { newHasher } from './checksums.ts';
import type { BlockRef } from './manifest.ts';
import type { WriteSample } from './write-watch.ts';
import { encodeEntries, encodeManifest, INLINE_BYTES_MAX } from './manifest.ts';

/** Of one body, handed to the block store and not yet durable. */
const IN_FLIGHT_BYTES_MAX = 12 * 1024 * 1024;
/** Of all bodies. More than this only when more bodies come at once than it has blocks. */
const BODIES_BYTES_MAX = 96 * 1024 * 1024;
const ENTRIES_PER_BLOCK = 100_000;

/** Shared by all bodies of one content store. */
export class ReceiveBudget {
  #bodyCount = 0;

  /** How much of one body may wait for the disk before its sender is held back. */
  get inFlightBytesMax(): number {
    const share = BODIES_BYTES_MAX / Math.max(1, this.#bodyCount) - BLOCK_BYTES_MAX;
    return Math.max(0, Math.min(IN_FLIGHT_BYTES_MAX, share));
  }

  enter(): void {
    this.#bodyCount += 1;
  }

  leave(): void {
    this.#bodyCount -= 1;
  }
}

export interface ReceiveOptions {
  algorithm?: ChecksumAlgorithm | undefined;
  /** Called before bytes are taken, with how many there are then: it may hold the sender back, and
   *  refuse. */
  reserve?: ((totalBytes: number) => Promise<void> | undefined) | undefined;
  budget: ReceiveBudget;
  sample?: WriteSample | undefined;
  /** Gets every block before it is put. */
  claim: BlockClaim;
  signal?: AbortSignal;
}

export interface Received {
  sizeBytes: number;
  blocks: readonly BlockRef[];
  /** Of the algorithm that was asked for. */
  checksum: Checksum | undefined;
}

/** Resolves when every byte is durable. @throws invalid `body-cut`; what `reserve` throws: nothing
 *  more is read; and whatever the block store throws. What was stored then is garbage. */
export async function receive(
  blocks: BlockStore,
  body: BodySource,
  options: ReceiveOptions,
): Promise<Received> {
  const receiver = new Receiver(blocks, options);
  options.budget.enter();
  try {
    await body.pour((piece) => receiver.take(piece), options.signal);
    if (body.lengthBytes !== undefined && body.lengthBytes !== receiver.sizeBytes) throw bodyCut();
    return await receiver.finish();
  } catch (error) {
    await receiver.abandon();
    throw error;
  } finally {
    options.budget.leave();
  }
}

class Receiver {
  sizeBytes = 0;
  readonly #store: BlockStore;
  readonly #reserve: ReceiveOptions['reserve'];
  readonly #budget: ReceiveBudget;
  readonly #claim: BlockClaim;
  readonly #signal: AbortSignal | undefined;
  readonly #algorithm: ChecksumAlgorithm | undefined;
  readonly #hasher: Hash | undefined;
  readonly #sample: WriteSample | undefined;
  readonly #cutter = new BlockCutter();
  readonly #refs: BlockRef[] = [];
  readonly #puts = new Set<Promise<void>>();
  #inFlightBytes = 0;
  #failure: { error: unknown } | undefined;
  #wakeSender: (() => void) | undefined;

  constructor(store: BlockStore, options: ReceiveOptions) {
    this.#store = store;
    this.#budget = options.budget;
    this.#claim = options.claim;
    this.#reserve = options.reserve;
    this.#signal = options.signal;
    this.#algorithm = options.algorithm;
    this.#sample = options.sample;
    this.#hasher = options.algorithm === undefined ? undefined : newHasher(options.algorithm);
  }

  take(piece: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.sizeBytes += piece.length;
    const wait = this.#reserve?.(this.sizeBytes);
    return wait === undefined ? this.#hand(piece) : wait.then(() => this.#handLate(piece));
  }

  /** The body may have been given up meanwhile. */
  #handLate(piece: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#hand(piece);
  }

  #hand(piece: Uint8Array): Promise<void> | undefined {
    this.#hasher?.update(piece);
    this.#sample?.update(piece);
    for (const block of this.#cutter.push(piece)) this.#put(block);
    if (this.#inFlightBytes <= this.#budget.inFlightBytesMax) return undefined;
    return new Promise((wake) => {
      this.#wakeSender = wake;
    });
  }

  async finish(): Promise<Received> {
    const last = this.#cutter.finish();
    if (last !== undefined) this.#put(last);
    if (this.#puts.size > 0) await Promise.all(this.#puts);
    if (this.#failure !== undefined) throw this.#failure.error;
    const checksum = this.#algorithm !== undefined && this.#hasher !== undefined
      ? { algorithm: this.#algorithm, hex: this.#hasher.digest('hex') } : undefined;
    return { sizeBytes: this.sizeBytes, blocks: this.#refs, checksum };
  }

  /** Waits for what is under way, so that no buffer is in use after the failure was reported. */
  async abandon(): Promise<void> {
    this.#failure ??= { error: bodyCut() };
    await Promise.allSettled(this.#puts);
  }

  #put(block: Block): void {
    this.#refs.push({ id: block.id, sizeBytes: block.sizeBytes });
    this.#inFlightBytes += block.sizeBytes;
    this.#claim.add(block.id); // From here on the collector leaves it alone, known or new.
    const put = this.#store.put(block, this.#signal).then(
      () => this.#settled(block.sizeBytes),
      (error: unknown) => {
        this.#failure ??= { error };
        this.#settled(block.sizeBytes);
      },
    ).finally(() => this.#puts.delete(put));
    this.#puts.add(put);
  }

  #settled(sizeBytes: number): void {
    this.#inFlightBytes -= sizeBytes;
    const failed = this.#failure !== undefined;
    if (this.#inFlightBytes > this.#budget.inFlightBytesMax && !failed) return;
    this.#wakeSender?.();
    this.#wakeSender = undefined;
  }
}

export interface ContentBlocks {
  blocks: readonly BlockRef[];
  /** Of the content: the sum of the blocks. */
  sizeBytes: number;
}

/** The manifest of these blocks as it goes into the database; a long one is stored as blocks. */
export async function storeManifest(
  store: BlockStore,
  { blocks, sizeBytes }: ContentBlocks,
  options: { budget: ReceiveBudget; claim: BlockClaim },
): Promise<Buffer> {
  const direct = encodeManifest({ chunker: 'fixed-4m', sizeBytes, indirect: false, blocks });
  if (direct.length <= INLINE_BYTES_MAX) return direct;
  const pages: BlockRef[][] = [];
  for (let at = 0; at < blocks.length; at += ENTRIES_PER_BLOCK) {
    pages.push(blocks.slice(at, at + ENTRIES_PER_BLOCK));
  }
  const refs: BlockRef[] = [];
  for (const page of pages) {
    const received = await receive(store, bodyOf(encodeEntries(page)), options);
    refs.push(...received.blocks);
  }
  return encodeManifest({ chunker: 'fixed-4m', sizeBytes, indirect: true, blocks: refs });
}
