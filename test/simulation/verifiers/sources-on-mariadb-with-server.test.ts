/** What verifiers read on MariaDB is what they read in a file, after the same work on both; and the
 *  auditor finds there what was changed behind the store's back. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isKind } from '../../../src/base/errors.ts';
import { DEFAULT_TENANT, parseTenantId, parseUserId } from '../../../src/base/ids.ts';
import type { NodeId } from '../../../src/base/ids.ts';
import { parseName } from '../../../src/base/names.ts';
import { EagerBudget, FindingDesk, JournalAuditor } from '../../../src/durability/index.ts';
import type { JournalSource, ManifestSource } from '../../../src/durability/index.ts';
import type { ManifestKey } from '../../../src/durability/verify/manifest-source.ts';
import {
  MariadbJournalSource,
} from '../../../src/durability/verify/stores/mariadb/mariadb-journal-source.ts';
import {
  MariadbManifestSource,
} from '../../../src/durability/verify/stores/mariadb/mariadb-manifest-source.ts';
import {
  SqliteJournalSource,
} from '../../../src/durability/verify/stores/sqlite/sqlite-journal-source.ts';
import {
  SqliteManifestSource,
} from '../../../src/durability/verify/stores/sqlite/sqlite-manifest-source.ts';
import type { Change, MetadataStore } from '../../../src/metadata/index.ts';
import {
  MariadbMetadataStore,
} from '../../../src/metadata/stores/mariadb/mariadb-metadata-store.ts';
import { ManualClock, SeededRandom, silentLog, systemClock } from '../../../src/platform/index.ts';
import type { Clock } from '../../../src/platform/index.ts';
import type { ServerAddress } from '../../../src/platform/mariadb/index.ts';
import { ScratchServer } from '../../../src/platform/mariadb/testing/index.ts';
import { BACKENDS } from './backends.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
const STEPS = 80;
const NAMES = ['a', 'b', 'c ', 'é', '😀', 'ａ', 'Z'];
const OTHER = parseTenantId('other');
/** Waits for nothing. */
const HASTY: Clock = { ...systemClock, after: (_, act) => systemClock.after(1, act) };

/** The same on every store: names, kinds and times come from the seed alone. */
async function work(store: MetadataStore, owner: string, tenant = DEFAULT_TENANT): Promise<void> {
  const random = new SeededRandom(7);
  const user = parseUserId(owner);
  const space = await store.ensureSpace({
    tenant, owner: user, casePolicy: 'sensitive', quotaBytes: undefined, at: NOON,
  });
  const nodes: NodeId[] = [space.rootId];
  const any = (): NodeId => nodes[random.below(nodes.length)] as NodeId;
  for (let step = 0; step < STEPS; step++) {
    const actor = { user, device: 'desk', at: NOON + step, lockTokens: [] };
    const base = { spaceId: space.id, actor };
    const place = { parentId: any(), name: parseName(NAMES[random.below(NAMES.length)] ?? 'a') };
    const target = { toParentId: place.parentId, toName: place.name, replace: true };
    const content = { sizeBytes: step, manifest: Buffer.from([step]), checksums: '' };
    const changes: Change[] = [
      { ...base, op: 'put-file', ...place, content, modifiedAt: undefined,
        witness: [[1 + step % 3, step * 100]] },
      { ...base, op: 'make-folder', ...place },
      { ...base, op: 'move', nodeId: any(), ...target },
      { ...base, op: 'copy', nodeId: any(), depth: 'infinity', ...target },
      { ...base, op: 'delete', nodeId: any() },
    ];
    const change = changes[[0, 0, 0, 1, 1, 2, 3, 4][random.below(8)] ?? 0];
    assert.ok(change !== undefined);
    try {
      const { node } = await store.commit(change);
      if (node !== undefined) nodes.push(node.id);
    } catch (error) {
      if (isKind(error, 'internal') || isKind(error, 'invalid')) throw error;
    }
  }
  const { count: quarantineId } = await store.commit({
    op: 'open-quarantine', spaceId: space.id, deviceKey: 'k',
    actor: { user, device: 'desk', at: NOON, lockTokens: [] },
  });
  const made = await store.commit({
    op: 'put-file', spaceId: space.id, parentId: space.rootId, name: parseName('held'),
    content: { sizeBytes: 1, manifest: Buffer.from('m'), checksums: '' }, modifiedAt: undefined,
    actor: { user, device: 'desk', at: NOON, lockTokens: [] },
  });
  assert.ok(made.node !== undefined);
  await store.commit({
    op: 'hold', spaceId: space.id, quarantineId, deleted: [], released: [],
    actor: { user, device: 'desk', at: NOON, lockTokens: [] },
    file: {
      nodeId: made.node.id, modifiedAt: undefined,
      content: { sizeBytes: 1, manifest: Buffer.from(`held ${owner}`), checksums: '' },
    },
  });
  await store.commit({
    op: 'begin-upload', owner: user, uploadId: 'u', totalBytes: undefined, at: NOON,
    expiresAt: NOON + 1e9,
  });
  await store.commit({
    op: 'put-part', owner: user, uploadId: 'u', number: 1, name: '1', sizeBytes: 1,
    manifest: Buffer.from(`part ${owner}`), expiresAt: NOON + 1e9,
  });
}

