import { HoldfastError } from '../../../../../base/errors.ts';
import { systemClock, systemRandom } from '../../../../../platform/index.ts';
import type { Clock } from '../../../../../platform/index.ts';
import {
  LoneStatements, ask, explainedFault, lookAtDatabase, serverFault,
  withSession,
} from '../../../../../platform/mariadb/index.ts';
import type { NamedSql, ServerAddress, Session } from '../../../../../platform/mariadb/index.ts';
import { KEY_TTL_MS, KEYS_PER_USER_MAX } from '../../idempotency-store.ts';
import type {
  IdempotencyStore, KeptAnswer, KeyedRequest, KeyState,
} from '../../idempotency-store.ts';
import { KeyUpkeep } from './key-upkeep.ts';
import { LateEnds } from './late-ends.ts';
import {
  KEYED_REQUEST_FORMAT, KEYED_REQUEST_META_SQL as META, KEYED_REQUEST_SQL as SQL,
  KEYED_REQUEST_TABLES, createKeyedRequestTable,
} from './keyed-request-schema.ts';

export interface MariadbIdempotencyOptions {
  address: ServerAddress;
  clock?: Clock;
}

const OP = 'rest/MariadbIdempotencyStore';
const WORDS = { op: OP, database: 'database of keyed requests' };
/** A writer that was not heard of for so long has ended: nobody knows how its requests went. */
const GONE_S = 120;
const DUPLICATE = 1062;
const ID_BYTES = 12;
/** Of one beginning: each is overtaken by somebody else's. */
const TRIES_MAX = 20;

interface Row {
  fingerprint: string;
  begunAt: number;
  state: 'begun' | 'unknown' | 'done';
  attempt: string;
  status: number | null;
  headers: string | null;
  body: string | null;
  isWhole: boolean;
  isLeft: boolean;
}

/**
 * Keyed requests in one database on a MariaDB server, for several servers. Every method is one
 * statement that may be done twice, so nothing has to take turns: of two that begin one key, the
 * second finds the row of the first.
 *
 * Each open store notes every while that it is there. What one that is gone had begun counts as
 * `unknown`: GONE_S after it was last heard of, at once when it was closed. So that no key of one
 * that is there stays `busy`, an end that could not be noted is noted later.
 *
 * That a key was begun is what keeps a request from being done twice, so an older copy of the
 * database is known by it, also where the work itself went to another one.
 */
export class MariadbIdempotencyStore implements IdempotencyStore {
  readonly #lone: LoneStatements;
  readonly #writer: string;
  readonly #upkeep: KeyUpkeep;
  readonly #late: LateEnds;
  /** Of what was begun here and has not ended, by user and key. */
  readonly #attempts = new Map<string, string>();

  private constructor(
    lone: LoneStatements, writer: string, { upkeep, late }: { upkeep: KeyUpkeep; late: LateEnds },
  ) {
    this.#lone = lone;
    this.#writer = writer;
    this.#upkeep = upkeep;
    this.#late = late;
  }

  /** Makes its tables where they are not there yet: they hold nothing that cannot be done without.
   *  @throws invalid: the server is not safe, the database belongs to another program, or was
   *  written by a newer version; unavailable. */
  static async open(
    { address, clock = systemClock }: MariadbIdempotencyOptions,
  ): Promise<MariadbIdempotencyStore> {
    try {
      await ensureTables(address);
    } catch (error) {
      throw explainedFault(error, WORDS);
    }
    const lone = new LoneStatements({ address, clock, words: WORDS });
    const writer = systemRandom.token(ID_BYTES);
    const upkeep = new KeyUpkeep({ lone, writer, clock, keysPerUserMax: KEYS_PER_USER_MAX });
    await upkeep.begin();
    return new MariadbIdempotencyStore(lone, writer, { upkeep, late: new LateEnds(clock) });
  }

  /** Round trips to the server so far. */
  get questionCount(): number {
    return this.#lone.questionCount;
  }

