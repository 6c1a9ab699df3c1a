/**
 * Takes samples of what users write: one write in a hundred is hashed on its way in, and is read
 * back later, from outside, by the write re-reader.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Clock, Random } from '../../platform/index.ts';
import type { SampleRecord, VerifyStore } from './verify-store.ts';

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;
/** When a sample is read back, counted from the write. */
export const READ_AFTER_MS: readonly number[] = [
  MINUTE_MS, HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS,
];
/** Samples that wait; beyond it no more are taken until some are done. */
export const SAMPLES_MAX = 50_000;
/** Samples in memory that are not in the notes yet, and how long at most. */
const UNWRITTEN_MAX = 500;
const WRITE_AFTER_MS = 1_000;
const ONE_IN = 100;

export interface WriteSamplerParts {
  store: VerifyStore;
  clock: Clock;
  random: Random;
  /** One write in so many; 1 samples all of them, as tests do. */
  oneIn?: number;
  samplesMax?: number;
}

/** One write that is being sampled. */
export interface WriteSample {
  /** The bytes as the user sent them, in order. */
  update(piece: Uint8Array): void;
  /** The write was acknowledged. `address` is what the reader needs: ids only. */
  finish(address: string): void;
}

export class WriteSampler {
  readonly #parts: WriteSamplerParts;
  readonly #unwritten: SampleRecord[] = [];
  #waiting: number;
  #cancel: (() => void) | undefined;

  constructor(parts: WriteSamplerParts) {
    this.#parts = parts;
    this.#waiting = parts.store.countSamples().count;
  }

  /** For each write, before its first byte; mostly undefined: this one is not sampled. */
  begin(): WriteSample | undefined {
    const { random, oneIn = ONE_IN, samplesMax = SAMPLES_MAX } = this.#parts;
    if (random.below(oneIn) !== 0) return undefined;
    if (this.#waiting >= samplesMax || this.#unwritten.length >= UNWRITTEN_MAX) return undefined;
    const hash = createHash('sha256');
    let sizeBytes = 0;
    return {
      update: (piece) => {
        hash.update(piece);
        sizeBytes += piece.length;
      },
      finish: (address) => this.#add({ address, sha256: hash.digest('hex'), sizeBytes }),
    };
  }

  /** Puts what is in memory into the notes. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#unwritten.length > 0) this.#parts.store.addSamples(this.#unwritten.splice(0));
    this.#waiting = this.#parts.store.countSamples().count;
  }

  #add(sample: Pick<SampleRecord, 'address' | 'sha256' | 'sizeBytes'>): void {
    const { clock } = this.#parts;
    const writtenMs = clock.now();
    const dueMs = writtenMs + (READ_AFTER_MS[0] ?? 0);
    this.#unwritten.push({ id: randomUUID(), ...sample, writtenMs, step: 0, dueMs });
    this.#waiting++;
    this.#cancel ??= clock.after(WRITE_AFTER_MS, () => this.flush());
  }
}
