/** What a MetadataStore promises of the past: reading it, telling it from the present, and
 *  forgetting it. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DEFAULT_TENANT } from '../../base/ids.ts';
import type { NodeId, SpaceId, TenantId } from '../../base/ids.ts';
import { parseName, parsePath } from '../../base/names.ts';
import type { DiffEntry } from '../diff.ts';
import type { PastNode, PastSpace } from '../past.ts';
import { KEEP_DAYS_MAX } from '../retention.ts';
import type { RetentionRule, RetentionScope } from '../retention.ts';
import { ANNA, BEN, NOON, refused } from './hand.ts';
import type { Hand } from './hand.ts';

export async function pastMembers(past: PastSpace, folderId: NodeId): Promise<PastNode[]> {
  const members: PastNode[] = [];
  for await (const page of past.listFolder(folderId)) members.push(...page);
  return members;
}

/** All paths as of a revision, with sizes of files. */
export async function pastTree(
  past: PastSpace, folderId = past.rootId, prefix = '',
): Promise<string[]> {
  const lines: string[] = [];
  for (const { id, name, kind, sizeBytes } of await pastMembers(past, folderId)) {
    lines.push(`${prefix}${name}${kind === 'folder' ? '/' : ` ${sizeBytes}`}`);
    if (kind === 'folder') lines.push(...await pastTree(past, id, `${prefix}${name}/`));
  }
  return lines;
}

async function treeAt(h: Hand, rev: number): Promise<string[]> {
  return pastTree(await h.store.past(h.space.id, rev));
}

async function diffOf(h: Hand, fromRev: number, below?: NodeId): Promise<string[]> {
  const entries: DiffEntry[] = [];
  let after: number | undefined;
  do {
    const page = await h.store.diff(h.space.id, fromRev, await h.rev(), {
      limit: 2, ...(below !== undefined && { below }), ...(after !== undefined && { after }),
    });
    entries.push(...page.entries);
    after = page.next;
  } while (after !== undefined);
  return entries.map(({ before, after: now, changes }) =>
    `${changes.join('+')}: ${before?.path.join('/')} -> ${now?.path.join('/')}`);
}

