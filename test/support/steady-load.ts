/**
 * Users who go on working while something breaks. They remember what was acknowledged to them: that
 * must be there afterwards, byte for byte, whatever happened to the machines.
 */
import type { Answer, DavClient } from './dav-client.ts';
import { fingerprint } from './dav-client.ts';
import { sleep } from './deadline.ts';
import { SeededRandom } from './random.ts';
import { seededBytes } from './trees.ts';

const READ_BACK_AT_ONCE = 6;
/** How long a file may stay out of reach after everything was mended. */
const READ_BACK_MS_MAX = 60_000;
const REASONS_MAX = 5;
/** By these a client is told to come back later; by 507, when there is room again. */
const RETRYABLE = new Set([503, 504, 507]);

export interface LoadCounts {
  written: number;
  writtenBytes: number;
  read: number;
  /** Answers by which a client is told to come back, by their status. */
  retryable: Record<number, number>;
  /** What the first of them said. */
  reasons: Set<string>;
  slowestMs: number;
}

export interface LoadOptions {
  readonly writers?: number;
  readonly readers?: number;
  /** Largest file. */
  readonly bytesMax?: number;
  /** Between two writes of one writer. */
  readonly pauseMs?: number;
  readonly seed?: number;
}

/** Contents of one file, in the order in which they were sent. */
interface History {
  readonly prints: string[];
  /** The last one that was acknowledged. Those behind it may have been stored or not. */
  settled: number;
}

export class SteadyLoad {
  readonly #user: DavClient;
  readonly #options: Required<LoadOptions>;
  readonly #files = new Map<string, History>();
  readonly #paths: string[] = [];
  /** Sentences about what must not happen. */
  readonly faults: string[] = [];
  counts: LoadCounts = emptyCounts();
  #running: Promise<void>[] = [];
  #stopped = false;
  #nextName = 0;

  constructor(user: DavClient, options: LoadOptions = {}) {
    this.#user = user;
    this.#options = {
      writers: 4, readers: 1, bytesMax: 400_000, pauseMs: 25, seed: 1, ...options,
    };
  }

  get fileCount(): number {
    return this.#paths.length;
  }

  start(): void {
    const { writers, readers, seed } = this.#options;
    for (let n = 0; n < writers; n += 1) this.#running.push(this.#write(seed * 100 + n));
    for (let n = 0; n < readers; n += 1) this.#running.push(this.#readOn(seed * 100 + 50 + n));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    this.#running = [];
    this.#stopped = false;
  }

  /** Forgets the figures, not the files. */
  takeCounts(): LoadCounts {
    const { counts } = this;
    this.counts = emptyCounts();
    return counts;
  }

  /** Reads every file that was acknowledged. A file that cannot be read now is asked for again. */
  async readAll(): Promise<void> {
    const waiting = [...this.#paths];
    const reader = async (): Promise<void> => {
      for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
        const endMs = performance.now() + READ_BACK_MS_MAX;
        while (!(await this.#readOne(path))) {
          if (performance.now() > endMs) {
            this.faults.push(`${path} cannot be read`);
            break;
          }
          await sleep(250);
        }
      }
    };
    await Promise.all(Array.from({ length: READ_BACK_AT_ONCE }, reader));
  }

  async #write(seed: number): Promise<void> {
    const random = new SeededRandom(seed);
    const own: string[] = [];
    while (!this.#stopped) {
      const again = own.length > 4 && random.next() < 0.15;
      const path = again ? random.pick(own) : `file ${(this.#nextName += 1)}.bin`;
      const small = random.next() < 0.7;
      const sizeBytes = random.between(1, small ? 40_000 : this.#options.bytesMax);
      const bytes = seededBytes(sizeBytes, `${path} ${seed} ${random.next()}`);
      if (await this.#put(path, bytes) && !again) own.push(path);
      await sleep(this.#options.pauseMs);
    }
  }

  async #put(path: string, bytes: Buffer): Promise<boolean> {
    const history = this.#files.get(path) ?? { prints: [], settled: -1 };
    this.#files.set(path, history);
    history.prints.push(fingerprint(bytes));
    const answer = await this.#answered(() => this.#user.put(path, bytes), `PUT ${path}`);
    if (answer === undefined) return false;
    if (answer.status !== 201 && answer.status !== 204) {
      this.faults.push(`PUT ${path} was answered with ${answer.status}: ${answer.text}`);
      return false;
    }
    if (history.settled < 0) this.#paths.push(path);
    history.settled = history.prints.length - 1; // One writer alone writes this file.
    this.counts.written += 1;
    this.counts.writtenBytes += bytes.length;
    return true;
  }

  async #readOn(seed: number): Promise<void> {
    const random = new SeededRandom(seed);
    while (!this.#stopped) {
      if (this.#paths.length > 0) await this.#readOne(random.pick(this.#paths));
      await sleep(this.#options.pauseMs);
    }
  }

  /** True when it was read, rightly or wrongly. */
  async #readOne(path: string): Promise<boolean> {
    const history = this.#files.get(path);
    if (history === undefined) return true;
    const { settled } = history;
    const answer = await this.#answered(() => this.#user.get(path), `GET ${path}`);
    if (answer === undefined) return false;
    this.counts.read += 1;
    const allowed = history.prints.slice(settled);
    if (answer.status !== 200) {
      this.faults.push(`GET ${path} was answered with ${answer.status}: ${answer.text}`);
    } else if (!allowed.includes(fingerprint(answer.body))) {
      const wanted = allowed.join(' or ');
      this.faults.push(`${path} holds ${fingerprint(answer.body)} instead of ${wanted}`);
    }
    return true;
  }

  /** Undefined: the client was told to try again. */
  async #answered(act: () => Promise<Answer>, what: string): Promise<Answer | undefined> {
    let answer: Answer;
    const startMs = performance.now();
    try {
      answer = await act();
    } catch (error) {
      this.faults.push(`${what} was not answered: ${(error as Error).message}`);
      return undefined;
    }
    this.counts.slowestMs = Math.max(this.counts.slowestMs, performance.now() - startMs);
    if (!RETRYABLE.has(answer.status)) return answer;
    const { retryable, reasons } = this.counts;
    if (reasons.size < REASONS_MAX) reasons.add(answer.text);
    retryable[answer.status] = (retryable[answer.status] ?? 0) + 1;
    return undefined;
  }
}

function emptyCounts(): LoadCounts {
  return {
    written: 0, writtenBytes: 0, read: 0, retryable: {}, reasons: new Set(), slowestMs: 0,
  };
}
