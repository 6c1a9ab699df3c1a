import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { DEFAULT_TENANT, parseTenantId, parseUserId } from '../base/ids.ts';
import type { BlockId, NodeId, SpaceId, TenantId } from '../base/ids.ts';
import { parseName } from '../base/names.ts';
import { listReferences } from '../durability/index.ts';
import { encodeManifest } from '../files/index.ts';
import type { BlockRef } from '../files/index.ts';
import { MemoryMetadataStore } from '../metadata/stores/memory/memory-metadata-store.ts';
import { Block } from '../storage/index.ts';
import { MemoryBlockStore } from '../storage/backends/memory/memory-block-store.ts';
import type { BlockHome } from './block-home.ts';
import { manifestHomes } from './home-references.ts';

const ACME = parseTenantId('acme');
const HEADER_BYTES = 16;

describe('the references that count for the blocks of one home', () => {
  let metadata: MemoryMetadataStore;
  let homes: Map<TenantId, BlockHome & { blocks: MemoryBlockStore }>;
  let spaces: Map<TenantId, SpaceId>;

  beforeEach(async () => {
    metadata = new MemoryMetadataStore();
    spaces = new Map();
    homes = new Map([DEFAULT_TENANT, ACME].map((tenant) => [
      tenant, { place: { tenant }, blocks: new MemoryBlockStore() } as never,
    ]));
    for (const tenant of homes.keys()) {
      const { id } = await metadata.ensureSpace({
        tenant, owner: parseUserId(`user-of-${tenant}`), casePolicy: 'sensitive',
        quotaBytes: undefined, at: 1,
      });
      spaces.set(tenant, id);
    }
  });

  const homeOf = (tenant: TenantId) => {
    const home = homes.get(tenant);
    assert.ok(home);
    return home;
  };

  async function store(tenant: TenantId, bytes: Buffer): Promise<BlockRef> {
    const block = Block.of([bytes]);
    await homeOf(tenant).blocks.put(block);
    return { id: block.id, sizeBytes: block.sizeBytes };
  }

  async function refer(
    tenant: TenantId, name: string, blocks: readonly BlockRef[], indirect = false,
  ): Promise<NodeId> {
    const spaceId = spaces.get(tenant);
    assert.ok(spaceId !== undefined);
    const { rootId } = await metadata.getSpace(spaceId);
    const sizeBytes = blocks.reduce((sum, block) => sum + block.sizeBytes, 0);
    const manifest = encodeManifest({
      chunker: 'fixed-4m', sizeBytes, indirect, blocks: [...blocks],
    });
    const { node } = await metadata.commit({
      op: 'put-file', spaceId, parentId: rootId, name: parseName(name),
      content: { sizeBytes, manifest, checksums: '' }, modifiedAt: 1,
      actor: { user: parseUserId('a'), device: 'd', at: 1, lockTokens: [] },
    });
    assert.ok(node);
    return node.id;
  }

  /** A device has changed a file of that name, and somebody is to decide about it. */
  async function hold(
    tenant: TenantId, name: string, blocks: readonly BlockRef[], indirect = false,
  ): Promise<void> {
    const nodeId = await refer(tenant, name, []);
    const spaceId = spaces.get(tenant);
    assert.ok(spaceId !== undefined);
    const actor = { user: parseUserId('a'), device: 'd', at: 2, lockTokens: [] };
    const { count: quarantineId } = await metadata.commit({
      op: 'open-quarantine', spaceId, deviceKey: name, actor,
    });
    const manifest = encodeManifest({
      chunker: 'fixed-4m', indirect, blocks: [...blocks],
      sizeBytes: blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    });
    await metadata.commit({
      op: 'hold', spaceId, quarantineId, deleted: [], released: [], actor,
      file: {
        nodeId, content: { sizeBytes: 1, manifest, checksums: '' }, modifiedAt: undefined,
      },
    });
  }

  /** What the census of a home would call unneeded, and what it would miss. */
  async function census(tenant: TenantId): Promise<{ unneeded: BlockId[]; absent: BlockId[] }> {
    const own = homeOf(tenant);
    const sources = {
      metadata, blocks: own.blocks,
      homes: manifestHomes(own, {
        metadata, homes: {
          areNone: async () => false, find: (one) => homes.get(one),
          list: () => [...homes.values()],
        },
      }),
    };
    const { reclaim } = own.blocks;
    const round = reclaim.beginCensus();
    const absent: BlockId[] = [];
    for await (const { ids, strangerIds } of listReferences(sources)) {
      absent.push(...reclaim.need(round, ids));
      reclaim.need(round, strangerIds);
    }
    const unneeded: BlockId[] = [];
    for await (const page of reclaim.listUnneeded(round)) {
      unneeded.push(...page.map(({ id }) => id));
    }
    return { unneeded, absent };
  }

  it('are all of its tenant, and what other tenants lack here is no loss', async () => {
    const [ours, theirs] = [Buffer.from('ours'), Buffer.from('theirs')];
    await refer(DEFAULT_TENANT, 'a', [await store(DEFAULT_TENANT, ours)]);
    await refer(ACME, 'b', [await store(ACME, theirs)]);
    const garbage = await store(ACME, Buffer.from('garbage'));
    assert.deepEqual(await census(DEFAULT_TENANT), { unneeded: [], absent: [] });
    assert.deepEqual(await census(ACME), { unneeded: [garbage.id], absent: [] });
  });

  it('include one from another tenant that no program can have made', async () => {
    const crossed = await store(DEFAULT_TENANT, Buffer.from('crossed'));
    await refer(ACME, 'planted', [crossed]);
    assert.deepEqual(await census(DEFAULT_TENANT), { unneeded: [], absent: [] });
    assert.deepEqual(await census(ACME), { unneeded: [], absent: [crossed.id] }, 'a loss there');
  });

  it('include one from another tenant by a list that lies in its own home', async () => {
    const crossed = await store(DEFAULT_TENANT, Buffer.from('crossed'));
    const entries = encodeManifest({
      chunker: 'fixed-4m', sizeBytes: 7, indirect: false, blocks: [crossed],
    }).subarray(HEADER_BYTES);
    const list = await store(ACME, entries);
    await refer(ACME, 'planted', [list], true);
    assert.deepEqual(await census(DEFAULT_TENANT), { unneeded: [], absent: [] });
    assert.deepEqual((await census(ACME)).unneeded, []);
  });

  it('include what is held of a device, of which nobody knows whose it is', async () => {
    const listed = await store(ACME, Buffer.from('listed in a list'));
    const entries = encodeManifest({
      chunker: 'fixed-4m', sizeBytes: 16, indirect: false, blocks: [listed],
    }).subarray(HEADER_BYTES);
    const list = await store(ACME, entries);
    await hold(ACME, 'first', [await store(ACME, Buffer.from('held'))]);
    await hold(ACME, 'second', [list], true);
    const garbage = await store(ACME, Buffer.from('garbage'));
    assert.deepEqual((await census(ACME)).unneeded, [garbage.id], 'not what is held');
    assert.deepEqual(await census(DEFAULT_TENANT), { unneeded: [], absent: [] }, 'no loss there');
  });

  it('are known without a list of another tenant, and not without an own one', async () => {
    const lost = { id: Block.of([Buffer.from('lost')]).id, sizeBytes: 4 };
    await refer(ACME, 'damaged', [lost], true);
    assert.deepEqual((await census(DEFAULT_TENANT)).absent, []);
    await assert.rejects(census(ACME));
  });
});
