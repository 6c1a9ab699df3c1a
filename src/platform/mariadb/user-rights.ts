/** Rights that a database user has and that a serving program needs not: whoever gets hold of its
 *  password, or slips a statement past all else, has them too. See docs/mariadb-users.md. */
import { statements } from '../sql/statement-registry.ts';
import { SESSION_OWNER } from './counted-statements.ts';
import { Session } from './session.ts';
import type { ServerAddress } from './session.ts';

const SHOW_GRANTS = statements.enter('grants', 'SHOW GRANTS', SESSION_OWNER).text;

/** What the program does all day; TRIGGER is what moving tenants takes. */
const NEEDED: ReadonlySet<string> = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRIGGER']);
/** Of all databases, and of none. */
const NOTHING = 'USAGE';

/** The line may hold a hash of the password: of it only rights and place are told. */
const GRANT = /^GRANT (.+?) ON (\S+) TO /;

/** Each as a right and where it holds: `SUPER on *.*`. */
export function rightsTooMany(grants: readonly string[]): string[] {
  return grants.flatMap((line) => {
    const [, list = '', place = ''] = GRANT.exec(line) ?? [];
    const rights = list.replaceAll(/ \([^)]*\)/g, '').split(', ').filter((right) => right !== '');
    const isEverywhere = place === '*.*';
    const surplus = rights.filter((right) =>
      right !== NOTHING && (isEverywhere || !NEEDED.has(right)));
    const mayGrant = line.includes('WITH GRANT OPTION') ? ['GRANT OPTION'] : [];
    const where = place.replaceAll('`', '');
    return [...surplus, ...mayGrant].map((right) => `${right} on ${where}`);
  });
}

/** @throws the driver's error. */
export async function readRightsTooMany(address: ServerAddress): Promise<string[]> {
  const session = await Session.open(address, 'read');
  try {
    const { rows } = await session.run(SHOW_GRANTS);
    return rightsTooMany(rows.map(([line]) => String(line)));
  } finally {
    await session.end();
  }
}
