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
/** Three steps for each doubling, from a quarter of a microsecond to a minute. */
const STEPS_PER_DOUBLING = 3;
const BUCKETS = 84;
const BUCKET_FIRST_US = 0.25;

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
const ROW_WORDS = 128;
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
  readonly #bytes: Uint8Array;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
    this.#unsigned = new Uint32Array(shared);
    this.#bytes = new Uint8Array(shared);
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
      const wanted = name.slice(0, TEXT_WORDS * WORD_BYTES);
      for (let index = 0; index < used; index += 1) {
        const at = this.#start(index);
        const isIt = this.#read(at + PRINT, PRINT_WORDS) === fingerprint
          && this.#read(at + NAME, TEXT_WORDS) === wanted;
        if (isIt) return at;
      }
      const isLast = used >= STATEMENTS_MAX - 1;
      const at = this.#start(isLast ? STATEMENTS_MAX - 1 : used);
      this.#write(at + NAME, TEXT_WORDS, isLast ? OTHERS.name : wanted);
      this.#write(at + PRINT, PRINT_WORDS, isLast ? OTHERS.fingerprint : fingerprint);
      Atomics.store(this.#words, USED, Math.min(used + 1, STATEMENTS_MAX));
      return at;
    } finally {
      Atomics.store(this.#words, LOCK, 0);
    }
  }

  #read(word: number, words: number): string {
    const bytes = this.#bytes.slice(word * WORD_BYTES, (word + words) * WORD_BYTES);
    const end = bytes.indexOf(0);
    return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('latin1');
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
      p50Ms: quantile(buckets, 0.5), p99Ms: quantile(buckets, 0.99), slowestMs,
      ...(slowestRequest !== '' && { slowestRequest }),
    };
  }
}

function bucketOf(tookUs: number): number {
  if (tookUs <= BUCKET_FIRST_US) return 0;
  const step = Math.ceil(STEPS_PER_DOUBLING * Math.log2(tookUs / BUCKET_FIRST_US));
  return Math.min(step, BUCKETS - 1);
}

/** The upper bound of the bucket in which it lies: at most a quarter too much. */
function quantile(buckets: readonly number[], part: number): number {
  const wanted = buckets.reduce((sum, count) => sum + count, 0) * part;
  let seen = 0;
  const index = buckets.findIndex((count) => {
    seen += count;
    return seen >= wanted;
  });
  return BUCKET_FIRST_US * 2 ** (Math.max(index, 0) / STEPS_PER_DOUBLING) / 1_000;
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
