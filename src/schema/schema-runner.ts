/**
 * Brings shards through the changes of the schema: in waves, some at once, with rests while the
 * database is busy.
 *
 * What has been done to a shard, the shard itself knows; so a runner that was killed is simply run
 * again, and passes over what is done. The book remembers beside it how far everything is, for
 * people, for the time between expand and contract, and for pauses.
 */
import { HoldfastError, isKind } from '../base/errors.ts';
import type { Clock } from '../platform/index.ts';
import { noteCountOf, stepsOf } from './change.ts';
import type { Backfill, Contract, SchemaChange } from './change.ts';
import { contractObjections } from './contract.ts';
import type { Nodes, Objection } from './contract.ts';
import { earliestMs } from './minimum-times.ts';
import type { EarlyChange } from './minimum-times.ts';
import type { RunState, SchemaBook, ShardRun } from './schema-book.ts';
import { SWEEP_ROWS_MAX } from './schema-target.ts';
import type { SchemaShard, SchemaTarget } from './schema-target.ts';
import { SweepPace } from './sweep-pace.ts';
import { FAILURES_MAX, atOnce, wavesOf } from './waves.ts';

export interface SchemaPolicy {
  /** Between an expand that was done everywhere and its backfill, and between that and the
   *  contract. */
  readonly stepAfterMs: number;
  /** Between the day on which an expand was done everywhere and its contract. */
  readonly contractAfterMs: number;
  /** Of one shard's backfill. */
  readonly rowsPerSecond: number;
}

export interface SchemaParts {
  readonly changes: readonly SchemaChange[];
  /** In the order in which they are altered. */
  readonly shards: readonly SchemaShard[];
  readonly book: SchemaBook;
  /** All programs at work; left out where there can be none beside this one. */
  readonly nodes?: Nodes;
  readonly clock: Clock;
  readonly policy: SchemaPolicy;
}

export interface Progress {
  readonly changeId: string;
  readonly shard: string;
  readonly state: 'made' | 'known' | 'failed' | 'waiting';
  /** Of this change. */
  readonly shardsDone: number;
  readonly shardCount: number;
  readonly rowsDone: number;
  readonly problem: string;
}

export interface RunOptions {
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

export interface RunOutcome {
  /** `halted`: after failures; `refused`: a contract, by `objections`; `early`: what could be done
   *  is done, and of the rest it is too soon, by `early`. */
  readonly state: 'done' | 'paused' | 'halted' | 'refused' | 'early';
  /** The last change that was at work; undefined when there was none to do. */
  readonly changeId: string | undefined;
  readonly failures: readonly { shard: string; problem: string }[];
  readonly objections: readonly Objection[];
  readonly early: readonly EarlyChange[];
  readonly pause: string | undefined;
}

const BUSY_REST_MS = 1_000;
/** Then the shard counts as failed, and is taken up by the next run. */
const BUSY_RESTS_MAX = 600;

const STEP_REST_MS = 5_000;
/** Ten minutes. */
const STEP_TRIES_MAX = 120;

interface ShardDone { readonly wasKnown: boolean; readonly rowsDone: number }
class Paused extends Error {}

export class SchemaRunner {
  readonly #parts: SchemaParts;

  constructor(parts: SchemaParts) {
    this.#parts = parts;
  }

