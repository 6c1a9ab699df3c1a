/**
 * Whether anything has changed: numbers that every change of some tables raises, read together by
 * one small statement for all who ask meanwhile. Whoever knows that nothing has changed since it
 * read something need not read it again.
 *
 * Nobody is told what was asked before they came. One question is under way at a time, so that many
 * share the next one; on a line that is slow, those who would wait long have one of their own.
 *
 * Numbers are compared only if they came over one connection. A server that has crashed may have
 * lost a change that nobody was told of and somebody has seen, and gives its number to another; no
 * connection outlives that.
 *
 * The same statement tells the revision of the directory of shards: whoever has an older copy of it
 * reads it anew first.
 */
import { explainedFault, serverFault } from './faults.ts';
import { LoneStatements } from './lone-statements.ts';
import type { LoneParts } from './lone-statements.ts';
import { namedSql } from './named-sql.ts';
import type { NamedSql } from './named-sql.ts';
import { RetryBudget } from '../retry-budget.ts';
import { patiently } from './patience.ts';
import { SessionPool } from './session-pool.ts';
import type { Answer } from './session.ts';

/** Tables with one row, `id` 1, whose `turn` every change raises in its own transaction, before
 *  anything else. */
export type TurnTable = 'identity_turn' | 'writer_turn';

/** What the tables said at one moment, which is not before `askedMs`. */
export interface Marks {
  readonly turns: Readonly<Record<TurnTable, number>>;
  /** The revision of the directory of shards. */
  readonly directoryRev: number;
  /** By the clock that never runs backwards. */
  readonly askedMs: number;
  /** Over which it came: see SeenState. */
  readonly connection: object;
}

/** One state of a table: the same for as long as nothing changes. */
export interface SeenState {
  readonly connection: object;
  readonly turn: number;
}

/** What metadata asks of it. */
export interface KnownStates {
  /** The state of a table at a moment after that one, if it is known already. */
  stateAfter(table: TurnTable, sinceMs: number): SeenState | undefined;
}

/** Answers at once, with undefined, where there is nothing to wait for. */
export type CatchUp = (directoryRev: number) => Promise<void> | undefined;

const MARKS: NamedSql = namedSql('changeMarks', `SELECT i.turn, w.turn, d.value
  FROM identity_turn i JOIN writer_turn w ON w.id = 1 LEFT JOIN directory d ON d.name = 'rev'
  WHERE i.id = 1`,
{ owner: 'platform.marks', tables: new Map() });

/** Whoever comes while another question is under way goes with the next, but waits no longer for
 *  its beginning. */
const WAIT_MAX_MS = 4;
/** Whoever comes when a server says nothing joins one question, however many they are. */
const UNDER_WAY_MAX = 8;

export class ChangeMarks implements KnownStates {
  readonly #parts: LoneParts;
  readonly #budget: RetryBudget;
  /** One connection. What it says is remembered. */
  readonly #chief: SessionPool;
  /** For those who cannot wait for it. */
  readonly #others: LoneStatements;
  #isChiefBusy = false;
  #underWayCount = 0;
  /** Not asked yet: whoever comes may join. */
  #next: PromiseWithResolvers<Marks> | undefined;
  #latest: Marks | undefined;
  #catchUp: CatchUp = () => undefined;

  constructor(parts: LoneParts) {
    this.#parts = parts;
    this.#budget = RetryBudget.of(parts.address.retries);
    this.#chief = new SessionPool({ ...parts, mode: 'lone', sessionsMax: 1 });
    this.#others = new LoneStatements(parts);
  }

  /** Round trips so far. */
  get questionCount(): number {
    return this.#chief.questionCount + this.#others.questionCount;
  }

  /** From now on nobody is told of marks before it is known where everything is by then: so no
   *  request goes to a shard that a tenant had left when it came. */
  catchUpFirst(catchUp: CatchUp): void {
    this.#catchUp = catchUp;
  }

  /** No older than the moment of asking. @throws HoldfastError; as `catchUp`. */
  ask(): Promise<Marks> {
    const asked = this.#next ?? this.#newQuestion();
    return asked.promise;
  }

  stateAfter(table: TurnTable, sinceMs: number): SeenState | undefined {
    const latest = this.#latest;
    if (latest === undefined || latest.askedMs <= sinceMs) return undefined;
    return { connection: latest.connection, turn: latest.turns[table] };
  }

  #newQuestion(): PromiseWithResolvers<Marks> {
    const asked = Promise.withResolvers<Marks>();
    this.#next = asked;
    if (this.#underWayCount === 0) setImmediate(() => this.#begin(asked));
    else this.#parts.clock.after(WAIT_MAX_MS, () => this.#begin(asked));
    return asked;
  }

  /** Calm when it has begun already. Where too many are under way it begins when one of them ends.
   */
  #begin(asked: PromiseWithResolvers<Marks>): void {
    if (asked !== this.#next || this.#underWayCount >= UNDER_WAY_MAX) return;
    this.#next = undefined;
    this.#underWayCount += 1;
    const answer = this.#isChiefBusy ? this.#askOthers() : this.#askChief();
    answer.then((marks) => this.#tell(asked, marks), asked.reject).finally(() => {
      this.#underWayCount -= 1;
      if (this.#next !== undefined) this.#begin(this.#next);
    });
  }

  /** The next question does not wait for who has to catch up. */
  #tell(asked: PromiseWithResolvers<Marks>, marks: Marks): void {
    const behind = this.#catchUp(marks.directoryRev);
    if (behind === undefined) asked.resolve(marks);
    else behind.then(() => asked.resolve(marks), asked.reject);
  }

  async #askChief(): Promise<Marks> {
    this.#isChiefBusy = true;
    try {
      const { clock } = this.#parts;
      const patience = { clock, budget: this.#budget, rank: 'many' as const };
      const marks = await patiently(patience, () => this.#chief.lend(async (connection) => {
        const askedMs = clock.monotonic();
        return marksOf(await connection.execute(MARKS.text, []), { askedMs, connection });
      }, (error) => serverFault(error)?.isLost !== false));
      this.#latest = marks;
      return marks;
    } catch (error) {
      throw explainedFault(error, this.#parts.words);
    } finally {
      this.#isChiefBusy = false;
    }
  }

  async #askOthers(): Promise<Marks> {
    const askedMs = this.#parts.clock.monotonic();
    // Compared with nothing: the next of them may come over another connection.
    return marksOf(await this.#others.ask(MARKS, []), { askedMs, connection: {} });
  }

  /** Calm when called twice. */
  async close(): Promise<void> {
    await this.#chief.close();
    await this.#others.close();
  }
}

/** Where a row is missing its number equals no other. */
function marksOf(
  { rows: [row] }: Answer, of: Pick<Marks, 'askedMs' | 'connection'>,
): Marks {
  const [identity, writer, directoryRev] = row ?? [];
  return {
    ...of, turns: { identity_turn: Number(identity), writer_turn: Number(writer) },
    directoryRev: Number(directoryRev),
  };
}
