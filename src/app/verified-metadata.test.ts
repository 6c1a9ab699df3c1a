/** Verifiers read a tenant's metadata where the tenant is, and nowhere else. */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_TENANT, parseTenantId, parseUserId } from '../base/ids.ts';
import type { TenantId } from '../base/ids.ts';
import { SqliteMetadataStore } from '../metadata/stores/sqlite/sqlite-metadata-store.ts';
import { systemClock } from '../platform/index.ts';
import { shardPlaces } from './shard-places.ts';
import { VerifiedMetadata } from './verified-metadata.ts';

const ACME = parseTenantId('acme');

describe('The metadata that verifiers read', () => {
  let root: string;
  let shard = 1;
  const opened: VerifiedMetadata[] = [];

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-verified-'));
    await make('metadata.db', { shard: 0, tenant: DEFAULT_TENANT, owner: 'anna' });
    await make('one.db', { shard: 1, tenant: ACME, owner: 'ben' });
    await make('two.db', { shard: 2, tenant: ACME, owner: 'carl' });
  });
  after(async () => {
    for (const one of opened) await one.close();
    await rm(root, { recursive: true });
  });

  async function make(
    name: string, { tenant, owner, ...options }: { shard: number; tenant: TenantId; owner: string },
  ): Promise<void> {
    const store = await SqliteMetadataStore.open({
      ...options, file: join(root, name), create: true,
    });
    await store.ensureSpace({
      tenant, owner: parseUserId(owner), casePolicy: 'sensitive', quotaBytes: undefined, at: 1,
    });
    await store.close();
  }

  function metadataOf(tenant: TenantId): VerifiedMetadata {
    const record = (number: number, name: string) => ({
      number, name, url: `sqlite:${name}.db`, passwordPath: undefined, state: 'open' as const,
      madeAt: 1,
    });
    const places = shardPlaces(root, {
      database: { kind: 'files', mayTake: false }, settings: undefined,
      shardOf: (wanted) => (wanted === ACME ? shard : 0),
      read: () => Promise.resolve({ shards: [record(1, 'one'), record(2, 'two')] }),
    });
    const metadata = new VerifiedMetadata(places, { tenant, ownMarks: () => [] },
      systemClock);
    opened.push(metadata);
    return metadata;
  }

  it('is that of the tenant\'s shard, and of its new one once it has moved', async () => {
    const [own, acme] = [metadataOf(DEFAULT_TENANT), metadataOf(ACME)];
    assert.deepEqual(await own.journal.spaces(), [1]);
    const [first = 0, ...others] = await acme.journal.spaces();
    assert.deepEqual([Math.floor(first / 2 ** 40), others], [1, []]);
    assert.equal((await acme.journal.space(first))?.id, first);
    shard = 2;
    const [moved = 0] = await acme.journal.spaces();
    assert.equal(Math.floor(moved / 2 ** 40), 2);
    assert.equal(await acme.journal.space(first), undefined);
    assert.deepEqual(await acme.source.page(undefined, 10), []);
  });

  it('is no other\'s when its shard is not known', async () => {
    shard = 7;
    await assert.rejects(async () => metadataOf(ACME).journal.spaces());
    await assert.rejects(async () => metadataOf(ACME).source.page(undefined, 1));
  });
});
