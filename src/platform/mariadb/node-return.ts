/**
 * The way back to the nodes that come first in the list, once they are well again. All processes
 * have the same list, so all end on the same node, whichever they went to when that one failed.
 *
 * Nobody goes back to a node that has just come: it has to be seen well, again and again, for
 * `returnAfterMs`. One that is left again soon has to be seen well for twice as long the next time,
 * so that a node which comes and goes moves nobody to and fro. What is under way on the node in use
 * is done there; connections made from then on are made on the other, and wait there until it has
 * all that was acknowledged (see Session.open).
 *
 * Meanwhile processes are on different nodes, and what one has saved another would see a moment
 * later. So while that may be, each read waits for what was acknowledged anywhere; that costs a
 * message to all nodes, which reads are spared as long as nobody is to be expected elsewhere.
 *
 * Whoever speaks to the database looks now and then, on the way: who does not, needs no return. The
 * threads of a process look as one, by what lies in the memory that they share.
 */
import type { NodeChoice } from './nodes.ts';

export const RETURN_AFTER_MS = 60_000;
/** A return counts as gone wrong when the node is left within so many times its wait. */
const STEADY_FACTOR = 10;
const WAIT_MAX_MS = 60 * 60_000;
const LOOK_EVERY_MAX_MS = 5_000;
/** So many times a node is seen well, at least. */
const LOOKS_MIN = 4;
/** Who was seen so many looks ago was not watched meanwhile. */
const LOOKS_MISSED_MAX = 5;
/** Longer than any look takes. */
const LOOKING_MAX_MS = 60_000;
/** After so many waits the others are where this process is. */
const TOGETHER_FACTOR = 4;

/** Where in the shared memory the numbers are; times are in milliseconds. */
const CELLS = {
  /** When somebody is to look again. */
  lookAt: 0,
  /** Which node was seen well, since when, and when the last time. */
  place: 1, wellSince: 2, wellAt: 3,
  /** For how long it has to be; 0: as at the beginning. */
  waitMs: 4,
  /** When we last went back; and of which return it was noted that it did not last. */
  returnedAt: 5, judgedReturn: 6,
  /** Where this process is, counted from 1, and since when; and when it last looked elsewhere. */
  knownPlace: 7, changedAt: 8, lookedAt: 9,
} as const;
export const RETURN_BYTES = BigInt64Array.BYTES_PER_ELEMENT * Object.keys(CELLS).length;

/** When somebody last went back, in milliseconds that never run backwards; 0: nobody has. */
export function returnedAtOf(cells: BigInt64Array): number {
  return Number(Atomics.load(cells, CELLS.returnedAt));
}

export interface NodeReturnParts {
  choice: NodeChoice;
  /** How long a node has to be well; 0: nobody goes back. */
  returnAfterMs: number;
  /** Whether the node at `place` may be worked on, and belongs together with that at `inUse`. */
  isReady: (place: number, inUse: number) => Promise<boolean>;
  /** Milliseconds that never run backwards, the same in all threads. */
  now: () => number;
}

export class NodeReturn {
  readonly #parts: NodeReturnParts;
  readonly #cells: BigInt64Array;

  constructor(parts: NodeReturnParts) {
    this.#parts = parts;
    this.#cells = parts.choice.cells;
  }

  /** Whether other processes may be on another node than this one. */
  get isUnsettled(): boolean {
    const { choice: { current }, returnAfterMs, now } = this.#parts;
    if (returnAfterMs === 0) return false;
    const atMs = now();
    if (this.#get('knownPlace') !== current + 1) {
      this.#put('changedAt', atMs);
      this.#put('knownPlace', current + 1);
    }
    if (atMs - this.#get('changedAt') < this.#waitMs * TOGETHER_FACTOR) return true;
    if (current === 0) return false;
    const isLooking = atMs - this.#get('lookedAt') <= this.#lookEveryMs * LOOKS_MISSED_MAX;
    return !isLooking || this.#get('wellSince') > 0;
  }

  /** Looks, if it is time for it and one of those before is to be hoped for. Nobody waits. */
  consider(): void {
    const { choice, returnAfterMs, now } = this.#parts;
    if (choice.current === 0 || returnAfterMs === 0) return;
    const due = Atomics.load(this.#cells, CELLS.lookAt);
    const atMs = now();
    if (BigInt(Math.ceil(atMs)) < due) return;
    const claimed = BigInt(Math.ceil(atMs + LOOKING_MAX_MS));
    if (Atomics.compareExchange(this.#cells, CELLS.lookAt, due, claimed) !== due) return;
    void this.look();
  }

  /** One look, by one at a time. Never throws. */
  async look(): Promise<void> {
    const { choice, now } = this.#parts;
    const inUse = choice.current;
    this.#judgeLastReturn();
    const place = await this.#firstReady(inUse);
    if (place === undefined) this.#put('wellSince', 0);
    else this.#seenWell(place, inUse);
    this.#put('lookedAt', now());
    this.#put('lookAt', now() + this.#lookEveryMs);
  }

  get #lookEveryMs(): number {
    return Math.min(LOOK_EVERY_MAX_MS, this.#parts.returnAfterMs / LOOKS_MIN);
  }

  async #firstReady(inUse: number): Promise<number | undefined> {
    for (let place = 0; place < inUse; place += 1) {
      if (await this.#parts.isReady(place, inUse)) return place;
    }
    return undefined;
  }

  #seenWell(place: number, inUse: number): void {
    const { choice, now } = this.#parts;
    const atMs = now();
    const since = this.#get('wellSince');
    const missedMs = atMs - this.#get('wellAt');
    const goesOn = since > 0 && this.#get('place') === place
      && missedMs <= this.#lookEveryMs * LOOKS_MISSED_MAX;
    this.#put('place', place);
    this.#put('wellAt', atMs);
    if (!goesOn) {
      this.#put('wellSince', atMs);
      return;
    }
    if (atMs - since < this.#waitMs) return;
    this.#put('wellSince', 0);
    this.#put('returnedAt', atMs);
    choice.move(inUse, place);
  }

  get #waitMs(): number {
    return Math.max(this.#get('waitMs'), this.#parts.returnAfterMs);
  }

  /** We are not where we went back to: so that has not lasted. */
  #judgeLastReturn(): void {
    const returnedAt = this.#get('returnedAt');
    if (returnedAt === this.#get('judgedReturn')) return;
    this.#put('judgedReturn', returnedAt);
    const lastedMs = this.#parts.now() - returnedAt;
    const isShort = lastedMs < this.#waitMs * STEADY_FACTOR;
    this.#put('waitMs', isShort ? Math.min(this.#waitMs * 2, WAIT_MAX_MS) : 0);
  }

  #get(cell: keyof typeof CELLS): number {
    return Number(Atomics.load(this.#cells, CELLS[cell]));
  }

  #put(cell: keyof typeof CELLS, value: number): void {
    Atomics.store(this.#cells, CELLS[cell], BigInt(Math.ceil(value)));
  }
}
