/** A database with the table that fixture changes are about. */
import type { ServerAddress } from '../../platform/mariadb/index.ts';
import type { FixtureShard } from '../schema-target.conformance.ts';
import { MariadbSchemaTarget, mariadbTable } from '../stores/mariadb/mariadb-schema-target.ts';
import { ServerSession } from '../stores/mariadb/server-session.ts';
import { PERSON_BEFORE } from './fixture-changes.ts';
import { personRows } from './sqlite-fixture.ts';

export async function mariadbFixture(address: ServerAddress): Promise<FixtureShard> {
  const within = async <T>(act: (session: ServerSession) => Promise<T>): Promise<T> => {
    const session = await ServerSession.open(address);
    try {
      return await act(session);
    } finally {
      await session.close();
    }
  };
  await within((session) => session.alter(mariadbTable('person', PERSON_BEFORE)));
  const open = () => MariadbSchemaTarget.open(address);
  return {
    shard: { name: address.database, family: 'metadata', engine: 'mariadb', open },
    ...personRows(within),
  };
}
