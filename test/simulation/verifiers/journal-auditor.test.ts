/** Random work on real metadata: the auditor, which replays the journal in its own way, agrees with
 *  the tree after all of it, and no longer once a row was changed behind the store's back. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isKind } from '../../../src/base/errors.ts';
import { parseUserId } from '../../../src/base/ids.ts';
import type { NodeId } from '../../../src/base/ids.ts';
import { parseName } from '../../../src/base/names.ts';
import { EagerBudget, FindingDesk, JournalAuditor } from '../../../src/durability/index.ts';
import type { Change, MetadataStore, SpaceRecord } from '../../../src/metadata/index.ts';
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
  metadata = await BACKENDS.openMetadata(join(root, 'metadata.db'));
});
after(async () => {
  await metadata.close();
  await rm(root, { recursive: true });
});

async function work(space: SpaceRecord, random: SeededRandom): Promise<Set<string>> {
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
    ];
    const change = changes[random.below(changes.length)] as Change;
    try {
      const result = await metadata.commit(change);
      done.add(change.op);
      if (result.node !== undefined) nodes.push(result.node.id);
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
  const source = BACKENDS.openJournal(file);
  const desk = new FindingDesk({ store, clock, log: silentLog });
  const auditor = new JournalAuditor({ source, store, desk, clock });
  const run = () => auditor.run(new EagerBudget(1_000), new AbortController().signal);
  return { store, source, run };
}

describe('JournalAuditor', () => {
  it('agrees with the tree after any work, copies and restored folders included', async () => {
    const done = new Set<string>();
    for (let seed = 1; seed <= SPACES; seed++) {
      const space = await metadata.ensureSpace({
        owner: parseUserId(`user-${seed}`), casePolicy: 'sensitive', quotaBytes: undefined, at: 0,
      });
      for (const op of await work(space, new SeededRandom(seed))) done.add(op);
    }
    const all = ['copy', 'delete', 'make-folder', 'move', 'put-file', 'restore'];
    assert.deepEqual([...done].sort(), all, 'the work had some of everything');
    const { store, source, run } = auditorOn(join(root, 'metadata.db'));
    const { checked, reports } = await run();
    const found = store.listFindings({ limit: 5 }).map(({ kind, where }) => `${kind} ${where}`);
    assert.deepEqual(found, []);
    assert.equal(reports, 0);
    assert.ok(checked > SPACES * 10, `${checked} events`);
    source.close();
  });

  it('finds a size that was changed behind the store', async () => {
    const file = join(root, 'metadata.db');
    BACKENDS.editMetadata(file).setFolderBytes(3, 12_345);
    const { store, source, run } = auditorOn(file);
    await run();
    const kinds = new Set(store.listFindings({ limit: 100 }).map(({ kind }) => kind));
    assert.deepEqual([...kinds], ['size-sum-differs']);
    source.close();
  });
});
