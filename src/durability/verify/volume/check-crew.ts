/**
 * Who computes checksums and hashes: threads of their own, since that is most of the work of a
 * scrub, and the thread that reads is also the one that serves users.
 */
import { Worker } from 'node:worker_threads';
import { checkPayloads } from './payload-checks.ts';
import type { BadPayload, PayloadTask } from './payload-checks.ts';

/** Less than this is done before a thread would have heard of it. */
const HERE_BYTES_MAX = 256 * 1024;

export class CheckCrew {
  readonly #threadCount: number;
  readonly #members: Member[] = [];

  /** Threads begin with the first work for them. 0: everything is done on the caller's thread. */
  constructor(threadCount: number) {
    this.#threadCount = threadCount;
  }

  /** The memory must stay as it is until this resolves. In the order of the places. */
  check(task: PayloadTask, sizeBytes: number): Promise<BadPayload[]> | BadPayload[] {
    if (this.#threadCount === 0 || sizeBytes <= HERE_BYTES_MAX) return checkPayloads(task);
    return this.#freest()?.check(task) ?? checkPayloads(task);
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.splice(0).map((member) => member.close()));
  }

  /** Undefined: none is there yet, or any more. A thread takes a tenth of a second to begin. */
  #freest(): Member | undefined {
    const ready = this.#members.filter(({ isReady }) => isReady);
    const [freest] = ready.sort((a, b) => a.waitingCount - b.waitingCount);
    const isBusy = freest === undefined || freest.waitingCount > 0;
    if (isBusy && this.#members.length < this.#threadCount) this.#members.push(new Member());
    return freest;
  }
}

interface Waiting {
  task: PayloadTask;
  resolve: (bad: BadPayload[]) => void;
}

/** One thread. It answers in the order in which it was asked; if it dies, its work is done here:
 *  a verifier that gives up because of its own trouble would verify nothing. */
class Member {
  readonly #thread: Worker;
  readonly #waiting: Waiting[] = [];
  #isReady = false;

  constructor() {
    this.#thread = new Worker(new URL('./payload-thread.ts', import.meta.url));
    this.#thread.on('message', (answer: BadPayload[] | 'ready') => {
      if (answer === 'ready') this.#isReady = true;
      else this.#waiting.shift()?.resolve(answer);
    });
    this.#thread.on('error', () => this.#leave());
    this.#thread.on('exit', () => this.#leave());
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  check(task: PayloadTask): Promise<BadPayload[]> {
    return new Promise((resolve) => {
      this.#waiting.push({ task, resolve });
      this.#thread.postMessage(task);
    });
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }

  #leave(): void {
    this.#isReady = false;
    for (const { task, resolve } of this.#waiting.splice(0)) resolve(checkPayloads(task));
  }
}
