/**
 * Runs functions of a module in a thread of their own. The test runner watches every promise of its
 * own thread, which makes a simulation, all of whose work is promises, three times as slow.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const MARK = 'runs a module apart';

interface Order {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** One call. `args` and the answer are copied between the threads. @throws what it throws. */
export async function apart<T>(module: URL, name: string, ...args: readonly unknown[]): Promise<T> {
  const thread = new Thread(module);
  try {
    return await thread.call<T>(name, ...args);
  } finally {
    await thread.end();
  }
}

/** For many calls, one after the other: the module is loaded once. Whoever makes one ends it. */
export class Thread {
  readonly #worker: Worker;

  constructor(module: URL) {
    const data = { mark: MARK, module: module.href };
    this.#worker = new Worker(new URL(import.meta.url), { workerData: data });
  }

  /** @throws what the function throws: the thread is over then. */
  async call<T>(name: string, ...args: readonly unknown[]): Promise<T> {
    const settled = new AbortController();
    const { signal } = settled;
    const gone = async (): Promise<never> => {
      if (this.#worker.threadId !== -1) await once(this.#worker, 'exit', { signal });
      throw new Error('the thread has ended without an answer');
    };
    try {
      const answer = once(this.#worker, 'message', { signal });
      this.#worker.postMessage({ name, args } satisfies Order);
      const [value] = await Promise.race([answer, gone()]) as [T];
      return value;
    } finally {
      settled.abort();
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

async function obey(module: string, { name, args }: Order): Promise<unknown> {
  const known = await import(module) as Readonly<Record<string, (...args: unknown[]) => unknown>>;
  const wanted = known[name];
  if (wanted === undefined) throw new Error(`${module} has no ${name}`);
  return wanted(...args);
}

function moduleToRun(data: unknown): string | undefined {
  const isOurs = typeof data === 'object' && data !== null && 'mark' in data && data.mark === MARK;
  return isOurs && 'module' in data ? String(data.module) : undefined;
}

const module = isMainThread ? undefined : moduleToRun(workerData);
if (module !== undefined) {
  parentPort?.on('message', (order: Order) => {
    void obey(module, order).then((answer) => parentPort?.postMessage(answer));
  });
}