  /** All expands and backfills, one after the other. Contracts are asked for one by one. A backfill
   *  that comes too soon after its expand is left for later, and so is what needs it. */
  async apply(options: RunOptions = {}): Promise<RunOutcome> {
    let last = outcome('done', undefined);
    const early: EarlyChange[] = [];
    for (const change of this.#parts.changes) {
      if (change.kind === 'contract') continue;
      const fromMs = await earliestMs(change, this.#parts, early);
      if (fromMs > this.#parts.clock.now()) {
        early.push({ changeId: change.id, fromMs });
        continue;
      }
      last = await this.#overAll(change, options);
      if (last.state !== 'done') return last;
    }
    return early.length === 0 ? last : { ...last, state: 'early', early };
  }

  /** Takes away what a change has left behind, if nothing needs it any more. @throws not-found. */
  async contract(id: string, options: RunOptions = {}): Promise<RunOutcome> {
    const { book, changes } = this.#parts;
    const change = changes.find((one): one is Contract => one.id === id && one.kind === 'contract');
    if (change === undefined) {
      throw new HoldfastError('not-found', 'schema/SchemaRunner.contract', `There is no contract `
        + `${id}. "holdfast schema plan" lists all changes.`);
    }
    const noted = (await book.listChanges()).find(({ changeId }) => changeId === id);
    const hasBegun = noted !== undefined;
    // Noted before anybody is counted: an old program that starts now either is counted, or sees
    // this and does not serve.
    if (!hasBegun) {
      await book.putChange({ changeId: id, doneAtMs: undefined, minCode: change.minCode });
    }
    const objections = await contractObjections(change, this.#parts);
    if (objections.length > 0) {
      const wasMade = hasBegun && await this.#isAnywhere(change);
      if (!wasMade) await book.dropChange(id);
      return { ...outcome('refused', id), objections };
    }
    return this.#overAll(change, options);
  }

  async #isAnywhere(change: Contract): Promise<boolean> {
    const runs = await this.#parts.book.listRuns(change.id);
    return runs.length > 0;
  }

  async #overAll(change: SchemaChange, options: RunOptions): Promise<RunOutcome> {
    const { book, clock } = this.#parts;
    const shards = this.#parts.shards.filter(({ family }) => family === change.family);
    const run = new ChangeRun(this.#parts, { change, shards, options });
    const ended = await run.overWaves();
    if (ended.state !== 'done') return ended;
    const isNoted = (await book.listChanges()).some(({ changeId, doneAtMs }) => (
      changeId === change.id && doneAtMs !== undefined));
    if (run.madeCount > 0 || !isNoted) {
      const minCode = change.kind === 'contract' ? change.minCode : '';
      await book.putChange({ changeId: change.id, doneAtMs: clock.now(), minCode });
    }
    return ended;
  }
}

function outcome(state: RunOutcome['state'], changeId: string | undefined): RunOutcome {
  return { state, changeId, failures: [], objections: [], early: [], pause: undefined };
}

/** One change on its way over all shards. */
class ChangeRun {
  readonly #parts: SchemaParts;
  readonly #change: SchemaChange;
  readonly #shards: readonly SchemaShard[];
  readonly #options: RunOptions;
  readonly #failures: { shard: string; problem: string }[] = [];
  /** As the book had it when this began: shards that are done are told apart by themselves. */
  #noted: ReadonlyMap<string, ShardRun> = new Map();
  #doneCount = 0;
  #pause: string | undefined;
  madeCount = 0;

  constructor(parts: SchemaParts, { change, shards, options }: {
    change: SchemaChange; shards: readonly SchemaShard[]; options: RunOptions;
  }) {
    this.#parts = parts;
    this.#change = change;
    this.#shards = shards;
    this.#options = options;
  }

