/** All moves of tenants of an installation: begins them, goes on with them after a start, and does
 *  what operators ask for. Moves run side by side, each on its own. */
import { HoldfastError } from '../../base/errors.ts';
import type { TenantId } from '../../base/ids.ts';
import { failpoint } from '../../platform/index.ts';
import { COPY_START, isOver } from './move-record.ts';
import type { MoveRecord } from './move-record.ts';
import { isThere, moveMissing, moveUnderWay, tooLate } from './move-refusals.ts';
import { TenantMove } from './tenant-move.ts';
import type { MoveParts } from './tenant-move.ts';

const RETRY_MAX_MS = 30_000;
/** While writers wait. */
const FROZEN_RETRY_MAX_MS = 1_000;

interface Running {
  readonly move: TenantMove;
  work: Promise<void>;
  wake: () => void;
  readonly noted: Promise<void>;
}

export class TenantMover {
  readonly #parts: MoveParts;
  readonly #running = new Map<TenantId, Running>();
  readonly #over = new Map<TenantId, MoveRecord>();
  readonly #settledAtMs: number;
  #isClosing = false;

  private constructor(parts: MoveParts, settledAtMs: number) {
    this.#parts = parts;
    this.#settledAtMs = settledAtMs;
  }

  /** Goes on with all moves that are not over. `settleMs`: what another process has begun may still
   *  be written for so long; meanwhile nobody is left frozen, and nothing else is done. */
  static async open(parts: MoveParts, settleMs = 0): Promise<TenantMover> {
    const mover = new TenantMover(parts, parts.clock.monotonic() + settleMs);
    const records = await parts.journal.list();
    // From here on whoever had them before cannot note anything.
    for (const record of records) if (!isOver(record)) await parts.journal.put(record);
    for (const record of records) {
      if (isOver(record)) mover.#over.set(record.tenant, record);
      else mover.#run(record, true);
    }
    return mover;
  }

  list(): MoveRecord[] {
    const running = [...this.#running.values()].map(({ move }) => move.record);
    return [...running, ...this.#over.values()]
      .toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1));
  }

  /** @throws not-found: there was none. */
  get(tenant: TenantId): MoveRecord {
    const record = this.#running.get(tenant)?.move.record ?? this.#over.get(tenant);
    if (record === undefined) throw moveMissing(tenant);
    return record;
  }

  /** Begins a move. @throws conflict: one is under way, or the tenant is there already; as the
   *  directory and `rowsOf` for a shard that is not there. */
  async start(tenant: TenantId, to: number): Promise<MoveRecord> {
    if (this.#running.has(tenant)) throw moveUnderWay(tenant);
    const { directory, clock, journal } = this.#parts;
    const { places } = await directory.read();
    const place = places.find((each) => each.tenant === tenant) ?? { shard: 0, epoch: 0 };
    if (place.shard === to) throw isThere(tenant, to);
    await this.#parts.rowsOf(to);
    const record: MoveRecord = {
      tenant, from: place.shard, to, epoch: place.epoch, state: 'plan', isPaused: false,
      wish: 'none', cursor: COPY_START, rowsCopied: 0, rowsFollowed: 0, rowsCompared: 0,
      isClaimed: false, freezeMs: undefined, freezeFailures: 0, begunAt: clock.now(),
      reverseUntil: undefined, trouble: undefined,
    };
    if (this.#running.has(tenant)) throw moveUnderWay(tenant);
    this.#run(record, false, journal.put(record));
    await this.#running.get(tenant)?.noted;
    this.#over.delete(tenant);
    failpoint('metadata.move-plan');
    return record;
  }

  /** Stops at the next page of rows; what was noted goes on being noted. A tenant is never left
   *  frozen: a freeze is finished or given up first. */
  async pause(tenant: TenantId): Promise<void> {
    await this.#ask(tenant, { isPaused: true });
  }

  async resume(tenant: TenantId): Promise<void> {
    await this.#ask(tenant, { isPaused: false, trouble: undefined });
  }

  /** @throws conflict: it has been flipped; go back instead. */
  async abort(tenant: TenantId): Promise<void> {
    const { state } = this.#find(tenant).move.record;
    if (!['plan', 'copy', 'tail', 'compare', 'freeze'].includes(state)) throw tooLate(state);
    await this.#ask(tenant, { wish: 'abort', isPaused: false, trouble: undefined });
  }

  /** To where it came from. @throws conflict: it was not flipped, or its way back is gone. */
  async back(tenant: TenantId): Promise<void> {
    await this.#askBehindFlip(tenant, 'back');
  }

  /** Gives up the way back, and cleans up now. */
  async finish(tenant: TenantId): Promise<void> {
    await this.#askBehindFlip(tenant, 'finish');
  }

  async #askBehindFlip(tenant: TenantId, wish: 'back' | 'finish'): Promise<void> {
    const { state } = this.#find(tenant).move.record;
    if (state !== 'reverse' && state !== 'unfreeze') throw tooLate(state);
    await this.#ask(tenant, { wish, isPaused: false, trouble: undefined });
  }

  #find(tenant: TenantId): Running {
    const running = this.#running.get(tenant);
    if (running !== undefined) return running;
    const over = this.#over.get(tenant);
    if (over !== undefined) throw tooLate(over.state);
    throw moveMissing(tenant);
  }

