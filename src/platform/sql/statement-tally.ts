/**
 * How often each statement ran, how long it took and for whom it was slowest, over all threads of
 * the process: one table in shared memory, written with atomic steps and read by whoever asks. Its
 * size is fixed: a row for each form of a statement, and in it a histogram of fixed bounds.
 *
 * Threads find it by the environment that is handed down from thread to thread, so whoever starts
 * one has nothing to pass on. The thread that starts all others has to load this first.
 */
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { currentRequest } from './request-mark.ts';

const KEY = 'holdfast.statements';
const STATEMENTS_MAX = 768;
/** Four steps for each doubling, from a quarter of a microsecond to a minute. */
const STEP_BITS = 2;
const STEPS_PER_DOUBLING = 4;
const BUCKETS = 112;
const UNITS_PER_US = 4;
/** Longer ones count as this long in the histogram, not in the sum. */
const UNITS_MAX = 2 ** 30;

/** Words of 32 bits. The table has a head; each row has these. */
const HEAD_WORDS = 16;
const LOCK = 0;
const USED = 1;
const COUNT = 0;
const ERRORS = 1;
const TIME_NS = 2; // Two words, the lower one first.
const ROWS = 4; // Two words.
const SLOWEST_US = 6;
const SLOWEST_LOCK = 7;
const BUCKET = 8;
const NAME = BUCKET + BUCKETS;
const TEXT_WORDS = 16;
const PRINT = NAME + TEXT_WORDS;
const PRINT_WORDS = 2;
const REQUEST = PRINT + PRINT_WORDS;
const ROW_WORDS = 160;
const WORD_BYTES = 4;
const TWO_WORDS = 2 ** 32;

/** Stands for all statements for which no row was left. */
const OTHERS = { name: 'others', fingerprint: '--------' };

export interface StatementFigures {
  readonly name: string;
  readonly fingerprint: string;
  readonly count: number;
  readonly errors: number;
  readonly rows: number;
  readonly totalMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
  /** Of the slowest run; nothing when it was part of no request. */
  readonly slowestRequest?: string;
}

/** The row of one statement. Noting costs a fraction of a microsecond. */
export interface StatementCount {
  note(tookMs: number, rows: number): void;
  noteError(tookMs: number): void;
}

