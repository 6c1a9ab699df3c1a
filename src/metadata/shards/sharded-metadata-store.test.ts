import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { DEFAULT_TENANT } from '../../base/ids.ts';
import type { TenantId } from '../../base/ids.ts';
import { testAgainstModel } from '../conformance/against-model.ts';
import { testSharingAgainstModel } from '../conformance/shared-against-model.ts';
import { testMetadataStore } from '../metadata-store.conformance.ts';
import type { MetadataStore } from '../metadata-store.ts';
import { MemoryMetadataStore } from '../stores/memory/memory-metadata-store.ts';
import { SqliteMetadataStore } from '../stores/sqlite/sqlite-metadata-store.ts';
import type { TenantOf } from './known-tenants.ts';
import { ACME, openTwoShards, tenantOf } from './testing/two-shards.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-shards-'));
after(() => rmSync(folder, { recursive: true, force: true }));

type Places = readonly [number, number];

async function inMemory(places: Places): Promise<MetadataStore> {
  const open = async ({ number }: { number: number }) => new MemoryMetadataStore({ shard: number });
  return (await openTwoShards({ open, places })).store;
}

/** The same files each time that it is called with the same name. */
async function inFiles(
  name: string, places: Places, people?: TenantOf,
): Promise<MetadataStore> {
  const open = ({ number: shard }: { number: number }) =>
    SqliteMetadataStore.open({ file: join(folder, `${name}-${shard}.db`), create: true, shard });
  return (await openTwoShards({ open, places, ...(people && { people }) })).store;
}

testMetadataStore('ShardedMetadataStore on two shards in memory', () => inMemory([0, 1]));
testMetadataStore('ShardedMetadataStore the other way round', () => inMemory([1, 0]));
// On files only the random work below: shards-on-mariadb-with-server.test.ts has the suite, too.

const tapes = { makeModel: () => new MemoryMetadataStore(), runs: 8, isWhole: false };
const ofTape = (tape: number): TenantId => (tape % 2 === 0 ? ACME : DEFAULT_TENANT);
testAgainstModel('ShardedMetadataStore', {
  ...tapes, tenantOf: ofTape,
  open: () => inFiles('tapes', [1, 0], ({ id }) => (
    /^user\d+$/.test(id) ? ofTape(Number(id.slice(4))) : tenantOf({ kind: 'user', id }))),
});
testSharingAgainstModel('ShardedMetadataStore', {
  ...tapes, open: () => inFiles('shared', [1, 0]),
});
