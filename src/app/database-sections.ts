/** The databases of an installation that are carried between files and a MariaDB server: which
 *  files there are, what is carried of each, and how both sides are made. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { IDENTITY_CARRIED } from '../identity/stores/sql/carried-tables.ts';
import { SqliteIdentityStore } from '../identity/stores/sqlite/sqlite-identity-store.ts';
import { DIRECTORY_CARRIED } from '../metadata/shards/stores/carried-tables.ts';
import { makeDirectoryFile } from '../metadata/shards/stores/sqlite/sqlite-directory.ts';
import { METADATA_CARRIED } from '../metadata/stores/rows/carried-tables.ts';
import { SqliteMetadataStore } from '../metadata/stores/sqlite/sqlite-metadata-store.ts';
import type { Clock } from '../platform/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import {
  KEYED_REQUESTS_CARRIED,
} from '../protocols/rest/idempotency/stores/carried-tables.ts';
import {
  SqliteIdempotencyStore,
} from '../protocols/rest/idempotency/stores/sqlite/sqlite-idempotency-store.ts';
import type { CarriedTable } from '../tables/index.ts';
import { IDEMPOTENCY_FILE } from './idempotency-place.ts';
import { IDENTITY_FILE, SEALING_KEY_FILE } from './identity-place.ts';
import { METADATA_FILE } from './metadata-place.ts';
import { DIRECTORY_FILE } from './shard-address.ts';

export interface DatabaseSection {
  /** For people. */
  readonly name: string;
  readonly file: string;
  readonly tables: readonly CarriedTable[];
  /** Brings the file up to this version; with `create`, makes it where it is missing.
   *  @throws as the stores do. */
  readonly open: (file: string, options: { create: boolean; clock: Clock }) => Promise<void>;
}

/** Accounts first: they are few, and what is wrong with them is seen early. */
const SECTIONS: readonly DatabaseSection[] = [
  {
    name: 'accounts', file: IDENTITY_FILE, tables: IDENTITY_CARRIED,
    open: async (file, { create }) => (await SqliteIdentityStore.open({ file, create })).close(),
  },
  {
    name: 'directory of shards', file: DIRECTORY_FILE, tables: DIRECTORY_CARRIED,
    open: async (file) => makeDirectoryFile(file),
  },
  {
    name: 'keyed requests', file: IDEMPOTENCY_FILE, tables: KEYED_REQUESTS_CARRIED,
    open: async (file) => (await SqliteIdempotencyStore.open({ file })).close(),
  },
  {
    name: 'metadata', file: METADATA_FILE, tables: METADATA_CARRIED,
    open: async (file, options) => (await SqliteMetadataStore.open({ ...options, file })).close(),
  },
];

/** Files that a whole installation may have. */
export const DATABASE_FILES: readonly string[] = SECTIONS.map(({ file }) => file);

/** An installation that never had a second shard has no directory of them. */
export function sectionsOf({ hasDirectory }: { hasDirectory: boolean }):
readonly DatabaseSection[] {
  return SECTIONS.filter(({ file }) => file !== DIRECTORY_FILE || hasDirectory);
}

export function hasDirectoryFile(root: string): boolean {
  return existsSync(join(root, DIRECTORY_FILE));
}

/** Makes all tables, with the check value of the key that second factors are sealed with. Calm when
 *  it was done before. @throws as the stores do. */
export async function makeOnMariadb(
  address: ServerAddress, { root, clock }: { root: string; clock: Clock },
): Promise<void> {
  const { MariadbMetadataStore } = await import(
    '../metadata/stores/mariadb/mariadb-metadata-store.ts');
  const { MariadbIdentityStore } = await import(
    '../identity/stores/mariadb/mariadb-identity-store.ts');
  const { openSharedSealingKey } = await import('../identity/stores/mariadb/shared-sealing-key.ts');
  const { MariadbShardDirectory } = await import(
    '../metadata/shards/stores/mariadb/mariadb-directory.ts');
  const { MariadbIdempotencyStore } = await import(
    '../protocols/rest/idempotency/stores/mariadb/mariadb-idempotency-store.ts');
  await (await MariadbMetadataStore.open({ address, create: true, clock })).close();
  const identity = await MariadbIdentityStore.open({ address, create: true, clock });
  try {
    await openSharedSealingKey(identity, join(root, SEALING_KEY_FILE));
  } finally {
    await identity.close();
  }
  await (await MariadbShardDirectory.open({ address, clock })).close();
  await (await MariadbIdempotencyStore.open({ address, clock })).close();
}