  async #ask(tenant: TenantId, changes: Partial<MoveRecord>): Promise<void> {
    const running = this.#find(tenant);
    await running.move.save(changes);
    running.move.interrupt();
    running.wake();
  }

  /** Begins once it is noted; what cannot be noted is not begun. */
  #run(record: MoveRecord, isResumed: boolean, noted = Promise.resolve()): void {
    const running: Running = {
      move: new TenantMove(this.#parts, record), work: Promise.resolve(), wake: () => undefined,
      noted,
    };
    this.#running.set(record.tenant, running);
    running.work = noted.then(() => this.#work(running, isResumed), () => {
      this.#running.delete(record.tenant);
    });
  }

  async #work(running: Running, isResumed: boolean): Promise<void> {
    const { move } = running;
    let isRecovered = !isResumed;
    let failures = 0;
    while (!isOver(move.record) && !(this.#isClosing && (mayRest(move) || failures > 0))) {
      try {
        if (!isRecovered) await move.recover();
        const settlesMs = this.#settledAtMs - this.#parts.clock.monotonic();
        const isSettling = !isRecovered && settlesMs > 0 && mayRest(move);
        isRecovered ||= !isSettling;
        const isResting = move.record.isPaused && mayRest(move);
        const waitMs = isSettling ? settlesMs : isResting ? RETRY_MAX_MS : await move.step();
        failures = 0;
        if (waitMs > 0) await this.#rest(running, waitMs);
      } catch (error) {
        failures += 1;
        await this.#onFailure(running, error, failures);
      }
    }
    if (!isOver(move.record)) return;
    this.#running.delete(move.record.tenant);
    this.#over.set(move.record.tenant, move.record);
  }

  /** What may pass is tried again; what will not waits for an operator. */
  async #onFailure(running: Running, error: unknown, failures: number): Promise<void> {
    const { move } = running;
    const { idleMs } = this.#parts.pace;
    const isPassing = error instanceof HoldfastError && error.retryable;
    const message = error instanceof HoldfastError ? error.message : 'An internal error.';
    const trouble = mayRest(move) ? message
      : `Changes of the tenant are refused until this is over; it is tried again: ${message}`;
    move.tell({ trouble }); // Also when it cannot be noted.
    try {
      await move.save({ trouble, ...(!isPassing && { isPaused: true }) });
    } catch (saving) {
      if (!(saving instanceof HoldfastError)) throw saving;
    }
    const waitMaxMs = mayRest(move) ? RETRY_MAX_MS : FROZEN_RETRY_MAX_MS;
    await this.#rest(running, Math.min(idleMs * 2 ** Math.min(failures, 10), waitMaxMs));
  }

  async #rest(running: Running, waitMs: number): Promise<void> {
    if (this.#isClosing) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.clock.after(waitMs, resolve);
      running.wake = () => {
        cancel();
        resolve();
      };
    });
    running.wake = () => undefined;
  }

  /** Moves stand still where they are, and go on at the next start. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const running of this.#running.values()) {
      running.move.interrupt();
      running.wake();
    }
    await Promise.all([...this.#running.values()].map(({ work }) => work));
  }
}

/** A frozen tenant is not left so, whatever an operator has asked for. */
function mayRest({ record: { state } }: TenantMove): boolean {
  return !['freeze', 'flip', 'unfreeze'].includes(state);
}
