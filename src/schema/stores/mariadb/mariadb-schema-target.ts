/**
 * A shard that is a database of a MariaDB server. A statement that alters tables commits by itself:
 * a runner that is killed after it has left no note. So the next one looks into the catalogue
 * first, and both hold a lock of the server meanwhile, which outlives the runner until its
 * statement ends. In a cluster they take turns besides: cluster-turn.ts.
 */
import { HoldfastError } from '../../../base/errors.ts';
import { failpoint } from '../../../platform/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { isDone } from '../../catalogue.ts';
import type { Catalogue } from '../../catalogue.ts';
import { stepsOf } from '../../change.ts';
import type { Algorithm, SchemaChange } from '../../change.ts';
import { currentVersion } from '../../row-upgrades.ts';
import type { RowUpgrades, SqlValue } from '../../row-upgrades.ts';
import type { SchemaTarget, StepNote, StepOutcome, SweptRows } from '../../schema-target.ts';
import {
  NOTES_COLUMNS, NOTES_TABLE, countOldText, listNotes, noteStep, sweepRows,
} from '../sql/shard-notes.ts';
import type { CheckTurn, ClusterTurnParts } from './cluster-turn.ts';
import { readMariadbCatalogue } from './mariadb-catalogue.ts';
import { ServerSession } from './server-session.ts';
import type { MayAlter } from './server-session.ts';

const OP = 'schema/MariadbSchemaTarget';
const HAS_TABLE = `/* holdfast:hasTable */ SELECT COUNT(*) FROM information_schema.tables
  WHERE table_schema = DATABASE() AND table_name = ?`;
const TAKE_TURN = `/* holdfast:takeTurnToSweep */ UPDATE writer_turn
  SET turn = turn + 1, writer = '' WHERE id = 1`;
const STATUS = `/* holdfast:readLoad */ SHOW GLOBAL STATUS WHERE Variable_name IN
  ('Threads_running', 'wsrep_local_recv_queue', 'wsrep_flow_control_active')`;
/** Statements that run at this moment, of all who use the server. */
const RUNNING_MAX = 64;
/** Of a Galera cluster: what other nodes have done and this one has not. */
const BEHIND_MAX = 100;

export const OUR_COLLATION = 'utf8mb4_nopad_bin';

export function mariadbTable(name: string, columns: string): string {
  return `CREATE TABLE IF NOT EXISTS ${name} (${columns})
    ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET utf8mb4 COLLATE ${OUR_COLLATION}`;
}

/** With what the server may do for it: what would take more is refused before it begins. */
export function withAlgorithm(statement: string, algorithm: Algorithm): string {
  const clause = {
    instant: 'ALGORITHM = INSTANT', inplace: 'ALGORITHM = INPLACE', copy: 'ALGORITHM = COPY',
  }[algorithm];
  if (/^ALTER TABLE\s/i.test(statement)) return `${statement}, ${clause}`;
  return /^(CREATE|DROP)\s+(UNIQUE\s+)?INDEX\s/i.test(statement) ? `${statement} ${clause}`
    : statement;
}

export class MariadbSchemaTarget implements SchemaTarget {
  readonly #session: ServerSession;
  readonly #turn: ClusterTurnParts | undefined;

  private constructor(session: ServerSession, turn: ClusterTurnParts | undefined) {
    this.#session = session;
    this.#turn = turn;
  }

  /** `turn`: how those who alter it at other nodes of a cluster are kept apart; left out where
   *  there can be none, as the data directory is locked. @throws unavailable. */
  static async open(
    address: ServerAddress, turn?: ClusterTurnParts, mayAlter?: MayAlter,
  ): Promise<MariadbSchemaTarget> {
    return new MariadbSchemaTarget(await ServerSession.open(address, mayAlter), turn);
  }

