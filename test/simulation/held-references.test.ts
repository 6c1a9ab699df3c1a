/** Content that is held of a device is needed: by the collector's count and by the verifiers'. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_TENANT, parseUserId } from '../../src/base/ids.ts';
import type { BlockId, NodeId, SpaceId } from '../../src/base/ids.ts';
import { parseName } from '../../src/base/names.ts';
import { encodeManifest } from '../../src/files/index.ts';
import {
  SqliteMetadataStore,
} from '../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';
import { MemoryBlockStore } from '../../src/storage/backends/memory/memory-block-store.ts';
import { listReferences } from '../../src/durability/gc/references.ts';
import { placeOfManifest } from '../../src/durability/verify/manifest-source.ts';
import type { ManifestKey } from '../../src/durability/verify/manifest-source.ts';
import {
  SqliteManifestSource,
} from '../../src/durability/verify/stores/sqlite/sqlite-manifest-source.ts';

const NOON = Date.UTC(2026, 0, 1, 12);

describe('What refers to content, in a database with a quarantine', () => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-held-'));
  const file = join(root, 'metadata.db');
  const actor = { user: parseUserId('anna'), device: 'desk', at: NOON, lockTokens: [] };
  let store: SqliteMetadataStore;
  let spaceId: SpaceId;
  let quarantineId: number;
  let nodeId: NodeId;
  let heldId: number;

  const blockOf = (number: number): BlockId => number.toString(16).padStart(64, '0') as BlockId;
  const contentOf = (number: number) => ({
    sizeBytes: 1, checksums: '', manifest: encodeManifest({
      chunker: 'fixed-4m', sizeBytes: 1, indirect: false,
      blocks: [{ id: blockOf(number), sizeBytes: 1 }],
    }),
  });

  before(async () => {
    store = await SqliteMetadataStore.open({ file, create: true });
    const space = await store.ensureSpace({
      tenant: DEFAULT_TENANT, owner: actor.user, casePolicy: 'sensitive', quotaBytes: undefined,
      at: NOON,
    });
    spaceId = space.id;
    const put = await store.commit({
      op: 'put-file', spaceId, parentId: space.rootId, name: parseName('file'),
      content: contentOf(1), modifiedAt: undefined, actor,
    });
    assert.ok(put.node !== undefined);
    nodeId = put.node.id;
    await store.commit({
      op: 'begin-upload', owner: actor.user, uploadId: 'u', totalBytes: undefined, at: NOON,
      expiresAt: NOON + 1e9,
    });
    await store.commit({
      op: 'put-part', owner: actor.user, uploadId: 'u', number: 1, name: '1', sizeBytes: 1,
      manifest: contentOf(3).manifest, expiresAt: NOON + 1e9,
    });
    ({ count: quarantineId } = await store.commit({
      op: 'open-quarantine', spaceId, deviceKey: 'k', actor,
    }));
    ({ count: heldId } = await store.commit({
      op: 'hold', spaceId, quarantineId, deleted: [], released: [], actor,
      file: { nodeId, content: contentOf(2), modifiedAt: undefined },
    }));
  });
  after(async () => {
    await store.close();
    rmSync(root, { recursive: true, force: true });
  });

  async function referenced(): Promise<BlockId[]> {
    const pages = await Array.fromAsync(
      listReferences({ metadata: store, blocks: new MemoryBlockStore() }),
    );
    return pages.flatMap(({ ids }) => ids).toSorted();
  }

  function found(limit: number): ManifestKey[] {
    const source = SqliteManifestSource.open(file);
    const keys: ManifestKey[] = [];
    for (let after: ManifestKey | undefined; ;) {
      const page = source.page(after, limit);
      for (const { key, manifest } of page) {
        assert.deepEqual(source.find(key), Buffer.from(manifest), placeOfManifest(key));
        keys.push(key);
      }
      after = page.at(-1)?.key;
      if (after === undefined) break;
    }
    source.close();
    return keys;
  }

  it('has held content, as long as it is held', async () => {
    assert.deepEqual(await referenced(), [1, 2, 3].map(blockOf));
    for (const limit of [1, 10]) {
      assert.deepEqual(found(limit).map((key) => key[0]), ['version', 'held', 'part']);
    }
    await store.commit({ op: 'drop-held', spaceId, quarantineId, heldIds: [heldId] });
    assert.deepEqual(await referenced(), [1, 3].map(blockOf));
    assert.deepEqual(found(10).map((key) => key[0]), ['version', 'part']);
  });

  it('reads a database from before there were quarantines', async () => {
    const golden = new URL('../fixtures/metadata/format-2.db', import.meta.url);
    const old = join(root, 'format-2.db');
    copyFileSync(golden, old);
    const source = SqliteManifestSource.open(old);
    assert.ok(source.page(undefined, 100).length > 0);
    assert.equal(source.find(['held', 1]), undefined);
    source.close();
  });
});