export function testPast(hand: () => Hand): void {
  it('shows names, places and contents as they were, and what was below a deleted folder',
    async () => {
      const h = hand();
      const box = await h.folder(h.root, 'box');
      const file = await h.put(box.id, 'file', 1);
      const early = await h.rev();
      await h.put(box.id, 'file', 2);
      await h.move(file.id, h.root, 'moved');
      const middle = await h.rev();
      await h.put(box.id, 'other', 3);
      const late = await h.rev();
      await h.delete(box.id);
      assert.deepEqual(await treeAt(h, 0), []);
      assert.deepEqual(await treeAt(h, early), ['box/', 'box/file 1']);
      assert.deepEqual(await treeAt(h, middle), ['box/', 'moved 2']);
      assert.deepEqual(await treeAt(h, late), ['box/', 'box/other 3', 'moved 2']);
      assert.deepEqual(await treeAt(h, await h.rev()), ['moved 2']);
    });

  it('finds nodes of the past by path and by id, each with the version it had', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const first = await h.put(box.id, 'file', 1, { modifiedAt: 77 });
    const rev = await h.rev();
    await h.put(box.id, 'file', 2);
    await h.delete(box.id);
    const past = await h.store.past(h.space.id, rev);
    const found = await past.resolve(parsePath(['box', 'file', 'beyond']));
    assert.deepEqual(found.map(({ id }) => id), [h.root, box.id, first.id]);
    assert.deepEqual(await past.findChain(first.id), found);
    assert.deepEqual(found.at(-1), first);
    assert.equal(found[1]?.sizeBytes, undefined);
    const { sizeBytes } = await h.store.getVersion(h.space.id, first.id, first.contentRev);
    assert.equal(sizeBytes, 1);
    assert.equal(await (await h.store.past(h.space.id, 1)).findChain(first.id), undefined);
    const now = await h.store.past(h.space.id, await h.rev());
    assert.equal(await now.findChain(first.id), undefined);
    await assert.rejects(pastMembers(now, box.id), { kind: 'not-found' });
    await assert.rejects(pastMembers(past, first.id), { kind: 'not-found' });
  });

  it('lists a large folder of the past in pages, in the order of names', async () => {
    const h = hand();
    const names = Array.from({ length: 1_100 }, (_, n) => `f${String(n).padStart(4, '0')}`);
    const made = await Promise.all(names.map((name) => h.put(h.root, name, 1)));
    const rev = await h.rev();
    await Promise.all(made.filter((_, n) => n % 2 === 0).map(({ name }) => h.put(h.root, name, 2)));
    await Promise.all(made.filter((_, n) => n % 3 === 0).map(({ id }) => h.delete(id)));
    const past = await h.store.past(h.space.id, rev);
    const members = await pastMembers(past, past.rootId);
    assert.deepEqual(members.map(({ name }) => name), names);
    assert.ok(members.every(({ sizeBytes }) => sizeBytes === 1));
  });

  it('knows the revision of an instant, also when the clock went back', async () => {
    const h = hand();
    const at = (instant: number): Promise<number> => h.store.revisionAt(h.space.id, instant);
    assert.equal(await at(NOON + 9e9), 0);
    await h.folder(h.root, 'a', { ...h.actor(), at: NOON + 100 });
    await h.folder(h.root, 'b', { ...h.actor(), at: NOON + 200 });
    await h.folder(h.root, 'c', { ...h.actor(), at: NOON + 50 });
    await h.folder(h.root, 'd', { ...h.actor(), at: NOON + 300 });
    const instants = [99, 100, 199, 200, 299, 300, 400].map((offset) => at(NOON + offset));
    assert.deepEqual(await Promise.all(instants), [0, 1, 1, 3, 3, 4, 4]);
    const events = await h.store.listEvents(h.space.id, 0, 10);
    assert.deepEqual(events.map((event) => event.at - NOON), [100, 200, 200, 300]);
    assert.equal((await h.store.past(h.space.id, 3)).at, NOON + 200);
  });

  it('shows mounts of the past and where they led, and the grants of then', async () => {
    const h = hand();
    const other = await h.store.ensureSpace({
      tenant: DEFAULT_TENANT, owner: BEN, casePolicy: 'sensitive', quotaBytes: undefined,
      at: NOON,
    });
    const target = { spaceId: other.id, nodeId: other.rootId };
    const { node } = await h.store.commit({
      op: 'mount', spaceId: h.space.id, parentId: h.root, name: parseName('there'), target,
      actor: h.actor(),
    });
    assert.ok(node !== undefined);
    const { grant } = await h.store.commit({
      op: 'put-grant', spaceId: h.space.id, nodeId: h.root, subject: { kind: 'user', id: 'ben' },
      role: 'viewer', isShown: false, expiresAt: undefined, terms: '', actor: h.actor(),
    });
    assert.ok(grant !== undefined);
    const rev = await h.rev();
    await h.store.commit({
      op: 'unmount', spaceId: h.space.id, nodeId: node.id, isDeclined: false, actor: h.actor(),
    });
    await h.store.commit({
      op: 'remove-grant', spaceId: h.space.id, grantId: grant.id, actor: h.actor(),
    });
    const past = await h.store.past(h.space.id, rev);
    const [found] = await pastMembers(past, h.root);
    assert.deepEqual([found?.kind, found?.name, found?.target], ['mount', 'there', target]);
    assert.deepEqual((await past.findChain(node.id))?.at(-1), found);
    assert.deepEqual((await past.listGrants()).map(({ id }) => id), [grant.id]);
    const now = await h.store.past(h.space.id, await h.rev());
    assert.deepEqual([await pastMembers(now, h.root), await now.listGrants()], [[], []]);
  });

  it('refuses a revision that has not come yet', async () => {
    const h = hand();
    await refused(h.store.past(h.space.id, 1), 'invalid', 'rev-ahead');
    await refused(h.store.diff(h.space.id, 0, 1), 'invalid', 'rev-ahead');
  });

  it('makes no version when a file gets the content that it has', async () => {
    const h = hand();
    const first = await h.put(h.root, 'f', 5, { modifiedAt: 10 });
    const again = await h.put(h.root, 'f', 5, { modifiedAt: 20, checksums: 'MD5:x' });
    assert.equal(again.contentRev, first.contentRev);
    assert.ok(again.mark > first.mark);
    assert.equal(again.modifiedAt, 20);
    const versions = await h.store.listVersions(h.space.id, first.id);
    assert.deepEqual(versions.map((v) => [v.modifiedAt, v.checksums]), [[20, 'MD5:x']]);
    const past = await h.store.past(h.space.id, 1);
    assert.equal((await pastMembers(past, h.root))[0]?.modifiedAt, 10);
    const [, { kind } = { kind: '' }] = await h.store.listEvents(h.space.id, 0, 10);
    assert.equal(kind, 'update');
  });
}

