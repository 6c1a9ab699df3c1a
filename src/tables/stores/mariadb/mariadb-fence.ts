/**
 * A database on a server whose rows nobody changes any more, as `SqliteTables.hold` does it for a
 * file: triggers refuse it. Whoever slept meanwhile, opened the database before or is of another
 * version meets them in the statement itself, on every node of a cluster. Servers that start look
 * at what the database says of itself instead, and are refused at once.
 *
 * A table gets its triggers only when no transaction is open that has used it. So behind the fence
 * nothing is under way that began before.
 */
import { Session, FENCED, alterTables, explainedFault } from '../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';

const WORDS = { op: 'tables/fenceDatabase', database: 'database' };
const WAIT_S = 10;
const EVENTS = ['INSERT', 'UPDATE', 'DELETE'] as const;
const PREFIX = 'fence_';

export interface FenceOptions {
  /** Tables that change nevertheless, as they say whose the database is. */
  readonly open: readonly string[];
  /** Tables whose rows may still be taken away. */
  readonly endable: readonly string[];
}

/** Durable once resolved. May be done again, also where it was cut short, and for tables that were
 *  made since. @throws busy `table-in-use`: somebody is at work there; unavailable. */
export async function fenceDatabase(
  address: ServerAddress, { open, endable }: FenceOptions,
): Promise<void> {
  const { tables, fences } = await look(address);
  const texts = tables.filter((table) => !open.includes(table)).flatMap((table) =>
    EVENTS.filter((event) => event !== 'DELETE' || !endable.includes(table))
      .map((event) => ({ name: nameOf(table, event), event, table })));
  const missing = texts.filter(({ name }) => !fences.includes(name));
  await alterTables(address, missing.map(({ name, event, table }) =>
    `CREATE TRIGGER \`${name}\` BEFORE ${event} ON \`${table}\` FOR EACH ROW
      SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = ${FENCED},
      MESSAGE_TEXT = 'carried elsewhere by holdfast database move'`),
  { words: WORDS, waitS: WAIT_S });
}

/** Calm where there is no fence. @throws as fenceDatabase. */
export async function unfenceDatabase(address: ServerAddress): Promise<void> {
  const { fences } = await look(address);
  await alterTables(address, fences.map((name) => `DROP TRIGGER IF EXISTS \`${name}\``),
    { words: WORDS, waitS: WAIT_S });
}

function nameOf(table: string, event: typeof EVENTS[number]): string {
  return `${PREFIX}${table}_${event.toLowerCase()}`;
}

async function look(address: ServerAddress): Promise<{ tables: string[]; fences: string[] }> {
  try {
    const session = await Session.open(address, 'schema');
    const names = async (text: string): Promise<string[]> =>
      (await session.run(text)).rows.map(([name]) => String(name));
    try {
      return {
        tables: await names(`SELECT table_name FROM information_schema.tables
          WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name`),
        fences: await names(`SELECT trigger_name FROM information_schema.triggers
          WHERE trigger_schema = DATABASE() AND trigger_name LIKE '${PREFIX.replace('_', '\\_')}%'
          ORDER BY trigger_name`),
      };
    } finally {
      await session.end();
    }
  } catch (error) {
    throw explainedFault(error, WORDS);
  }
}
