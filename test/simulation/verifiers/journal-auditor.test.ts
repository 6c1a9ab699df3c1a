/** Random work on real metadata: the auditor, which replays the journal in its own way, agrees with
 *  the tree after all of it, and no longer once a row was changed behind the store's back. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isKind } from '../../../src/base/errors.ts';
import { DEFAULT_TENANT, parseUserId } from '../../../src/base/ids.ts';
import type { NodeId } from '../../../src/base/ids.ts';
import { parseName } from '../../../src/base/names.ts';
import type { Name } from '../../../src/base/names.ts';
import { EagerBudget, FindingDesk, JournalAuditor } from '../../../src/durability/index.ts';
import type { Change, MetadataStore, Move, SpaceRecord } from '../../../src/metadata/index.ts';
import { ManualClock, SeededRandom, silentLog } from '../../../src/platform/index.ts';
import { BACKENDS } from './backends.ts';

const SPACES = 12;
const STEPS = 60;
const NAMES = ['a', 'b', 'c', 'é', '😀', 'ａ', 'Z'];
const EXPECTED = ['conflict', 'precondition', 'exists', 'not-found', 'denied', 'quota'] as const;

let root = '';
let metadata: MetadataStore;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-audit-'));
  metadata = await BACKENDS.metadata.open(join(root, 'metadata.db'));
});
after(async () => {
  await metadata.close();
  await rm(root, { recursive: true });
});

/** What two spaces can do with each other. */
function sharing(
  base: Pick<Move, 'spaceId' | 'actor'>, other: SpaceRecord, at: { nodeId: NodeId; name: Name },
): Change[] {
  const { nodeId, name } = at;
  const { id: toSpaceId, rootId: toParentId } = other;
  const place = { ...base, nodeId, toSpaceId, toParentId, toName: name, replace: true };
  return [
    { ...place, op: 'copy', depth: 'infinity' },
    { ...place, op: 'move', withGrants: true },
    { ...base, op: 'mount', parentId: nodeId, name,
      target: { spaceId: toSpaceId, nodeId: toParentId } },
    { ...base, op: 'unmount', nodeId, isDeclined: false },
    { ...base, op: 'put-grant', nodeId, subject: { kind: 'user', id: 'ben' }, role: 'viewer',
      isShown: true, expiresAt: undefined, terms: '{}' },
  ];
}

async function work(
  space: SpaceRecord, random: SeededRandom, other: SpaceRecord | undefined,
): Promise<Set<string>> {
  const { owner: user } = space;
  assert.ok(user !== undefined, 'a personal space has an owner');
  const nodes: NodeId[] = [space.rootId];
  const done = new Set<string>();
  const any = (): NodeId => nodes[random.below(nodes.length)] as NodeId;
  for (let step = 0; step < STEPS; step++) {
    const name = parseName(NAMES[random.below(NAMES.length)] as string);
    const actor = { user, device: '', at: step, lockTokens: [] };
    const base = { spaceId: space.id, actor };
    const trash = await metadata.listTrash(space.id, 10);
    const changes: Change[] = [
      { ...base, op: 'make-folder', parentId: any(), name },
      { ...base, op: 'make-folder', parentId: any(), name },
      { ...base, op: 'put-file', parentId: any(), name, modifiedAt: undefined,
        content: { sizeBytes: random.below(50), manifest: Buffer.alloc(16), checksums: '' } },
      { ...base, op: 'move', nodeId: any(), toParentId: any(), toName: name, replace: true },
      { ...base, op: 'copy', nodeId: any(), toParentId: any(), toName: name, replace: true,
        depth: 'infinity' },
      { ...base, op: 'delete', nodeId: any() },
      ...trash.map(({ nodeId, deletedRev }): Change => (
        { ...base, op: 'restore', nodeId, deletedRev, toParentId: any(), toName: name })),
      ...(other === undefined ? [] : sharing(base, other, { nodeId: any(), name })),
    ];
    const change = changes[random.below(changes.length)] as Change;
    try {
      const result = await metadata.commit(change);
      done.add(change.op);
      if (result.node?.spaceId === space.id) nodes.push(result.node.id);
    } catch (error) {
      if (!EXPECTED.some((kind) => isKind(error, kind))) throw error;
    }
    for (const event of await metadata.listEvents(space.id, Math.max(0, step - 5), 50)) {
      if (event.parentAfter !== undefined) nodes.push(event.nodeId);
    }
  }
  return done;
}

function auditorOn(file: string) {
  const clock = new ManualClock(1_000_000);
  const store = BACKENDS.openNotes(':memory:');
  const source = BACKENDS.metadata.openJournal(file);
  const desk = new FindingDesk({ store, clock, log: silentLog });
  const auditor = new JournalAuditor({ source, store, desk, clock });
  const run = () => auditor.run(
    new EagerBudget(1_000), new AbortController().signal, { everything: true },
  );
  return { store, source, run };
}

describe('JournalAuditor', () => {
  it('agrees with the tree after any work, copies and restored folders included', async () => {
    const done = new Set<string>();
    let other: SpaceRecord | undefined;
    for (let seed = 1; seed <= SPACES; seed++) {
      const space = await metadata.ensureSpace({
        tenant: DEFAULT_TENANT, owner: parseUserId(`user-${seed}`), casePolicy: 'sensitive',
        quotaBytes: undefined, at: 0,
      });
      for (const op of await work(space, new SeededRandom(seed), other)) done.add(op);
      other = space;
    }
    const all = ['copy', 'delete', 'make-folder', 'mount', 'move', 'put-file', 'put-grant',
      'restore', 'unmount'];
    assert.deepEqual([...done].sort(), all, 'the work had some of everything');
    const { store, source, run } = auditorOn(join(root, 'metadata.db'));
    const { checked, reports } = await run();
    const found = store.listFindings({ limit: 5 }).map(({ kind, where }) => `${kind} ${where}`);
    assert.deepEqual(found, []);
    assert.equal(reports, 0);
    assert.ok(checked > SPACES * 10, `${checked} events`);
    await source.close();
  });

  it('finds a size that was changed behind the store', async () => {
    const file = join(root, 'metadata.db');
    await BACKENDS.metadata.edit(file).setFolderBytes(3, 12_345);
    const { store, source, run } = auditorOn(file);
    await run();
    const kinds = new Set(store.listFindings({ limit: 100 }).map(({ kind }) => kind));
    assert.deepEqual([...kinds], ['size-sum-differs']);
    await source.close();
  });

  it('finds a past that is not the journal\'s, and again the next time', async () => {
    const file = join(root, 'metadata.db');
    const { store, source, run } = auditorOn(file);
    const shown = (await Promise.all((await source.spaces()).map(async (spaceId) => {
      const folderId = (await source.space(spaceId))?.rootId ?? 0;
      const members = await source.members(spaceId, { folderId, afterCanon: '', limit: 100 });
      return members.map(({ id, contentRev }) => ({ spaceId, nodeId: id, contentRev }));
    }))).flat();
    const newest = shown.toSorted((one, two) => two.contentRev - one.contentRev)[0];
    assert.ok(newest !== undefined && newest.contentRev > 2);
    await BACKENDS.metadata.edit(file).setFromRev(newest, 1);
    for (let audit = 1; audit <= 2; audit++) {
      await run();
      const [found] = store.listFindings({ state: 'open', limit: 100 })
        .filter(({ kind }) => kind === 'past-differs');
      assert.equal(found?.times, audit);
    }
    await source.close();
  });
});