export function testDiff(hand: () => Hand): void {
  it('tells what was added, changed, moved and deleted between two revisions', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const same = await h.put(box.id, 'same');
    const moved = await h.put(box.id, 'moved');
    const changed = await h.put(box.id, 'changed');
    const gone = await h.put(h.root, 'gone');
    const from = await h.rev();
    await h.put(h.root, 'new');
    await h.put(box.id, 'changed', 99);
    await h.put(box.id, 'changed', 98);
    await h.move(moved.id, h.root, 'there');
    await h.delete(gone.id);
    const brief = await h.put(h.root, 'brief');
    await h.delete(brief.id);
    await h.move(same.id, h.root, 'away');
    await h.move(same.id, box.id, 'same');
    assert.deepEqual(await diffOf(h, from), [
      'added: undefined -> new', 'changed: box/changed -> box/changed',
      'moved: box/moved -> there', 'deleted: gone -> undefined',
    ]);
    assert.deepEqual(await diffOf(h, from, box.id), [
      'changed: box/changed -> box/changed', 'moved: box/moved -> there',
    ]);
    assert.deepEqual(await diffOf(h, from, changed.id), ['changed: box/changed -> box/changed']);
    assert.deepEqual(await diffOf(h, await h.rev()), []);
  });

  it('says of a deleted or copied folder one thing for all that it held', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    await h.put(box.id, 'a');
    await h.put(box.id, 'b');
    const from = await h.rev();
    await h.copy(box.id, h.root, 'copy');
    await h.delete(box.id);
    assert.deepEqual(await diffOf(h, from),
      ['added: undefined -> copy', 'deleted: box -> undefined']);
  });
}

