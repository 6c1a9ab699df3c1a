/**
 * For which request a statement runs. The id travels along with the work through all that is
 * awaited, so that nothing between the HTTP server and a store has to hand it on; into a thread it
 * goes with the message, and stands there until the next one.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

const CURRENT = new AsyncLocalStorage<string>();
let ofThread: string | undefined;
let areReadsMarked = false;

/** From now on reads are marked as well: there is a database server whose statements say what they
 *  are for. In files only changes are: the mark costs a small download a thirtieth. */
export function markReads(): void {
  areReadsMarked = true;
}

/** Whether a request is worth its mark. */
export function isMarked(method: string | undefined): boolean {
  return areReadsMarked || (method !== 'GET' && method !== 'HEAD');
}

/** Runs `act`, and whatever it starts, as part of a request. */
export function asRequest<T>(requestId: string, act: () => T): T {
  return CURRENT.run(requestId, act);
}

/** For a thread that does one thing after the other: what it does from now on. */
export function markThread(requestId: string | undefined): void {
  ofThread = requestId;
}

/** undefined: the work is nobody's request. */
export function currentRequest(): string | undefined {
  return CURRENT.getStore() ?? ofThread;
}