export class StatementTally implements Iterable<StatementFigures> {
  readonly #words: Int32Array;
  readonly #unsigned: Uint32Array;
  readonly #bytes: Buffer;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
    this.#unsigned = new Uint32Array(shared);
    this.#bytes = Buffer.from(shared);
  }

  static make(): SharedArrayBuffer {
    return new SharedArrayBuffer((HEAD_WORDS + STATEMENTS_MAX * ROW_WORDS) * WORD_BYTES);
  }

  /** The same row for the same name and fingerprint, in whichever thread. */
  countOf(name: string, fingerprint: string): StatementCount {
    const at = this.#rowOf(name, fingerprint);
    return {
      note: (tookMs, rows) => this.#note(at, tookMs, rows),
      noteError: (tookMs) => {
        Atomics.add(this.#words, at + ERRORS, 1);
        this.#note(at, tookMs, 0);
      },
    };
  }

  #start(index: number): number {
    return HEAD_WORDS + index * ROW_WORDS;
  }

  #rowOf(name: string, fingerprint: string): number {
    while (Atomics.compareExchange(this.#words, LOCK, 0, 1) !== 0); // A few microseconds at most.
    try {
      const used = Atomics.load(this.#words, USED);
      const wanted = Buffer.alloc((TEXT_WORDS + PRINT_WORDS) * WORD_BYTES);
      wanted.write(name, 0, TEXT_WORDS * WORD_BYTES, 'latin1');
      wanted.write(fingerprint, TEXT_WORDS * WORD_BYTES, 'latin1');
      for (let index = 0; index < used; index += 1) {
        const at = this.#start(index);
        const from = (at + NAME) * WORD_BYTES;
        if (this.#bytes.compare(wanted, 0, wanted.length, from, from + wanted.length) === 0) {
          return at;
        }
      }
      const isLast = used >= STATEMENTS_MAX - 1;
      const at = this.#start(isLast ? STATEMENTS_MAX - 1 : used);
      this.#write(at + NAME, TEXT_WORDS, isLast ? OTHERS.name : name);
      this.#write(at + PRINT, PRINT_WORDS, isLast ? OTHERS.fingerprint : fingerprint);
      Atomics.store(this.#words, USED, Math.min(used + 1, STATEMENTS_MAX));
      return at;
    } finally {
      Atomics.store(this.#words, LOCK, 0);
    }
  }

  #read(word: number, words: number): string {
    const bytes = this.#bytes.subarray(word * WORD_BYTES, (word + words) * WORD_BYTES);
    const end = bytes.indexOf(0);
    return bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
  }

  #write(word: number, words: number, text: string): void {
    const bytes = this.#bytes.subarray(word * WORD_BYTES, (word + words) * WORD_BYTES);
    bytes.fill(0);
    bytes.set(Buffer.from(text, 'latin1').subarray(0, bytes.length));
  }

  #note(at: number, tookMs: number, rows: number): void {
    const words = this.#words;
    const tookUs = tookMs * 1_000;
    Atomics.add(words, at + COUNT, 1);
    Atomics.add(words, at + BUCKET + bucketOf(tookUs), 1);
    this.#add(at + TIME_NS, Math.round(tookUs * 1_000));
    if (rows > 0) this.#add(at + ROWS, rows);
    const wholeUs = Math.min(Math.round(tookUs), 2 ** 31 - 1);
    if (wholeUs > Atomics.load(words, at + SLOWEST_US)) this.#noteSlowest(at, wholeUs);
  }

  #add(word: number, amount: number): void {
    const low = amount % TWO_WORDS;
    const before = Atomics.add(this.#unsigned, word, low);
    const carried = Math.floor(amount / TWO_WORDS) + (before + low >= TWO_WORDS ? 1 : 0);
    if (carried > 0) Atomics.add(this.#words, word + 1, carried);
  }

  /** Two at once: one of them is lost, which is no matter. */
  #noteSlowest(at: number, tookUs: number): void {
    if (Atomics.compareExchange(this.#words, at + SLOWEST_LOCK, 0, 1) !== 0) return;
    Atomics.store(this.#words, at + SLOWEST_US, tookUs);
    this.#write(at + REQUEST, TEXT_WORDS, currentRequest() ?? '');
    Atomics.store(this.#words, at + SLOWEST_LOCK, 0);
  }

  /** In no order, of all that ran. */
  * [Symbol.iterator](): Generator<StatementFigures> {
    const used = Atomics.load(this.#words, USED);
    for (let index = 0; index < used; index += 1) {
      const figures = this.#figures(this.#start(index));
      if (figures.count > 0) yield figures;
    }
  }

  #figures(at: number): StatementFigures {
    const words = this.#unsigned;
    const pair = (word: number): number =>
      Atomics.load(words, word) + Atomics.load(words, word + 1) * TWO_WORDS;
    const slowestMs = Atomics.load(words, at + SLOWEST_US) / 1_000;
    const slowestRequest = this.#read(at + REQUEST, TEXT_WORDS);
    const buckets = Array.from({ length: BUCKETS }, (_, index) =>
      Atomics.load(words, at + BUCKET + index));
    return {
      name: this.#read(at + NAME, TEXT_WORDS), fingerprint: this.#read(at + PRINT, PRINT_WORDS),
      count: Atomics.load(words, at + COUNT), errors: Atomics.load(words, at + ERRORS),
      rows: pair(at + ROWS), totalMs: pair(at + TIME_NS) / 1_000_000,
      p50Ms: Math.min(quantile(buckets, 0.5), slowestMs),
      p99Ms: Math.min(quantile(buckets, 0.99), slowestMs), slowestMs,
      ...(slowestRequest !== '' && { slowestRequest }),
    };
  }
}

/** By the highest three bits of the time: a logarithm would cost as much as all the rest. */
function bucketOf(tookUs: number): number {
  const units = Math.min(tookUs * UNITS_PER_US, UNITS_MAX) | 0;
  if (units < STEPS_PER_DOUBLING) return units;
  const doublings = 31 - Math.clz32(units);
  const step = (units >>> (doublings - STEP_BITS)) & (STEPS_PER_DOUBLING - 1);
  return Math.min((doublings - 1) * STEPS_PER_DOUBLING + step, BUCKETS - 1);
}

/** The upper bound of a bucket. */
function boundMs(bucket: number): number {
  const next = bucket + 1;
  if (next < STEPS_PER_DOUBLING) return next / UNITS_PER_US / 1_000;
  const doublings = Math.floor(next / STEPS_PER_DOUBLING) + 1;
  const steps = STEPS_PER_DOUBLING + next % STEPS_PER_DOUBLING;
  return steps * 2 ** (doublings - STEP_BITS) / UNITS_PER_US / 1_000;
}

/** The upper bound of the bucket in which it lies: at most a quarter too much. */
function quantile(buckets: readonly number[], part: number): number {
  const wanted = buckets.reduce((sum, count) => sum + count, 0) * part;
  let seen = 0;
  const index = buckets.findIndex((count) => {
    seen += count;
    return seen >= wanted;
  });
  return boundMs(Math.max(index, 0));
}

function sharedByThreads(): SharedArrayBuffer {
  const known = getEnvironmentData(KEY);
  if (known instanceof SharedArrayBuffer) return known;
  const shared = StatementTally.make();
  setEnvironmentData(KEY, shared);
  return shared;
}

/** Of this process, whichever thread asks. */
export const statementTally = new StatementTally(sharedByThreads());
