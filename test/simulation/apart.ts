/**
 * Runs a function of a module in a thread of its own. The test runner watches every promise of its
 * own thread, which makes a simulation, all of whose work is promises, three times as slow.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

interface Order {
  readonly module: string;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** `args` and the answer are copied between the threads. @throws what the function throws. */
export function apart<T>(module: URL, name: string, ...args: readonly unknown[]): Promise<T> {
  const order: Order = { module: module.href, name, args };
  const worker = new Worker(new URL(import.meta.url), { workerData: order });
  return new Promise<T>((resolve, reject) => {
    worker.once('message', (answer: T) => resolve(answer));
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread has ended without an answer')));
  });
}

async function obey({ module, name, args }: Order): Promise<unknown> {
  const known = await import(module) as Readonly<Record<string, (...args: unknown[]) => unknown>>;
  const wanted = known[name];
  if (wanted === undefined) throw new Error(`${module} has no ${name}`);
  return wanted(...args);
}

function isOrder(data: unknown): data is Order {
  return typeof data === 'object' && data !== null && 'module' in data && 'args' in data;
}

if (!isMainThread && isOrder(workerData)) parentPort?.postMessage(await obey(workerData));
