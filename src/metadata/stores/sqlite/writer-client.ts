/**
 * The caller's end of the writer thread. While the writer is busy with one batch, the next one
 * gathers here; so batches grow by themselves under load, and a lone change waits for nobody.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { HoldfastError, faultFromData } from '../../../base/errors.ts';
import { currentRequest } from '../../../platform/index.ts';
import type { ChangeResult } from '../../changes.ts';
import { CHANGES_QUEUE_MAX } from '../../metadata-store.ts';
import { storeClosed, tooBusy } from '../../refusals.ts';
import { packBatch, unpackOutcomes } from './batch-message.ts';
import type { FromWriter, Outcome, ToWriter, WriterChange, WriterStart } from './messages.ts';

/** One transaction takes no more changes than this: the first of them waits for the last. */
const BATCH_MAX = 512;

interface Pending {
  change: WriterChange;
  readonly request: string | undefined;
  readonly resolve: (result: ChangeResult) => void;
  readonly reject: (error: Error) => void;
}

export type StartThread = (start: WriterStart) => Worker;

export const startWriterThread: StartThread = (workerData) =>
  new Worker(new URL('./writer/writer-thread.ts', import.meta.url), { workerData });

export class WriterClient {
  readonly #worker: Worker;
  #waiting: Pending[] = [];
  #inFlight: Pending[] = [];
  readonly #late = new Map<number, Pending>();
  #reportCount = 0;
  #isPosting = false;
  #isClosing = false;
  #gone: HoldfastError | undefined;
  #whenIdle: (() => void)[] = [];

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (message: FromWriter) => this.#onMessage(message));
    worker.on('error', (error) => this.#onGone(error));
    worker.on('exit', () => this.#onGone(undefined));
  }

  /** @throws what the writer refused the database for. */
  static async open(worker: Worker): Promise<WriterClient> {
    const first = await firstMessage(worker);
    if (first.kind === 'refused') throw faultFromData(first.fault);
    const client = new WriterClient(worker);
    worker.unref();
    return client;
  }

  /** How often the writer has told of something. While it stands, no caller has been told of any
   *  change that was not there before. */
  get reportCount(): number {
    return this.#reportCount;
  }

  /** @throws busy, unavailable, and what the change is refused for. */
  submit(change: WriterChange): Promise<ChangeResult> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    if (this.#isClosing) return Promise.reject(storeClosed());
    const count = this.#waiting.length + this.#inFlight.length + this.#late.size;
    if (count >= CHANGES_QUEUE_MAX) return Promise.reject(tooBusy());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, request: currentRequest(), resolve, reject });
      this.#postSoon();
    });
  }

  /** In a microtask: what the caller hands in without pausing goes into one batch. */
  #postSoon(): void {
    if (this.#isPosting || this.#inFlight.length > 0) return;
    this.#isPosting = true;
    queueMicrotask(() => {
      this.#isPosting = false;
      this.#post();
    });
  }

  #post(): void {
    if (this.#inFlight.length > 0 || this.#waiting.length === 0 || this.#gone) return;
    this.#inFlight = this.#waiting.splice(0, BATCH_MAX);
    const changes = this.#inFlight.map(({ change }) => change);
    this.#worker.ref();
    this.#send({ ...packBatch(changes), ...requestOf(this.#inFlight) });
  }

  #send(message: ToWriter): void {
    this.#worker.postMessage(message);
  }

  #onMessage(message: FromWriter): void {
    this.#reportCount += 1;
    if (message.kind === 'closed') return; // `close` holds on to the thread until it has ended.
    if (message.kind === 'done') this.#onDone(message.outcomes);
    if (message.kind === 'packed-done') this.#onDone(unpackOutcomes(message.text));
    if (message.kind === 'late') {
      const pending = this.#late.get(message.ticket);
      this.#late.delete(message.ticket);
      if (pending !== undefined) settle(pending, message.outcome);
    }
    const isIdle = this.#inFlight.length + this.#waiting.length + this.#late.size === 0;
    if (!isIdle) return;
    this.#worker.unref();
    for (const wake of this.#whenIdle.splice(0)) wake();
  }

  #onDone(outcomes: readonly Outcome[]): void {
    const done = this.#inFlight;
    this.#inFlight = [];
    this.#post(); // The writer goes on while the answers are handed out here.
    for (const [index, pending] of done.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) pending.reject(new TypeError('the writer left a change out'));
      else if ('ticket' in outcome) this.#late.set(outcome.ticket, pending);
      else settle(pending, outcome);
    }
  }

  /** The thread has ended. What was in its hands may or may not be on the disk: the callers are
   *  told that it is not known, which is the truth. */
  #onGone(cause: unknown): void {
    if (this.#gone !== undefined) return;
    this.#reportCount += 1; // The last batch may be on the disk although nobody was told.
    this.#gone = this.#isClosing ? storeClosed() : new HoldfastError('unavailable',
      'metadata/SqliteMetadataStore.commit',
      'The metadata writer has stopped. Restart the server; what was under way may not be saved.',
      { code: 'writer-stopped', cause });
    const pendings = [...this.#inFlight, ...this.#waiting, ...this.#late.values()];
    this.#inFlight = [];
    this.#waiting = [];
    this.#late.clear();
    for (const { reject } of pendings) reject(this.#gone);
    for (const wake of this.#whenIdle.splice(0)) wake();
  }

  /** Finishes what was handed in and takes nothing more. The thread lives on until `close`. */
  async drain(): Promise<void> {
    this.#isClosing = true;
    const count = this.#waiting.length + this.#inFlight.length + this.#late.size;
    if (count === 0 || this.#gone !== undefined) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle.push(resolve);
    });
  }

  async close(): Promise<void> {
    if (this.#gone !== undefined) return;
    this.#worker.ref();
    const exited = once(this.#worker, 'exit');
    this.#send({ kind: 'close' });
    await exited;
  }
}

/** All listeners stand before anything is awaited: a thread that ends at once hands out its last
 *  message and its end in one go. A refusal counts once the thread has let go of the file. */
function firstMessage(worker: Worker): Promise<FromWriter> {
  return new Promise((resolve, reject) => {
    let refusal: FromWriter | undefined;
    const onMessage = (message: FromWriter): void => {
      refusal = message.kind === 'refused' ? message : undefined;
      if (refusal !== undefined) return;
      worker.off('error', reject);
      worker.off('exit', onExit);
      resolve(message);
    };
    const onExit = (): void => {
      if (refusal !== undefined) resolve(refusal);
      else reject(new Error('the writer thread ended before it began'));
    };
    worker.once('error', reject);
    worker.once('message', onMessage);
    worker.once('exit', onExit);
  });
}

/** For whom a batch is: the first of those that ask, and how many others. What one request has
 *  asked for stands together. */
function requestOf(pendings: readonly Pending[]): { request?: string } {
  let [first, last]: (string | undefined)[] = [];
  let others = 0;
  for (const { request } of pendings) {
    if (request === undefined || request === last) continue;
    if (first === undefined) first = request;
    else others += 1;
    last = request;
  }
  if (first === undefined) return {};
  return { request: others === 0 ? first : `${first}+${others}` };
}

function settle({ resolve, reject }: Pending, outcome: Outcome): void {
  if ('result' in outcome) resolve(outcome.result);
  else if ('fault' in outcome) reject(faultFromData(outcome.fault));
}