async function manifestsOf(source: ManifestSource): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let after: ManifestKey | undefined; ;) {
    const rows = await source.page(after, 7);
    for (const { key, manifest } of rows) {
      assert.deepEqual(await source.find(key), manifest);
      found.push([...key, Buffer.from(manifest).toString('hex')]);
      after = key;
    }
    if (rows.length === 0) return [...found, [...await source.marks()].toSorted()];
  }
}

async function journalOf(source: JournalSource): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const id of await source.spaces()) {
    const space = await source.space(id);
    assert.ok(space !== undefined);
    const events = await source.events(id, 0, 1_000);
    found.push(space, events, await source.pastFloor(id));
    const folders = [space.rootId, ...events.flatMap((each) => (each.isFolder ? each.nodeId : []))];
    for (const folderId of folders) {
      const page = { folderId, afterCanon: '', limit: 3 };
      found.push(await source.members(id, page), await source.folderBytes(id, folderId));
      found.push(await source.members(id, { ...page, afterCanon: 'a' }));
      found.push(await source.membersAt(id, { ...page, rev: Math.ceil(space.rev / 2) }));
    }
  }
  return found;
}

describe('What verifiers read on MariaDB', () => {
  let server: ScratchServer;
  let address: ServerAddress;
  let root: string;
  let file: string;
  const manifests: MariadbManifestSource[] = [];
  const journals: MariadbJournalSource[] = [];

  before(async () => {
    server = await ScratchServer.start();
    address = await server.makeDatabase();
    root = await mkdtemp(join(tmpdir(), 'holdfast-sources-'));
    file = join(root, 'metadata.db');
    const stores = [
      await BACKENDS.metadata.open(file),
      await MariadbMetadataStore.open({ address, create: true }),
    ];
    for (const store of stores) {
      await work(store, 'anna');
      await work(store, 'ben', OTHER);
      await store.close();
    }
  });
  after(async () => {
    for (const each of [...manifests, ...journals]) await each.close();
    await server.stop();
    await rm(root, { recursive: true });
  });

  function manifestSource(of?: ConstructorParameters<typeof MariadbManifestSource>[2]) {
    const source = new MariadbManifestSource(address, HASTY, of);
    manifests.push(source);
    return source;
  }

  function journalSource(tenant = DEFAULT_TENANT) {
    const source = new MariadbJournalSource(address, HASTY, tenant);
    journals.push(source);
    return source;
  }

  async function audit(source: JournalSource): Promise<string[]> {
    const clock = new ManualClock(NOON);
    const store = BACKENDS.openNotes(join(root, 'verify.db'));
    try {
      const desk = new FindingDesk({ store, clock, log: silentLog });
      await new JournalAuditor({ source, store, desk, clock })
        .run(new EagerBudget(1_000), new AbortController().signal, { everything: true });
      return store.listFindings({ state: 'open', limit: 100 }).map(({ kind }) => kind);
    } finally {
      store.close();
    }
  }

  it('is what they read in a file, manifest by manifest', async () => {
    for (const tenant of [undefined, DEFAULT_TENANT, OTHER]) {
      const of = tenant && {
        tenant,
        ownMarks: (all: Iterable<readonly [number, number]>) =>
          [...all].map(([mark, bytes]): [number, number] => [mark + 1, bytes]),
      };
      const inFile = SqliteManifestSource.open(file, of);
      const wanted = await manifestsOf(inFile);
      inFile.close();
      assert.ok(wanted.length > 15, `${wanted.length} are too few to compare`);
      assert.deepEqual(await manifestsOf(manifestSource(of)), wanted);
    }
  });

  it('is what they read in a file, event by event and folder by folder', async () => {
    for (const tenant of [DEFAULT_TENANT, OTHER]) {
      const inFile = SqliteJournalSource.open(file, tenant);
      const wanted = await journalOf(inFile);
      inFile.close();
      assert.ok(wanted.length > 50, 'there must be something to compare');
      assert.deepEqual(await journalOf(journalSource(tenant)), wanted);
    }
  });

  it('agrees with the journal, until somebody changes a row', async () => {
    assert.deepEqual(await audit(journalSource()), []);
    await server.query('UPDATE node SET size_bytes = size_bytes + 1 WHERE kind = 0 LIMIT 1',
      address.database);
    assert.deepEqual(await audit(journalSource()), ['size-sum-differs']);
  });

  it('is never "nothing" for a server that is away', async () => {
    const [journal, manifest] = [journalSource(), manifestSource()];
    await manifest.marks();
    await server.kill();
    await assert.rejects(journal.spaces(), { kind: 'unavailable' });
    await assert.rejects(manifest.page(undefined, 1), { kind: 'unavailable' });
    await assert.rejects(manifest.marks(), { kind: 'unavailable' });
  });
});