  async begin(request: KeyedRequest, at: number): Promise<KeyState> {
    const { user, key } = request;
    const attempt = systemRandom.token(ID_BYTES);
    this.#upkeep.note(user, at);
    try {
      const state = await this.#begin(request, at, attempt);
      if (state.kind === 'begun') this.#attempts.set(nameOf(request), attempt);
      return state;
    } catch (error) {
      // The server may do it all the same, now or when it goes on. Nothing was done under it.
      const values = { user, key, writer: this.#writer, attempt };
      this.#late.undo(() => this.#lone.ask(SQL.forgetKey, [values]));
      throw error;
    }
  }

  async #begin(
    { user, key, fingerprint }: KeyedRequest, at: number, attempt: string,
  ): Promise<KeyState> {
    const values = { user, key, fingerprint, at, attempt, writer: this.#writer };
    for (let tried = 0; tried < TRIES_MAX; tried += 1) {
      if (await this.#insert(values)) return { kind: 'begun' };
      const found = await this.#find(user, key);
      if (found === undefined) continue; // It was forgotten meanwhile.
      // The row is there since an earlier try, whose answer was lost.
      if (found.attempt === attempt) return { kind: 'begun' };
      if (found.begunAt > at - KEY_TTL_MS) return stateOf(found, fingerprint);
      const again = { ...values, old: found.attempt };
      const { changes } = await this.#lone.change(SQL.beginKeyAgain, [again]);
      if (changes > 0) return { kind: 'begun' };
    }
    throw new HoldfastError('busy', `${OP}.begin`, 'This key is in use. Try again shortly.');
  }

  async #insert(values: Readonly<Record<string, string | number>>): Promise<boolean> {
    try {
      await this.#lone.change(SQL.beginKey, [values], (errno) => errno === DUPLICATE);
      return true;
    } catch (error) {
      if (serverFault(error)?.errno === DUPLICATE) return false;
      throw error;
    }
  }

  async #find(user: string, key: string): Promise<Row | undefined> {
    const { rows } = await this.#lone.ask(SQL.findKey, [{ user, key, gone: GONE_S }]);
    return rows[0] === undefined ? undefined : rowOf(rows[0]);
  }

  async finish(request: KeyedRequest, answer: KeptAnswer): Promise<void> {
    const { status, body = null, isWhole } = answer;
    await this.#end(SQL.finishKey, request, {
      status, headers: JSON.stringify(answer.headers), body, whole: isWhole ? 1 : 0,
    });
  }

  async lose(request: KeyedRequest): Promise<void> {
    await this.#end(SQL.loseKey, request);
  }

  async forget(request: KeyedRequest): Promise<void> {
    await this.#end(SQL.forgetKey, request);
  }

  async #end(
    statement: NamedSql, request: KeyedRequest, more: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const { user, key } = request;
    const attempt = this.#attempts.get(nameOf(request)) ?? '';
    this.#attempts.delete(nameOf(request));
    const values = { user, key, writer: this.#writer, attempt, ...more };
    try {
      await this.#lone.ask(statement, [values]);
    } catch (error) {
      this.#late.note(() => this.#lone.ask(statement, [values]));
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#late.close();
    await this.#upkeep.end();
    await this.#lone.close();
  }
}

function nameOf({ user, key }: KeyedRequest): string {
  return `${user} ${key}`;
}

function rowOf(row: readonly unknown[]): Row {
  const [fingerprint, begunAt, state, attempt, status, headers, body, isWhole, isLeft] = row as [
    string, number, Row['state'], string, number | null, string | null, string | null, number,
    number,
  ];
  return {
    fingerprint, begunAt, state, attempt, status, headers, body,
    isWhole: isWhole === 1, isLeft: isLeft === 1,
  };
}

function stateOf(row: Row, fingerprint: string): KeyState {
  if (row.fingerprint !== fingerprint) return { kind: 'other' };
  if (row.state === 'begun' && !row.isLeft) return { kind: 'busy' };
  if (row.state !== 'done' || row.status === null) return { kind: 'unknown' };
  const answer: KeptAnswer = {
    status: row.status, headers: JSON.parse(row.headers ?? '{}') as Record<string, string>,
    body: row.body ?? undefined, isWhole: row.isWhole,
  };
  return { kind: 'done', answer };
}

const FORMAT = 'format';

async function ensureTables(address: ServerAddress): Promise<void> {
  const format = await withSession(address, 'write', async (session) => {
    const { tables } = await lookAtDatabase(session, WORDS);
    return tables.has('keyed_request_meta') ? formatOf(session) : undefined;
  });
  if (format === undefined) await withSession(address, 'schema', makeTables);
  else if (format > KEYED_REQUEST_FORMAT) {
    throw new HoldfastError('invalid', `${OP}.open`, 'What keyed requests were answered was '
      + 'written by a newer version. Start that version.',
    { code: 'format-newer', facts: { format } });
  }
}

async function formatOf(session: Session): Promise<number | undefined> {
  const [row] = await ask(session, META.findKeyedRequestFact, FORMAT);
  return row?.[0] as number | undefined;
}

/** Several may do this at once: each step is calm when it was done, and the format comes last. */
async function makeTables(session: Session): Promise<void> {
  await lookAtDatabase(session, WORDS);
  for (const [name, columns] of Object.entries(KEYED_REQUEST_TABLES)) {
    await session.run(createKeyedRequestTable(name, columns, session.collation));
  }
  await ask(session, META.addKeyedRequestFact, FORMAT, KEYED_REQUEST_FORMAT);
}