  async overWaves(): Promise<RunOutcome> {
    const runs = await this.#parts.book.listRuns(this.#change.id);
    this.#noted = new Map(runs.map((run) => [run.shard, run]));
    let begin = 0;
    for (const end of wavesOf(this.#shards.length)) {
      await this.#wave(this.#shards.slice(begin, end));
      begin = end;
      const ended = outcome('done', this.#change.id);
      if (this.#pause !== undefined) return { ...ended, state: 'paused', pause: this.#pause };
      // The next wave is larger: it waits until this one is whole.
      if (this.#failures.length > 0) {
        return { ...ended, state: 'halted', failures: this.#failures };
      }
    }
    return outcome('done', this.#change.id);
  }

  async #wave(shards: readonly SchemaShard[]): Promise<void> {
    const waiting = [...shards];
    const lane = async (): Promise<void> => {
      for (let shard = waiting.shift(); shard !== undefined; shard = waiting.shift()) {
        if (this.#failures.length >= FAILURES_MAX || this.#pause !== undefined) return;
        await this.#shard(shard);
      }
    };
    await Promise.all(Array.from({ length: atOnce(this.#shards.length) }, lane));
  }

  async #shard(shard: SchemaShard): Promise<void> {
    const startedAtMs = this.#parts.clock.now();
    try {
      const { wasKnown, rowsDone } = await this.#onOpened(shard, startedAtMs);
      this.#doneCount += 1;
      if (!wasKnown) this.madeCount += 1;
      this.#tell(shard, { state: wasKnown ? 'known' : 'made', rowsDone });
    } catch (error) {
      if (error instanceof Paused) return;
      if (!(error instanceof HoldfastError)) throw error;
      const problem = error.message;
      this.#failures.push({ shard: shard.name, problem });
      await this.#note(shard, { state: 'failed', startedAtMs, problem });
      this.#tell(shard, { state: 'failed', problem });
    }
  }

  async #onOpened(shard: SchemaShard, startedAtMs: number): Promise<ShardDone> {
    await this.#checkPause();
    const target = await shard.open();
    try {
      if (await this.#isKnown(target)) return await this.#known(shard, startedAtMs);
      await this.#note(shard, { state: 'running', startedAtMs });
      await this.#calm(shard, target);
      const rowsDone = this.#change.kind === 'backfill'
        ? await this.#backfill(shard, target, this.#change) : await this.#steps(shard, target);
      await this.#note(shard, { state: 'done', startedAtMs, rowsDone });
      return { wasKnown: false, rowsDone };
    } finally {
      await target.close();
    }
  }

  /** A runner may have been killed between the shard's note and the book's. */
  async #known(shard: SchemaShard, startedAtMs: number): Promise<ShardDone> {
    const noted = this.#noted.get(shard.name);
    if (noted?.state !== 'done') {
      this.madeCount += 1;
      await this.#note(shard, { state: 'done', startedAtMs: noted?.startedAtMs ?? startedAtMs });
    }
    return { wasKnown: true, rowsDone: noted?.rowsDone ?? 0 };
  }

  async #isKnown(target: SchemaTarget): Promise<boolean> {
    const { id } = this.#change;
    const notes = (await target.listNotes()).filter(({ changeId }) => changeId === id);
    if (notes.length < noteCountOf(this.#change)) return false;
    return this.#change.kind !== 'backfill' || await target.countOld(this.#change.rows) === 0;
  }

  async #steps(shard: SchemaShard, target: SchemaTarget): Promise<number> {
    for (const step of stepsOf(this.#change).keys()) {
      await this.#checkPause();
      await this.#step(shard, target, step);
    }
    return 0;
  }

  /** Somebody who reads for long keeps a table from being altered. Whoever waits for that keeps all
   *  others from reading it; so a target waits for seconds, and here it is tried again. */
  async #step(shard: SchemaShard, target: SchemaTarget, step: number): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await target.runStep(this.#change, step, this.#parts.clock.now());
        return;
      } catch (error) {
        if (!isKind(error, 'busy') || tries > STEP_TRIES_MAX) throw error;
        if (tries === 1) this.#tell(shard, { state: 'waiting', problem: error.message });
      }
      await this.#rest(STEP_REST_MS);
      await this.#checkPause();
    }
  }

  /** Budget and calm are kept by resting after each chunk: see sweep-pace.ts. */
  async #backfill(shard: SchemaShard, target: SchemaTarget, change: Backfill): Promise<number> {
    const { clock, policy: { rowsPerSecond } } = this.#parts;
    const pace = new SweepPace(rowsPerSecond, SWEEP_ROWS_MAX);
    let rowsDone = 0;
    let after: Awaited<ReturnType<SchemaTarget['sweep']>>['next'];
    for (let hasMore = true; hasMore;) {
      const chunk = await target.sweep(change.rows, { limit: pace.rows, after });
      rowsDone += chunk.upgradedCount;
      after = chunk.next;
      hasMore = after !== undefined;
      if (!hasMore) break;
      await this.#checkPause();
      await this.#calm(shard, target);
      await this.#rest(pace.restAfter(chunk));
    }
    await target.noteSwept(change, clock.now());
    return rowsDone;
  }

  async #calm(shard: SchemaShard, target: SchemaTarget): Promise<void> {
    for (let rests = 0; rests < BUSY_RESTS_MAX; rests += 1) {
      const load = await target.findLoad();
      if (load === undefined) return;
      if (rests === 0) this.#tell(shard, { state: 'waiting', problem: load });
      await this.#rest(BUSY_REST_MS);
      await this.#checkPause();
    }
    throw new HoldfastError('busy', 'schema/SchemaRunner', 'The database of this shard was busy '
      + 'for too long. Apply again when it is calmer.');
  }

  /** @throws Paused. */
  async #checkPause(): Promise<void> {
    if (this.#options.signal?.aborted === true) this.#pause ??= 'the command was told to stop';
    else if (this.#pause === undefined) {
      this.#pause = (await this.#parts.book.findPause())?.reason;
    }
    if (this.#pause !== undefined) throw new Paused();
  }

  async #rest(ms: number): Promise<void> {
    if (ms <= 0) return;
    await new Promise<void>((resolve) => {
      this.#parts.clock.after(ms, resolve);
    });
  }

  #note({ name }: SchemaShard, { state, startedAtMs, rowsDone = 0, problem = '' }: {
    state: RunState; startedAtMs: number; rowsDone?: number; problem?: string;
  }): Promise<void> {
    const changeId = this.#change.id;
    return this.#parts.book.putRun({
      changeId, shard: name, state, startedAtMs, rowsDone, problem,
    });
  }

  #tell({ name }: SchemaShard, { state, rowsDone = 0, problem = '' }: {
    state: Progress['state']; rowsDone?: number; problem?: string;
  }): void {
    this.#options.onProgress?.({
      changeId: this.#change.id, shard: name, state, rowsDone, problem,
      shardsDone: this.#doneCount, shardCount: this.#shards.length,
    });
  }
}