export function testForgetting(hand: () => Hand): void {
  const purge = async (h: Hand, floorRev: number, trashToRev: number): Promise<number> => {
    let sum = 0;
    for (let turns = 0; turns < 1_000; turns += 1) {
      const { count } = await h.store.commit({
        op: 'purge-slice', spaceId: h.space.id, floorRev, trashToRev, rowsMax: 3,
      });
      if (count === 0) return sum;
      sum += count;
    }
    return assert.fail('it ends');
  };
  const manifests = async (h: Hand): Promise<string[]> =>
    (await h.store.listManifests(100)).map(({ manifest }) => Buffer.from(manifest).toString());

  it('empties the trash up to a revision, with all that was below', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const inner = await h.folder(box.id, 'inner');
    for (const name of ['a', 'b', 'c', 'd', 'e']) await h.put(inner.id, name);
    await h.setProperty(inner.id, 'p', 'x');
    const twin = await h.put(inner.id, 'moved out');
    await h.move(twin.id, h.root, 'kept');
    const deleted = await h.delete(box.id);
    const later = await h.put(h.root, 'later');
    const laterDeleted = await h.delete(later.id);
    const before = await h.tree();
    assert.ok(await purge(h, 0, deleted) > 6);
    assert.deepEqual(await h.tree(), before);
    assert.deepEqual((await h.store.listTrash(h.space.id, 10)).map((each) => each.deletedRev),
      [laterDeleted]);
    assert.deepEqual(await manifests(h), ['moved out:10', 'later:10']);
    await refused(h.store.commit(h.restoreChange(box.id, deleted, h.root, 'box')), 'not-found');
    await h.store.commit(h.restoreChange(later.id, laterDeleted, h.root, 'later'));
    assert.equal(await h.store.findDeleted(h.space.id, inner.id), undefined);
    assert.deepEqual(await h.tree(), ['kept 10', 'later 10']);
  });

  it('shows the past from its floor on as before, and says what is older is gone', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    await h.put(box.id, 'a', 1);
    await h.put(box.id, 'a', 2);
    const floor = await h.rev();
    await h.put(box.id, 'a', 3);
    await h.move(box.id, h.root, 'moved');
    const wanted = await treeAt(h, floor);
    await purge(h, floor, 0);
    assert.deepEqual(await treeAt(h, floor), wanted);
    const { facts } = await refused(h.store.past(h.space.id, floor - 1), 'not-found', 'past-gone');
    const horizon = await h.store.getHorizon(h.space.id);
    assert.deepEqual(horizon, { revFloor: floor, at: facts['oldestAt'] });
    await refused(h.store.diff(h.space.id, 0, floor), 'not-found', 'past-gone');
    assert.deepEqual(await diffOf(h, floor),
      ['changed: box/a -> moved/a', 'moved: box -> moved']);
    await purge(h, 0, 0);
    assert.equal((await h.store.getHorizon(h.space.id)).revFloor, floor);
  });

  it('finds nothing in the trash that was dropped, and purges it once the floor has passed it',
    async () => {
      const h = hand();
      const box = await h.folder(h.root, 'box');
      await h.put(box.id, 'a');
      const before = await h.rev();
      const dropped = await h.delete(box.id);
      const kept = await h.delete((await h.put(h.root, 'kept')).id);
      const drop = { op: 'drop-trash', spaceId: h.space.id, deletedRevs: [dropped, 999] } as const;
      assert.equal((await h.store.commit(drop)).count, 1);
      assert.equal((await h.store.commit(drop)).count, 0);
      for (const filter of [{}, { by: ANNA }, { parentId: h.root }]) {
        const found = await h.store.listTrash(h.space.id, 10, undefined, filter);
        assert.deepEqual(found.map(({ deletedRev }) => deletedRev), [kept]);
      }
      await purge(h, before, 0);
      assert.deepEqual(await treeAt(h, before), ['box/', 'box/a 10']);
      await purge(h, kept, 0);
      assert.deepEqual(await manifests(h), ['kept:10']);
      const tooMany = { ...drop, deletedRevs: Array.from({ length: 1_001 }, (_, at) => at) };
      await refused(h.store.commit(tooMany), 'too-large');
    });

  it('restores from the trash what was deleted before the floor', async () => {
    const h = hand();
    const file = await h.put(h.root, 'file', 1);
    const deleted = await h.delete(file.id);
    await h.put(h.root, 'other');
    await purge(h, await h.rev(), 0);
    await h.store.commit(h.restoreChange(file.id, deleted, h.root, 'back'));
    assert.deepEqual(await h.tree(), ['back 1', 'other 10']);
  });

  it('forgets versions, but none that the floor, a file or the trash needs', async () => {
    const h = hand();
    const { id } = await h.put(h.root, 'file', 1);
    for (const bytes of [2, 3, 4]) await h.put(h.root, 'file', bytes);
    const trashed = await h.put(h.root, 'trashed', 1);
    await h.put(h.root, 'trashed', 2);
    await h.delete(trashed.id);
    const keys = await h.store.listVersionKeys(h.space.id, 100);
    assert.deepEqual(keys.map(({ sizeBytes }) => sizeBytes), [1, 2, 3, 4, 1, 2]);
    const paged = await h.store.listVersionKeys(h.space.id, 3, keys[1]);
    assert.deepEqual(paged, keys.slice(2, 5));
    const drop = async (): Promise<number> => (await h.store.commit({
      op: 'drop-versions', spaceId: h.space.id, versions: keys,
    })).count;
    assert.equal(await drop(), 0);
    await purge(h, 3, 0);
    assert.equal(await drop(), 2);
    assert.deepEqual((await h.store.listVersions(h.space.id, id)).map((v) => v.sizeBytes), [4, 3]);
    await purge(h, await h.rev(), 0);
    assert.equal(await drop(), 2);
    assert.deepEqual(await manifests(h), ['file:4', 'trashed:2']);
  });

  it('lists the trash of a folder and of a user page by page', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const revs: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      const { id } = await h.put(n % 2 === 0 ? box.id : h.root, `f${n}`);
      revs.push(await h.delete(id, n < 3 ? h.actor() : h.ben()));
    }
    const list = async (limit: number, before: number | undefined, filter: {
      by?: typeof ANNA; parentId?: NodeId; }): Promise<number[]> => {
      const found = await h.store.listTrash(h.space.id, limit, before, filter);
      return found.map(({ deletedRev }) => revs.indexOf(deletedRev));
    };
    assert.deepEqual(await list(10, undefined, { by: ANNA }), [2, 1, 0]);
    assert.deepEqual(await list(2, undefined, { by: BEN }), [5, 4]);
    assert.deepEqual(await list(2, revs[4], { by: BEN }), [3]);
    assert.deepEqual(await list(2, undefined, { parentId: box.id }), [4, 2]);
    assert.deepEqual(await list(10, undefined, { parentId: box.id, by: ANNA }), [2, 0]);
  });

  it('finds the trash entry by which a node went', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const inner = await h.folder(box.id, 'inner');
    const file = await h.put(inner.id, 'file');
    const find = async (id: NodeId): Promise<number | undefined> =>
      (await h.store.findDeleted(h.space.id, id))?.deletedRev;
    assert.equal(await find(file.id), undefined);
    const fileRev = await h.delete(file.id);
    const boxRev = await h.delete(box.id);
    assert.deepEqual([await find(file.id), await find(inner.id), await find(box.id)],
      [fileRev, boxRev, boxRev]);
  });
}

