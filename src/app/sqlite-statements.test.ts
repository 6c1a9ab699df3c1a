/**
 * What runs on files of SQLite, whichever store owns it. Method: each file is made as the program
 * makes it, and the statements are those of the tables that the store prepares when it opens; a
 * look into all sources says that nobody prepares others. The metadata's own statements have tests
 * of their own: src/metadata/stores.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseTenantId } from '../base/ids.ts';
import { openGcDatabase } from '../durability/gc/stores/sqlite/open-gc-database.ts';
import { GC_TEXTS } from '../durability/gc/stores/sqlite/sqlite-gc-store.ts';
import { openVerifyDatabase } from '../durability/verify/stores/sqlite/open-verify-database.ts';
import {
  SCRATCH_SCHEMA, SCRATCH_TEXTS,
} from '../durability/verify/stores/sqlite/sqlite-journal-scratch.ts';
import {
  PAST_TEXTS, journalTexts,
} from '../durability/verify/stores/sqlite/sqlite-journal-source.ts';
import {
  heldTexts, manifestTexts,
} from '../durability/verify/stores/sqlite/sqlite-manifest-source.ts';
import { VERIFY_TEXTS } from '../durability/verify/stores/sqlite/verify-statements.ts';
import { NAMED_IDENTITY_SQL } from '../identity/stores/mariadb/identity-schema.ts';
import { IDENTITY_CARRIED } from '../identity/stores/sql/carried-tables.ts';
import { openIdentityDatabase } from '../identity/stores/sqlite/open-identity-database.ts';
import { IDENTITY_TEXTS } from '../identity/stores/sqlite/sqlite-identity-database.ts';
import { DIRECTORY_CARRIED } from '../metadata/shards/stores/carried-tables.ts';
import { DIRECTORY_SQL } from '../metadata/shards/stores/mariadb/directory-schema.ts';
import {
  DIRECTORY_TEXTS, makeDirectoryFile,
} from '../metadata/shards/stores/sqlite/sqlite-directory.ts';
import { METADATA_CARRIED } from '../metadata/stores/rows/carried-tables.ts';
import { createDatabaseFile } from '../metadata/stores/sqlite/database-file.ts';
import { LEASE_SQL } from '../platform/cluster/stores/mariadb/cluster-schema.ts';
import { LEASE_TEXTS, SqliteLeases } from '../platform/cluster/stores/sqlite/sqlite-leases.ts';
import { SqlRefusal, systemClock } from '../platform/index.ts';
import type { SqliteTexts } from '../platform/index.ts';
import { statements } from '../platform/mariadb/index.ts';
import type { NamedSql } from '../platform/mariadb/index.ts';
import {
  fill, keysOfFile, openSqlite, rowsByGuard, tablesOf, walksOf,
} from '../platform/sql/testing/index.ts';
import type { SqliteFile } from '../platform/sql/testing/index.ts';
import { KEYED_REQUESTS_CARRIED } from '../protocols/rest/idempotency/stores/carried-tables.ts';
import {
  KEYED_REQUEST_SQL,
} from '../protocols/rest/idempotency/stores/mariadb/keyed-request-schema.ts';
import {
  KEYED_REQUEST_TEXTS, SqliteIdempotencyStore,
} from '../protocols/rest/idempotency/stores/sqlite/sqlite-idempotency-store.ts';
import type { CarriedTable } from '../tables/index.ts';
import { TableTexts } from '../tables/stores/sql/table-sql.ts';

const SRC = join(import.meta.dirname, '..');
const ACME = parseTenantId('acme');

/** Who prepares statements of SQLite, and where those are looked at. */
const PREPARING: Readonly<Record<string, readonly string[]>> = {
  'here: the tables of the stores': ['platform/sql/sqlite-texts.ts'],
  'what has changed, a pragma': ['identity/stores/sqlite/sqlite-identity-database.ts'],
  'in the tests of the metadata': [
    'database-file.ts', 'reader/past-statements.ts', 'reader/read-statements.ts',
    'shard-figures.ts', 'sqlite-row-database.ts', 'statements.ts',
    'writer/sqlite-writer-database.ts', 'writer/writer-thread.ts',
  ].map((file) => `metadata/stores/sqlite/${file}`),
  'pages of tables that are carried; a row with each write': [
    'tables/stores/sqlite/sqlite-tables.ts',
  ],
  'the runner of schema changes, whose statements are free on servers too': [
    'schema/stores/sqlite/sqlite-catalogue.ts', 'schema/stores/sqlite/sqlite-session.ts',
  ],
  'faults that are planted in canaries': [
    'durability/verify/stores/sqlite/sqlite-canary-metadata.ts',
  ],
};
const PREPARES =
  /\.prepare(?:<[^;]*?>)?\(\s*[^)\s]|\.exec\(\s*[`'"]\s*(?:INSERT|UPDATE|DELETE|REPLACE)/;
const OF_SQLITE = /better-sqlite3|Connection|database\b/;

/** What the guard would refuse on a server, and why it is no harm in a file. */
const REFUSED: Readonly<Record<string, string>> = {
  'identity.deleteSetupLinks': 'there is one at most, as on a server',
  'identity.deleteExpiredLinks': 'there is one at most, as on a server',
  'directory.raiseDirectoryRev': 'the table has one row, and may write one',
  'gc.clear': 'all that the last census has met, however many',
  'gc.forget': 'all of them, when every suspicion begins anew',
  'keyed-requests.loseAll': 'by an index of those that are under way alone, once at a start',
  'keyed-requests.sweepKeys': 'SQLite deletes without LIMIT: a part of it chooses so many',
  'keyed-requests.trimKeys': 'SQLite deletes without LIMIT: a part of it chooses so many',
  'verify.dropNotes': 'a range of names, between two that SQLite makes of their beginning',
  'replay.forgetFolders': 'all of one replay, which nobody else sees',
};

/** What MariaDB runs under the same names. */
const ON_SERVERS: Readonly<Record<string, readonly NamedSql[]>> = {
  identity: [...NAMED_IDENTITY_SQL.values()].map(({ one }) => one),
  directory: Object.values(DIRECTORY_SQL),
  'keyed-requests': Object.values(KEYED_REQUEST_SQL),
  leases: Object.values(LEASE_SQL),
};
const UNLIKE_SERVERS: Readonly<Record<string, string>> = {
  'keyed-requests.sweepKeys': 'some on the way of each request; there more, beside the requests',
  'keyed-requests.trimKeys': 'some on the way of each request; there more, beside the requests',
};

/** What passes over a table, an index of it or a range of that, and why it may. */
const WALKS: Readonly<Record<string, readonly string[]>> = {
  'a page of a walk by key': [
    'identity.listUsers', 'identity.listGroups', 'identity.listOldestFlows', 'gc.listCensuses',
    'metadata.held', 'metadata.heldOf', 'metadata.versions', 'metadata.versionsOf',
    'metadata.parts', 'metadata.partsOf',
  ],
  'what is due or over, and that alone': [
    'identity.deleteExpiredTokens', 'identity.deleteExpiredFlows', 'keyed-requests.sweepKeys',
    'verify.dueSamples',
  ],
  'one link at most': [
    'identity.findSetupLink', 'identity.deleteSetupLinks', 'identity.deleteExpiredLinks',
  ],
  'sign-ins under way, which are bounded': ['identity.countFlows'],
  'what the statement has found itself': ['identity.listOldestKept'],
  'tenants, of which there are few, and all are wanted': [
    'identity.listTenants', 'identity.countTenants',
  ],
  'one row': ['directory.directoryRev', 'directory.raiseDirectoryRev'],
  'all are wanted, when the directory has changed': [
    'directory.listShards', 'directory.listPlaces', 'directory.listMovedSpaces',
  ],
  'all suspects, once in a census': ['gc.clear'],
  'all suspects, once for what a volume or an administrator asks': [
    'gc.countSuspects', 'gc.oldestAccuser',
  ],
  'findings, which are bounded': ['verify.listFindings', 'verify.countFindings'],
  'samples, which are bounded': ['verify.countSamples'],
  'a dozen rows': ['leases.listLeases'],
  'verifiers look at all spaces': ['metadata.spaces'],
  'a row for each volume': ['metadata.marks', 'metadata.marksOf'],
};
const ROWS = 1_500;
/** Where a check asks for certain ones. */
const VALUES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  keyed_request: { state: "CASE seq % 9 WHEN 0 THEN 'begun' ELSE 'done' END" },
};
const OF_ONE_ROW: ReadonlySet<string> = new Set(['ledger_head']);

const CARRIED: Readonly<Record<string, readonly CarriedTable[]>> = {
  identity: IDENTITY_CARRIED, directory: DIRECTORY_CARRIED, metadata: METADATA_CARRIED,
  'keyed-requests': KEYED_REQUESTS_CARRIED,
};

interface Place {
  readonly database: SqliteFile;
  readonly texts: SqliteTexts;
}

const folder = mkdtempSync(join(tmpdir(), 'holdfast-sqlite-statements-'));
const at = (name: string): string => join(folder, name);

/** As the program makes them. */
const FILES: Readonly<Record<string, () => Promise<Place> | Place>> = {
  identity: () => ({
    database: openIdentityDatabase({ file: at('identity.db'), create: true }),
    texts: IDENTITY_TEXTS,
  }),
  directory: () => {
    makeDirectoryFile(at('directory.db'));
    return { database: openSqlite(at('directory.db')), texts: DIRECTORY_TEXTS };
  },
  'keyed-requests': async () => {
    await (await SqliteIdempotencyStore.open({ file: at('api.db') })).close();
    return { database: openSqlite(at('api.db')), texts: KEYED_REQUEST_TEXTS };
  },
  gc: () => ({ database: openGcDatabase(at('gc.db')), texts: GC_TEXTS }),
  verify: () => ({ database: openVerifyDatabase(at('verify.db')).database, texts: VERIFY_TEXTS }),
  leases: async () => {
    await SqliteLeases.open(at('leases.db'), systemClock).close();
    return { database: openSqlite(at('leases.db')), texts: LEASE_TEXTS };
  },
  replay: () => {
    const database = openSqlite(':memory:');
    database.exec(SCRATCH_SCHEMA);
    return { database, texts: SCRATCH_TEXTS };
  },
  // What verifiers read of the metadata.
  metadata: () => {
    createDatabaseFile(at('metadata.db'));
    const ofAcme = { ...journalTexts(4, ACME), ...manifestTexts(ACME), ...heldTexts(ACME) };
    return {
      database: openSqlite(at('metadata.db')),
      texts: {
        ...journalTexts(4, undefined), ...manifestTexts(undefined), ...heldTexts(undefined),
        ...PAST_TEXTS,
        ...Object.fromEntries(Object.entries(ofAcme).map(([name, text]) => [`${name}Of`, text])),
      },
    };
  },
};

const places = new Map<string, Place>();
before(async () => {
  for (const [name, open] of Object.entries(FILES)) places.set(name, await open());
});
after(() => {
  for (const { database } of places.values()) database.close();
  rmSync(folder, { recursive: true });
});

function* allTexts(): Iterable<Place & { name: string; text: SqliteTexts[string] }> {
  for (const [owner, place] of places) {
    for (const [name, text] of Object.entries(place.texts)) {
      yield { ...place, name: `${owner}.${name}`, text };
    }
  }
}

it('Statements of SQLite are prepared where they are looked at, and nowhere else', () => {
  const found = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.ts$/.test(path) && !/\.(?:test|conformance)\.ts$|testing\//.test(path))
    .filter((path) => {
      const source = readFileSync(join(SRC, path), 'utf8');
      return OF_SQLITE.test(source) && PREPARES.test(source);
    });
  assert.deepEqual(found.toSorted(), Object.values(PREPARING).flat().toSorted());
});

describe('A statement of a SQLite file', () => {
  it('may write no more rows than the guard works out of its text', () => {
    const refused: string[] = [];
    let writes = 0;
    for (const { name, text, database } of allTexts()) {
      if (database.prepare(text.text).readonly) continue;
      writes += 1;
      try {
        assert.equal(text.rowsMax, rowsByGuard(name, text, keysOfFile(database)), name);
      } catch (error) {
        if (!(error instanceof SqlRefusal)) throw error;
        refused.push(name);
      }
    }
    assert.deepEqual(refused.toSorted(), Object.keys(REFUSED).toSorted());
    assert.ok(writes > 60, `${writes} of them write`);
  });

  it('may write as many rows as the one that MariaDB runs under its name', () => {
    const differing: string[] = [];
    let compared = 0;
    for (const { name, text } of allTexts()) {
      const [owner = '', short] = name.split('.');
      const named = ON_SERVERS[owner]?.find((each) => each.name === short);
      if (named === undefined) continue;
      const { kind, rowsMax } = statements.get(named.text);
      if (kind !== 'write') continue;
      compared += 1;
      const wanted = named.text.includes('ON DUPLICATE') ? rowsMax / 2 : rowsMax;
      if (text.rowsMax !== wanted) differing.push(name);
    }
    assert.deepEqual(differing.toSorted(), Object.keys(UNLIKE_SERVERS).toSorted());
    assert.ok(compared > 40, `${compared} of them are compared`);
  });
});

describe('The plan of a statement of a SQLite file', () => {
  const walking = (): string[] => [...allTexts()]
    .filter(({ database, text }) => walksOf(database, text.text).length > 0)
    .map(({ name }) => name);

  it('searches by keys, but for those of which is said why not', () => {
    assert.deepEqual(walking().toSorted(), Object.values(WALKS).flat().toSorted());
    const count = [...allTexts()].length;
    assert.ok(count > 140, `${count} statements`);
  });

  it('is the same when the tables are full', () => {
    const empty = walking();
    for (const { database } of places.values()) {
      for (const table of tablesOf(database)) {
        fill(database, table, { rows: ROWS, values: VALUES[table] ?? {} });
        const [[count] = []] = database.prepare(`SELECT COUNT(*) FROM ${table}`).raw().all() as
          [number][];
        assert.ok(Number(count) >= (OF_ONE_ROW.has(table) ? 1 : ROWS), `${table}: ${count}`);
      }
    }
    assert.deepEqual(walking(), empty);
  });

  it('would be found if it did not', () => {
    const walks = (owner: string, text: string): number => (
      walksOf(places.get(owner)?.database as SqliteFile, text).length);
    assert.equal(walks('identity', 'SELECT id FROM users WHERE display_name = ?'), 1);
    assert.equal(walks('identity', 'DELETE FROM tokens WHERE created_at < ?'), 1);
    assert.equal(walks('identity', 'SELECT id FROM users WHERE id > ? AND tenant < ?'), 1);
    assert.equal(walks('identity', 'SELECT COUNT(*) FROM users'), 1, 'also by an index');
    assert.equal(walks('gc', 'SELECT min(first_at) FROM suspect'), 1);
    assert.equal(walks('gc', 'SELECT size_bytes FROM suspect WHERE id = ?'), 0);
  });
});

it('Tables that are carried are read page by page, each from where the last one ended', () => {
  let pages = 0;
  for (const [owner, tables] of Object.entries(CARRIED)) {
    const database = places.get(owner)?.database as SqliteFile;
    for (const table of tables) {
      const { onSqlite, key, others } = table;
      if (onSqlite?.source !== undefined) continue; // One row, made by a statement.
      const sql = new TableTexts('sqlite').of(table);
      const row = [...key, ...others].map(() => 1);
      const { text } = sql.hasWholeOrder ? sql.page({ after: row, limit: 9 }) : sql.groups(row, 9);
      const details = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...key.map(() => 1)
        .slice(0, text.split('?').length - 1)) as { detail: string }[];
      pages += 1;
      assert.deepEqual(details.filter(({ detail }) => !/^SEARCH .*>/.test(detail)), [], table.name);
    }
  }
  assert.ok(pages > 30, `${pages} tables`);
});