  /** What others want to know of the database, over its connection. @throws as `look`. */
  ask(look: MayAlter): Promise<void> {
    return look((text) => this.#session.query(text));
  }

  async runStep(change: SchemaChange, step: number, nowMs: number): Promise<StepOutcome> {
    const wanted = stepsOf(change)[step];
    if (wanted === undefined || change.kind === 'backfill') {
      throw new HoldfastError('internal', OP, 'There is no such step.');
    }
    if (await this.#isNoted(change.id, step)) return 'known';
    failpoint('schema.before-step');
    return this.#session.exclusively(async (check) => {
      if (await this.#isNoted(change.id, step)) return 'known';
      await this.#ensureNotes(check);
      const how = await this.#shows(wanted.effect) ? 'found' : 'made';
      if (how === 'made') {
        await this.#session.alter(withAlgorithm(wanted.mariadb, change.algorithm), check);
        if (!await this.#shows(wanted.effect)) {
          throw new HoldfastError('internal', OP, `Step ${step} of ${change.id} was made, and the `
            + 'catalogue does not show it.');
        }
      }
      failpoint('schema.after-statement');
      check();
      await this.#session.atomically(() => noteStep(this.#session, { change, step, how, nowMs }));
      return how;
    }, this.#turn);
  }

  async noteSwept(change: SchemaChange, nowMs: number): Promise<void> {
    await this.#session.exclusively(async (check) => {
      if (await this.#isNoted(change.id, 0)) return;
      await this.#ensureNotes(check);
      check();
      await this.#session.atomically(() => (
        noteStep(this.#session, { change, step: 0, how: 'made', nowMs })));
    }, this.#turn);
  }

  async #ensureNotes(check: CheckTurn): Promise<void> {
    if (await this.hasTable(NOTES_TABLE)) return;
    await this.#session.alter(mariadbTable(NOTES_TABLE, NOTES_COLUMNS), check);
  }

  async hasTable(table: string): Promise<boolean> {
    const [[count] = []] = await this.#session.query(HAS_TABLE, [table]);
    return Number(count) > 0;
  }

  async #isNoted(changeId: string, step: number): Promise<boolean> {
    const notes = await this.listNotes();
    return notes.some((note) => note.changeId === changeId && note.step === step);
  }

  async #shows(effect: Parameters<typeof isDone>[0]): Promise<boolean> {
    return isDone(effect, { catalogue: await this.readCatalogue(), engine: 'mariadb' });
  }

  async listNotes(): Promise<StepNote[]> {
    return await this.hasTable(NOTES_TABLE) ? listNotes(this.#session) : [];
  }

  readCatalogue(): Promise<Catalogue> {
    return readMariadbCatalogue((text) => this.#session.query(text));
  }

  async countOld(rows: RowUpgrades): Promise<number> {
    const [[count] = []] = await this.#session.query(countOldText(rows), [currentVersion(rows)]);
    return Number(count);
  }

  /** A database that has writers who take turns is written in turn: so they learn that what they
   *  remember of its rows may have changed. */
  async sweep(
    rows: RowUpgrades, options: { limit: number; after: readonly SqlValue[] | undefined },
  ): Promise<SweptRows> {
    const hasTurns = await this.hasTable('writer_turn');
    const takeTurn = () => this.#session.change(TAKE_TURN);
    return sweepRows(this.#session, rows, {
      ...options, lock: ' FOR UPDATE', ...(hasTurns && { takeTurn }),
    });
  }

  async findLoad(): Promise<string | undefined> {
    const status = new Map((await this.#session.query(STATUS))
      .map(([name, value]) => [String(name).toLowerCase(), String(value)]));
    const running = Number(status.get('threads_running') ?? 0);
    if (running > RUNNING_MAX) return `${running} statements are running`;
    const behind = Number(status.get('wsrep_local_recv_queue') ?? 0);
    if (behind > BEHIND_MAX) return `this node of the cluster is ${behind} writes behind`;
    const isHeldBack = status.get('wsrep_flow_control_active') === 'true';
    return isHeldBack ? 'the cluster holds its writers back' : undefined;
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