export function testRetentionRules(hand: () => Hand): void {
  it('keeps a rule per space and per tenant; a new one takes its whole place', async () => {
    const h = hand();
    const ofSpace = { kind: 'space', spaceId: h.space.id } as const;
    const ofTenant = { kind: 'tenant', tenant: 'acme' as TenantId } as const;
    const set = (scope: RetentionScope, rule: RetentionRule) =>
      h.store.commit({ op: 'set-retention', scope, rule });
    assert.deepEqual(await h.store.readRetention(ofSpace), {});
    await set(ofSpace, { keepAllDays: 0, trashKeepDays: 7 });
    await set(ofTenant, { keepAllDays: 90, keepDailyDays: 100, trashKeepDays: 1 });
    assert.deepEqual(await h.store.readRetention(ofSpace), { keepAllDays: 0, trashKeepDays: 7 });
    await set(ofSpace, { keepDailyDays: 5 });
    assert.deepEqual(await h.store.readRetention(ofSpace), { keepDailyDays: 5 });
    await set(ofSpace, {});
    assert.deepEqual(await h.store.readRetention(ofSpace), {});
    assert.deepEqual(await h.store.readRetention(ofTenant),
      { keepAllDays: 90, keepDailyDays: 100, trashKeepDays: 1 });
    assert.equal(await h.rev(), 0, 'a rule is no event');
    await refused(set({ ...ofSpace, spaceId: 99 as SpaceId }, {}), 'not-found', 'space-missing');
    for (const days of [-1, 1.5, KEEP_DAYS_MAX + 1]) {
      await refused(set(ofSpace, { trashKeepDays: days }), 'invalid');
    }
  });
}

export function testBatches(hand: () => Hand): void {
  it('notes a batch, which events carry, and one that takes it back', async () => {
    const h = hand();
    const { id: spaceId } = h.space;
    const begin = (undoes?: number): Promise<{ count: number }> => h.store.commit({
      op: 'begin-batch', spaceId, kind: undoes === undefined ? 'restore' : 'undo',
      nodeId: h.root, asOf: 0, undoes, withSharing: undoes !== undefined, actor: h.actor(),
    });
    const note = (batchId: number, isDone: boolean): Promise<unknown> => h.store.commit({
      op: 'note-batch', batchId, doneCount: 5, skippedCount: 1, isDone, at: NOON,
    });
    const { count: first } = await begin();
    await refused(begin(), 'conflict', 'batch-running');
    await h.folder(h.root, 'a', { ...h.actor(), batchId: first });
    const [event] = await h.store.listEvents(spaceId, 0, 1);
    assert.equal(event?.batchId, first);
    await note(first, false);
    const running = await h.store.listBatches({ state: 'running' }, 10);
    assert.deepEqual(running.map(({ id, doneCount, revFrom, revTo }) =>
      [id, doneCount, revFrom, revTo]), [[first, 5, 0, 1]]);
    await note(first, true);
    const { count: second } = await begin(first);
    assert.deepEqual((await h.store.listBatches({ spaceId }, 10)).map(({ id }) => id),
      [second, first]);
    assert.deepEqual((await h.store.listBatches({ spaceId }, 10, second)).map(({ id }) => id),
      [first]);
    await note(second, true);
    assert.equal((await h.store.findBatch(first))?.state, 'undone');
    const ended = await h.store.findBatch(second);
    assert.deepEqual([ended?.state, ended?.undoes, ended?.skippedCount, ended?.endedAt],
      ['done', first, 1, NOON]);
    assert.deepEqual([running[0]?.withSharing, ended?.withSharing], [false, true]);
    await refused(note(99, true), 'not-found', 'batch-missing');
  });
}
