/** The shards of an installation, as changes of the schema see them, and the tables they should
 *  have. */
import { join } from 'node:path';
import type { OpenedSchema } from '../cli/index.ts';
import { IDENTITY_SCHEMA } from '../identity/stores/sqlite/identity-schema.ts';
import { TABLES } from '../metadata/stores/mariadb/schema.ts';
import { SCHEMA } from '../metadata/stores/sqlite/schema.ts';
import { findDataDirectory, lockData, serverSlice } from '../platform/index.ts';
import type { Clock, Config } from '../platform/index.ts';
import { CHANGES, schemaSlice } from '../schema/index.ts';
import type { Family, Goldens, SchemaShard } from '../schema/index.ts';
import { mariadbGolden } from '../schema/stores/mariadb/mariadb-golden.ts';
import { OUR_COLLATION } from '../schema/stores/mariadb/mariadb-schema-target.ts';
import { sqliteGolden } from '../schema/stores/sqlite/sqlite-catalogue.ts';
import { openSqliteBook } from '../schema/stores/sqlite/sqlite-schema-book.ts';
import { SqliteSchemaTarget } from '../schema/stores/sqlite/sqlite-schema-target.ts';

/** What this version of the program makes in an empty database. */
export function goldenCatalogues(): Goldens {
  return {
    metadata: { sqlite: sqliteGolden(SCHEMA), mariadb: mariadbGolden(TABLES, OUR_COLLATION) },
    identity: { sqlite: sqliteGolden(IDENTITY_SCHEMA), mariadb: [] },
  };
}

/** Those that lie in files of the data directory. */
export function fileShards(root: string, { readonly }: { readonly: boolean }): SchemaShard[] {
  const shard = (name: string, file: string, family: Family): SchemaShard => ({
    name, family, engine: 'sqlite',
    open: () => SqliteSchemaTarget.open(join(root, file), { readonly }),
  });
  return [shard('main', 'metadata.db', 'metadata'), shard('identity', 'identity.db', 'identity')];
}

/** For commands. With `alters` the data directory is locked: a server remembers what is in its
 *  files. @throws conflict `data-locked`; as findDataDirectory. */
export async function openSchema(
  config: Config, { alters, clock }: { alters: boolean; clock: Clock },
): Promise<OpenedSchema> {
  const { path } = await findDataDirectory(config.of(serverSlice).dataDirectory);
  const { contractAfterSeconds, rowsPerSecond } = config.of(schemaSlice);
  const lock = alters ? lockData(path) : undefined;
  try {
    const book = await openSqliteBook(join(path, 'schema.db'));
    return {
      changes: CHANGES, shards: fileShards(path, { readonly: !alters }), book, clock,
      goldens: goldenCatalogues(),
      policy: { contractAfterMs: contractAfterSeconds * 1000, rowsPerSecond },
      async close() {
        await book.close();
        lock?.release();
      },
    };
  } catch (error) {
    lock?.release();
    throw error;
  }
}
