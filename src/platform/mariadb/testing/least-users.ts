/** The two users that an installation needs, with the least rights. They are made by the statements
 *  of docs/mariadb-users.md: so that page is right as long as tests are green. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ServerAddress } from '../session.ts';
import type { ScratchServer } from './scratch-server.ts';

const PAGE = fileURLToPath(new URL('../../../../docs/mariadb-users.md', import.meta.url));
const STATEMENTS = /```sql\n(CREATE DATABASE[^]*?)```/;

export const LEAST = {
  user: 'hf_app', password: 'of every day',
  schemaUser: { user: 'hf_ddl', password: 'of tables' },
} as const;

/** On a database that is there; once more for another database of the same server. */
export async function letLeastUsersIn(
  server: Pick<ScratchServer, 'query' | 'addressOf'>, database: string,
): Promise<ServerAddress> {
  for (const text of statementsFor(database)) await server.query(text);
  return { ...server.addressOf(database), ...LEAST };
}

function statementsFor(database: string): string[] {
  const [, page] = STATEMENTS.exec(readFileSync(PAGE, 'utf8')) ?? [];
  if (page === undefined) throw new Error('docs/mariadb-users.md has no statements any more');
  const passwords = [LEAST.schemaUser, LEAST].map(({ user, password }) => [
    `CREATE USER ${user}`, `IDENTIFIED BY '${password}'`] as const);
  return page.split(';').map((text) => text.trim())
    .filter((text) => text !== '' && !text.startsWith('CREATE DATABASE'))
    .map((text) => {
      const secret = passwords.find(([begin]) => text.startsWith(begin))?.[1] ?? '';
      return text.replaceAll('10.0.0.%', '127.0.0.1').replaceAll('holdfast.*', `${database}.*`)
        .replace('CREATE USER', 'CREATE USER IF NOT EXISTS').replace(/IDENTIFIED BY '…'/, secret);
    });
}
