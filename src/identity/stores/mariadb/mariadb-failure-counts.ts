/** Counts of failed sign-ins on MariaDB, for all servers: docs/formats/identity.md. Reading has a
 *  connection of its own, so that no sign-in waits for the failures of others. */
import type { Clock } from '../../../platform/index.ts';
import {
  OneSession, keysOf, makeMissingTables, namedTable,
} from '../../../platform/mariadb/index.ts';
import type { AskOne, ServerAddress, Session } from '../../../platform/mariadb/index.ts';
import { FAILURE_NAMES_MAX, TAG_DIGITS } from '../../failure-counts.ts';
import type { CountsNow, FailureCount, FailureCounts, KeptCount } from '../../failure-counts.ts';

const WORDS = { op: 'identity/MariadbFailureCounts', database: 'user database' };
const COUNT_MAX = 100_000;
const SWEEP_EVERY_MS = 60_000;
/** Of one statement. */
const SWEEP_MAX = 5_000;

export const FAILURE_TABLES: Readonly<Record<string, string>> = {
  sign_in_failure: `name CHAR(64) NOT NULL, failures DOUBLE NOT NULL, counted_at BIGINT NOT NULL,
    open_at BIGINT NOT NULL, until BIGINT NOT NULL, tags VARCHAR(255) NOT NULL,
    PRIMARY KEY (name), KEY sign_in_failure_by_end (until)`,
};

/** Several may do this at once. */
export async function ensureFailureTables(session: Session): Promise<void> {
  await makeMissingTables(session, FAILURE_TABLES);
}

const SERVER_MS = 'CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)';
const COLUMNS = 'name, failures, counted_at, open_at, until, tags';

const SQL = namedTable({
  failureClock: `SELECT ${SERVER_MS}`,
  readFailures: `SELECT ${COLUMNS}, ${SERVER_MS} FROM sign_in_failure WHERE name IN (?, ?, ?, ?)`,
  /** Locks the row until the end of the transaction, whether it makes it or finds it. A SELECT that
   *  locks would lock what is next to it where it finds none; IGNORE would lock a row that is there
   *  for sharing, and two that share it deadlock next. */
  lockFailure: `INSERT INTO sign_in_failure (${COLUMNS}) VALUES (?, 0, 0, 0, 0, '')
    ON DUPLICATE KEY UPDATE failures = failures`,
  putFailure: `UPDATE sign_in_failure SET failures = @failures, counted_at = @counted,
    open_at = @open, until = @until, tags = @tags WHERE name = @name`,
  countFailures: 'SELECT COUNT(*) FROM sign_in_failure',
  dropOldFailures: `DELETE FROM sign_in_failure WHERE until < ? ORDER BY until LIMIT ${SWEEP_MAX}`,
  endOfFailures: 'SELECT until FROM sign_in_failure ORDER BY until LIMIT 1 OFFSET ?',
}, {
  owner: 'identity.failures', tables: keysOf(FAILURE_TABLES),
  rows: { dropOldFailures: SWEEP_MAX },
});

type Row = [name: string, failures: number, countedAt: number, openAt: number, until: number,
  tags: string, nowMs?: number];

export interface MariadbFailureCountsParts {
  readonly address: ServerAddress;
  readonly clock: Clock;
  /** COUNT_MAX unless a test says so. */
  readonly countMax?: number;
  readonly sweepEveryMs?: number;
}

export class MariadbFailureCounts implements FailureCounts {
  readonly #parts: MariadbFailureCountsParts;
  readonly #reading: OneSession;
  readonly #writing: OneSession;
  #sweptAtMs: number;

  /** Its table must be there: see ensureFailureTables. Nothing is asked of the server yet. */
  constructor(parts: MariadbFailureCountsParts) {
    const { address, clock } = parts;
    this.#parts = parts;
    this.#reading = new OneSession({ address, clock, words: WORDS });
    this.#writing = new OneSession({ address, clock, words: WORDS, isKnown: true });
    this.#sweptAtMs = clock.monotonic();
  }

  read(names: readonly string[]): Promise<CountsNow> {
    return this.#reading.transact((ask) => countsAt(ask, names));
  }

  async update(
    names: readonly string[],
    act: (now: CountsNow) => ReadonlyMap<string, KeptCount | undefined>,
  ): Promise<void> {
    const inOrder = names.toSorted(); // So that two never wait for each other.
    await this.#writing.transact(async (ask) => {
      for (const name of inOrder) await ask(SQL.lockFailure, name);
      // The first read of the transaction: so it sees what others did before they let the rows go.
      const now = await countsAt(ask, inOrder);
      for (const [name, kept] of act(now)) {
        await ask(SQL.putFailure, valuesOf(name, kept, now.nowMs));
      }
    });
    await this.#sweep();
  }

  /** What has ended goes; and beyond what is kept at most, what would end first. */
  async #sweep(): Promise<void> {
    const { clock, sweepEveryMs = SWEEP_EVERY_MS, countMax = COUNT_MAX } = this.#parts;
    if (clock.monotonic() - this.#sweptAtMs < sweepEveryMs) return;
    this.#sweptAtMs = clock.monotonic();
    await this.#writing.transact(async (ask) => {
      const { rows: [[now] = []] } = await ask(SQL.failureClock);
      await ask(SQL.dropOldFailures, Number(now));
    });
    await this.#writing.transact(async (ask) => {
      const { rows: [[count] = []] } = await ask(SQL.countFailures);
      const excess = Math.min(Number(count) - countMax, SWEEP_MAX);
      if (excess <= 0) return;
      const { rows: [[end] = []] } = await ask(SQL.endOfFailures, excess);
      if (end !== undefined) await ask(SQL.dropOldFailures, Number(end));
    });
  }

  async close(): Promise<void> {
    await this.#reading.close();
    await this.#writing.close();
  }
}

function countsOf(rows: readonly Row[], nowMs: number): ReadonlyMap<string, FailureCount> {
  return new Map(rows.filter((row) => Number(row[4]) > nowMs).map((row) => {
    const [name, count, countedAt, openAt, , tags] = row;
    return [name, {
      count: Number(count), countedAtMs: Number(countedAt), openAtMs: Number(openAt),
      tags: tags.match(new RegExp(`.{${TAG_DIGITS}}`, 'g')) ?? [],
    }];
  }));
}

async function countsAt(ask: AskOne, names: readonly string[]): Promise<CountsNow> {
  const places = Array.from({ length: FAILURE_NAMES_MAX }, (_, at) => names[at] ?? '');
  const rows = (await ask(SQL.readFailures, places)).rows as Row[];
  // Where nothing is there, it matters to nobody what time it is.
  const nowMs = Number(rows[0]?.[6] ?? 0);
  return { counts: countsOf(rows, nowMs), nowMs };
}

/** What is forgotten has ended, and is swept away later. */
function valuesOf(
  name: string, kept: KeptCount | undefined, nowMs: number,
): Readonly<Record<string, string | number>> {
  if (kept === undefined) return { name, failures: 0, counted: 0, open: 0, until: 0, tags: '' };
  const { count, countedAtMs, openAtMs, tags, keepMs } = kept;
  // Numbers with a fraction go as text: the driver takes whole ones alone.
  return {
    name, failures: String(count), counted: Math.round(countedAtMs), open: Math.round(openAtMs),
    until: Math.round(nowMs + keepMs), tags: tags.join(''),
  };
}
