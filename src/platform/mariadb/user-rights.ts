/** Rights that a database user has and that a serving program needs not: whoever gets hold of its
 *  password, or slips a statement past all else, has them too. See docs/mariadb-users.md. */
import { statements } from '../sql/statement-registry.ts';
import { SESSION_OWNER } from './counted-statements.ts';
import { asSchemaUser } from './nodes.ts';
import { Session } from './session.ts';
import type { ServerAddress } from './session.ts';

const SHOW_GRANTS = statements.enter('grants', 'SHOW GRANTS', SESSION_OWNER).text;

/** What the program does all day. */
const SERVING: readonly string[] = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];
/** What making and altering tables takes, and triggers, by which moving tenants are followed. */
const OF_TABLES: readonly string[] = ['CREATE', 'ALTER', 'DROP', 'INDEX', 'TRIGGER'];
const ALL = 'ALL PRIVILEGES';
/** Of all databases, and of none. */
const NOTHING = 'USAGE';

/** The line may hold a hash of the password: of it only rights and place are told. */
const GRANT = /^GRANT (.+?) ON (\S+) TO /;

/** Each as a right and where it holds: `SUPER on *.*`. `movesTenants`: it does so itself, as there
 *  is no second user. */
export function rightsTooMany(
  grants: readonly string[], { movesTenants }: { movesTenants: boolean },
): string[] {
  const needed = new Set([...SERVING, ...movesTenants ? ['TRIGGER'] : []]);
  return grants.flatMap((line) => {
    const [, list = '', place = ''] = GRANT.exec(line) ?? [];
    const isEverywhere = place === '*.*';
    const surplus = rightsOf(list).filter((right) =>
      right !== NOTHING && (isEverywhere || !needed.has(right)));
    const mayGrant = line.includes('WITH GRANT OPTION') ? ['GRANT OPTION'] : [];
    const where = place.replaceAll('`', '');
    return [...surplus, ...mayGrant].map((right) => `${right} on ${where}`);
  });
}

function rightsOf(list: string): string[] {
  return list.replaceAll(/ \([^)]*\)/g, '').split(/, ?/).filter((right) => right !== '');
}

/** What the second user lacks. Rights that come by a role are not looked into: then nothing. */
export function rightsMissing(grants: readonly string[], database: string): string[] {
  if (grants.some((line) => !GRANT.test(line))) return [];
  const held = new Set(grants.flatMap((line) => {
    const [, list = '', place = ''] = GRANT.exec(line) ?? [];
    return isAbout(place, database) ? rightsOf(list) : [];
  }));
  return held.has(ALL) ? [] : [...SERVING, ...OF_TABLES].filter((right) => !held.has(right));
}

/** Names in grants are patterns: `_` stands for any letter, unless a backslash is before it. */
function isAbout(place: string, database: string): boolean {
  if (place === '*.*') return true;
  const pattern = /^`(.*)`\.\*$/.exec(place)?.[1] ?? '';
  const source = pattern.replaceAll(/\\?[^]/g, (part) => (
    part === '_' ? '.' : part === '%' ? '.*' : part.replace(/^\\/, '').replace(/\W/, '\\$&')));
  return new RegExp(`^${source}$`, 'i').test(database);
}

export interface RightsFound {
  /** Of who serves. */
  readonly tooMany: readonly string[];
  /** Of who makes and alters tables; empty also where that is the same one. */
  readonly missing: readonly string[];
}

/** @throws the driver's error. */
export async function readRights(address: ServerAddress): Promise<RightsFound> {
  const { schemaUser, database } = address;
  const movesTenants = schemaUser === undefined;
  return {
    tooMany: rightsTooMany(await readGrants(address), { movesTenants }),
    missing: movesTenants ? []
      : rightsMissing(await readGrants(asSchemaUser(address)), database),
  };
}

async function readGrants(address: ServerAddress): Promise<string[]> {
  const session = await Session.open(address, 'read');
  try {
    const { rows } = await session.run(SHOW_GRANTS);
    return rows.map(([line]) => String(line));
  } finally {
    await session.end();
  }
}
