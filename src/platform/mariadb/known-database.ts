/**
 * A database as it was when it was opened: whose it is, and how far it had come. Every connection
 * that is made to it later compares that, and looks at the server's settings once more, before
 * anything is asked of it. So when a server was away and something else answers at its address, a
 * backup that was put back, another installation's database, a replica that lacks what was
 * acknowledged, nobody reads or writes there.
 */
import { HoldfastError } from '../../base/errors.ts';
import { systemRandom } from '../random.ts';
import { statements } from '../sql/statement-registry.ts';
import type { RegisteredStatement } from '../sql/statement-registry.ts';
import { CHANGED, ServerError, serverFault } from './faults.ts';
import { namedSql } from './named-sql.ts';
import { newOwnTurn, ownTurnOf } from './node-turn.ts';
import type { OwnTurn } from './node-turn.ts';
import { checkSettings, readSettings } from './server-settings.ts';
import type { Session } from './session.ts';

/** Numbers that never become less, by the table each is in: whoever changes accounts, metadata or
 *  the directory of shards raises one of them in the same transaction. What else a process changes
 *  raises one of its own: node-turn.ts. */
const NUMBERS = {
  writer_turn: numberOf('knownWriterTurn', 'SELECT turn FROM writer_turn WHERE id = 1'),
  identity_turn: numberOf('knownIdentityTurn', 'SELECT turn FROM identity_turn WHERE id = 1'),
  directory: numberOf('knownDirectoryRev', 'SELECT value FROM directory WHERE name = \'rev\''),
};

type SharedName = keyof typeof NUMBERS;
export type KnownNumberName = SharedName | 'node_turn';
const SHARED_NAMES = Object.keys(NUMBERS) as SharedName[];
const NAMES: readonly KnownNumberName[] = [...SHARED_NAMES, 'node_turn'];
const OWN_ID_BYTES = 12;

function numberOf(name: string, sql: string): RegisteredStatement {
  const owner = { owner: 'platform.known', tables: new Map() };
  return statements.get(namedSql(name, sql, owner).text);
}

/** Plain data, so that it can be handed to a thread. */
export interface KnownDatabase {
  /** Each answers one row of what never changes. */
  readonly facts: readonly { readonly statement: RegisteredStatement; readonly says: string }[];
  /** The largest numbers that were committed as far as this process knows; its threads share them.
   *  0: the table was not there yet, or empty, and nothing was committed since. */
  readonly latest: Readonly<Record<KnownNumberName, SharedArrayBuffer>>;
  /** Whose turns this process raises. */
  readonly own: OwnTurn;
}

/** No table, no column: it is another database. */
const MISSING = [1054, 1146];

/** `tables`: those that are there. With `before`, what was known already and more facts; they share
 *  the numbers. @throws the driver's error. */
export async function knowDatabase(
  session: Session,
  { facts, tables, before }: {
    facts: readonly RegisteredStatement[]; tables: ReadonlySet<string>;
    before?: KnownDatabase | undefined;
  },
): Promise<KnownDatabase> {
  const found = [...before?.facts ?? []];
  for (const statement of facts) {
    found.push({ statement, says: wordsOf(await ask(session, statement)) });
  }
  const cells = NAMES.map((name) => [name, new SharedArrayBuffer(8)] as const);
  const latest = before?.latest
    ?? Object.fromEntries(cells) as Record<KnownNumberName, SharedArrayBuffer>;
  const own = before?.own ?? newOwnTurn(systemRandom.token(OWN_ID_BYTES));
  const known = { facts: found, latest, own };
  for (const name of SHARED_NAMES) {
    if (!tables.has(name)) continue;
    const [number = 0] = await ask(session, NUMBERS[name]);
    noteLatest(known, name, Number(number));
  }
  await session.run('COMMIT');
  return known;
}

/** It was committed. Several threads may do this at once. Where nothing is known of the database,
 *  nothing is noted. */
export function noteLatest(
  known: KnownDatabase | undefined, name: KnownNumberName, number: number,
): void {
  if (known === undefined) return;
  const view = new BigInt64Array(known.latest[name]);
  const wanted = BigInt(number);
  for (let seen = Atomics.load(view, 0); seen < wanted;) {
    const found = Atomics.compareExchange(view, 0, seen, wanted);
    if (found === seen) return;
    seen = found;
  }
}

/** What a connection that is made from now on has to find at least: what is committed meanwhile, on
 *  another node perhaps, does not matter. */
export function latestOf({ latest }: KnownDatabase): ReadonlyMap<KnownNumberName, number> {
  return new Map(NAMES.map((name) =>
    [name, Number(Atomics.load(new BigInt64Array(latest[name]), 0))]));
}

/** Of a new connection; it is in no transaction behind that. @throws ServerError: it is not what it
 *  was, or the server is not safe any more; the driver's error. */
export async function checkKnown(
  session: Session, known: KnownDatabase, latest: ReadonlyMap<KnownNumberName, number>,
): Promise<void> {
  await checkSafe(session);
  try {
    await checkFacts(session, known);
    for (const number of latest) if (number[1] > 0) await checkNumber(session, known, number);
    await session.run('COMMIT');
  } catch (error) {
    if (MISSING.includes(serverFault(error)?.errno ?? 0)) throw changed(LACKS, error);
    throw error;
  }
}

async function checkFacts(session: Session, { facts }: KnownDatabase): Promise<void> {
  const now: string[] = [];
  for (const { statement } of facts) now.push(wordsOf(await ask(session, statement)));
  const [was, is] = [facts.map(({ says }) => says).join(' '), now.join(' ')];
  if (is !== was) throw changed(`${ANOTHER} (${was}; now ${is})`);
}

async function checkNumber(
  session: Session, known: KnownDatabase, [name, wanted]: readonly [KnownNumberName, number],
): Promise<void> {
  const found = name === 'node_turn' ? await ownTurnOf(session, known)
    : (await ask(session, NUMBERS[name]))[0];
  if (found === undefined) throw changed(`${LACKS} or were emptied (${name})`);
  if (Number(found) >= wanted) return;
  throw changed(`${OLDER} (change ${Number(found)} of ${name}, and ${wanted} was there)`);
}

const PUT_BACK = 'Nothing is read or written there until what was there is back.';
const LACKS = 'the tables that were there are missing';
const ANOTHER = 'it is another one than was there';
const OLDER = 'it is an older state of the one that was there, without changes that were '
  + 'acknowledged: a backup that was put back, or a replica? If this is what is to count, stop all '
  + 'servers of this installation and start them again';

async function checkSafe(session: Session): Promise<void> {
  try {
    checkSettings(await readSettings(session));
  } catch (error) {
    if (error instanceof HoldfastError) throw changed(error.message, error);
    throw error;
  }
}

/** The row that it answers. */
async function ask(session: Session, statement: RegisteredStatement): Promise<unknown[]> {
  statements.adopt(statement);
  return (await session.run(statement.text)).rows[0] ?? [];
}

function wordsOf(row: readonly unknown[]): string {
  return row.join(' ');
}

function changed(what: string, cause?: unknown): ServerError {
  return new ServerError({
    code: 'EDATABASECHANGED', errno: CHANGED, isLost: false,
    message: `is not what it was before the connection was lost: ${what}. ${PUT_BACK}`,
  }, cause);
}
