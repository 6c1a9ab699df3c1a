/** What the metadata store promises about quarantines and what they hold. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { NodeId } from '../../base/ids.ts';
import { heldContentRev } from '../holds.ts';
import type { Hold } from '../holds.ts';
import type { ManifestPlace } from '../records.ts';
import { NOON, refused } from './hand.ts';
import type { Hand } from './hand.ts';

type Wishes = Partial<Pick<Hold, 'file' | 'deleted' | 'released' | 'expect' | 'reservationId'>>;

export function testHolds(hand: () => Hand): void {
  async function open(h: Hand, deviceKey = 'laptop'): Promise<number> {
    const { count } = await h.store.commit({
      op: 'open-quarantine', spaceId: h.space.id, deviceKey, actor: h.actor(),
    });
    return count;
  }

  const holding = (h: Hand, quarantineId: number, wishes: Wishes): Hold => ({
    op: 'hold', spaceId: h.space.id, quarantineId, deleted: [], released: [], actor: h.actor(),
    ...wishes,
  });

  const bytes = (nodeId: NodeId, sizeBytes: number): Wishes => ({
    file: {
      nodeId, modifiedAt: NOON,
      content: { sizeBytes, manifest: Buffer.from(`held:${sizeBytes}`), checksums: 'MD5:1' },
    },
  });

  it('opens one quarantine for each device and space, and answers it again', async () => {
    const h = hand();
    const id = await open(h);
    assert.equal(await open(h), id);
    const other = await open(h, 'phone');
    assert.ok(other > id);
    const found = await h.store.findQuarantine(id);
    assert.deepEqual(
      [found?.state, found?.deviceKey, found?.device, found?.openedRev, found?.heldCount],
      ['open', 'laptop', 'desk', 0, 0],
    );
    const ids = async (limit: number, before?: number): Promise<number[]> =>
      (await h.store.listQuarantines({ state: 'open' }, limit, before)).map((each) => each.id);
    assert.deepEqual([await ids(1), await ids(10, other)], [[other], [id]]);
    assert.equal(await h.store.findQuarantine(other + 1), undefined);
    await refused(h.store.listQuarantines({}, 0), 'invalid');
    await refused(h.store.listHeld(id, 1_001), 'invalid');
  });

  it('holds deletions and contents, and leaves the tree and its journal as they are', async () => {
    const h = hand();
    const file = await h.put(h.root, 'file', 1);
    const box = await h.folder(h.root, 'box');
    await h.put(box.id, 'below', 2);
    const before = { tree: await h.tree(), rev: await h.rev(), used: await h.used() };
    const id = await open(h);
    const { count, node } = await h.store.commit(holding(h, id, {
      ...bytes(file.id, 5), deleted: [box.id],
    }));
    assert.equal(node?.mark, file.mark);
    assert.deepEqual({ tree: await h.tree(), rev: await h.rev(), used: await h.used() }, before);
    const held = await h.store.listHeld(id, 10);
    assert.deepEqual(held.map((each) => [each.id, each.nodeId, each.kind, each.sizeBytes]),
      [[count, file.id, 'content', 5], [count + 1, box.id, 'deleted', 2]]);
    const bases = held.map(({ baseRev, baseContentRev, name }) => [baseRev, baseContentRev, name]);
    assert.deepEqual(bases, [[before.rev, file.contentRev, 'file'], [before.rev, 0, 'box']]);
    assert.deepEqual((await h.store.listHeld(id, 10, count)).map((each) => each.id), [count + 1]);
    const version = await h.store.getVersion(h.space.id, file.id, heldContentRev(count));
    assert.deepEqual([Buffer.from(version.manifest).toString(), version.checksums],
      ['held:5', 'MD5:1']);
    assert.equal((await h.store.listVersions(h.space.id, file.id)).length, 1);
    await refused(h.store.getVersion(h.space.id, box.id, heldContentRev(count)), 'not-found');
  });

  it('replaces what it held of a node, goes on from what the device saw, and lets go', async () => {
    const h = hand();
    const file = await h.put(h.root, 'file', 1);
    const id = await open(h);
    await h.store.commit(holding(h, id, bytes(file.id, 5)));
    await h.put(h.root, 'file', 9);
    const { count } = await h.store.commit(holding(h, id, { deleted: [file.id] }));
    const [held, ...more] = await h.store.listHeld(id, 10);
    assert.deepEqual([held?.id, held?.kind, held?.baseContentRev, more],
      [count, 'deleted', file.contentRev, []]);
    const { viewRev } = await h.store.findQuarantine(id) ?? { viewRev: 0 };
    await h.store.commit(holding(h, id, { released: [file.id] }));
    assert.deepEqual(await h.store.listHeld(id, 10), []);
    const after = await h.store.findQuarantine(id);
    assert.deepEqual([after?.heldCount, after?.heldBytes], [0, 0]);
    assert.ok((after?.viewRev ?? 0) > viewRev);
  });

  it('judges a condition by what the device sees', async () => {
    const h = hand();
    const file = await h.put(h.root, 'file', 1);
    const id = await open(h);
    const expecting = (mark: number | 'absent', wishes = bytes(file.id, 2)) =>
      h.store.commit(holding(h, id, {
        ...wishes, expect: mark === 'absent' ? mark : { nodeId: file.id, mark },
      }));
    await refused(expecting('absent'), 'precondition');
    const { count } = await expecting(file.mark);
    await refused(expecting(file.mark), 'precondition');
    await expecting(heldContentRev(count), { deleted: [file.id] });
    await refused(expecting(heldContentRev(count)), 'precondition');
    await expecting('absent');
  });

  it('refuses what a deletion or a put would be refused, and keeps nothing of it', async () => {
    const h = hand();
    const file = await h.put(h.root, 'file', 1);
    const box = await h.folder(h.root, 'box');
    const id = await open(h);
    const hold = (wishes: Wishes) => h.store.commit(holding(h, id, wishes));
    await refused(hold({ deleted: [file.id, h.root] }), 'denied', 'root');
    await refused(hold({ deleted: [999_999 as NodeId] }), 'not-found');
    await refused(hold(bytes(box.id, 1)), 'conflict', 'is-folder');
    await h.lock(file.id, 't1', { holder: h.ben().user });
    await refused(hold({ deleted: [file.id] }), 'locked');
    await refused(hold(bytes(file.id, 1)), 'locked');
    await refused(h.store.commit(holding(h, id + 1, {})), 'not-found', 'quarantine-missing');
    assert.deepEqual(await h.store.listHeld(id, 10), []);
  });

  it('counts held contents as reserved, until they are made', async () => {
    const h = hand();
    const file = await h.put(h.root, 'file', 10);
    await h.store.commit({ op: 'set-quota', spaceId: h.space.id, quotaBytes: 30 });
    const id = await open(h);
    await h.store.commit(holding(h, id, bytes(file.id, 15)));
    assert.equal((await h.store.readUsage(h.space.id, h.at)).reservedBytes, 15);
    await refused(h.store.commit(h.putChange(h.root, 'more', 6)), 'quota');
    await refused(h.store.commit(holding(h, id, bytes(file.id, 21))), 'quota');
    const { count } = await h.store.commit(holding(h, id, bytes(file.id, 20)));
    await refused(h.store.commit(h.putChange(h.root, 'file', 20)), 'quota');
    await h.store.commit({ ...h.putChange(h.root, 'file', 20), heldId: count });
    assert.deepEqual([await h.used(), (await h.store.findQuarantine(id))?.heldCount], [20, 0]);
    assert.equal((await h.store.readUsage(h.space.id, h.at)).reservedBytes, 0);
  });

  it('makes what was held once, or not at all', async () => {
    const h = hand();
    const file = await h.put(h.root, 'file', 1);
    const id = await open(h);
    const { count: heldId } = await h.store.commit(holding(h, id, { deleted: [file.id] }));
    const remove = { op: 'delete', spaceId: h.space.id, nodeId: file.id, heldId } as const;
    await refused(h.store.commit({
      ...remove, expect: { nodeId: file.id, mark: file.mark + 1 }, actor: h.actor(),
    }), 'precondition');
    assert.equal((await h.store.listHeld(id, 10)).length, 1);
    await h.store.commit({ ...remove, actor: h.actor() });
    assert.deepEqual(await h.store.listHeld(id, 10), []);
    const put = { ...h.putChange(h.root, 'other', 1), heldId };
    await refused(h.store.commit(put), 'not-found', 'held-missing');
    assert.deepEqual(await h.names(h.root), []);
  });

  it('leaves what was undone for nobody to see, until it is dropped or kept', async () => {
    const h = hand();
    const file = await h.put(h.root, 'file', 10);
    await h.store.commit({ op: 'set-quota', spaceId: h.space.id, quotaBytes: 30 });
    const id = await open(h);
    await h.store.commit(holding(h, id, bytes(file.id, 15)));
    const decide = (decision: 'keep' | 'undo', quarantineId = id) => h.store.commit({
      op: 'decide-quarantine', spaceId: h.space.id, quarantineId, decision, actor: h.actor(),
    });
    const reserved = async () => (await h.store.readUsage(h.space.id, h.at)).reservedBytes;
    await decide('undo');
    const [held] = await h.store.listHeld(id, 10);
    assert.ok(held !== undefined);
    assert.equal(await reserved(), 0, 'the past costs no room');
    const [needed] = await h.store.listManifests(1);
    assert.equal(needed?.place.kind, 'held');
    await refused(decide('undo'), 'conflict', 'quarantine-decided');
    const making = () => h.store.commit({ ...h.putChange(h.root, 'file', 15), heldId: held.id });
    await refused(making(), 'not-found', 'held-missing');
    const again = await open(h);
    assert.ok(again > id);
    await refused(decide('keep'), 'conflict', 'quarantine-open');
    await decide('undo', again);
    await refused(decide('keep', again), 'conflict', 'quarantine-decided');
    await decide('keep');
    const { count: droppedCount } = await h.store.commit({
      op: 'drop-held', spaceId: h.space.id, quarantineId: id, heldIds: [held.id], ifUndone: true,
    });
    assert.equal(droppedCount, 0, 'who forgets comes too late');
    assert.equal(await open(h), id, 'it holds what comes, as before');
    assert.equal(await reserved(), 15);
    await making();
    await h.store.commit({
      op: 'end-keep', spaceId: h.space.id, quarantineId: id, doneCount: 1, skippedCount: 0,
      at: h.at,
    });
    assert.equal((await h.store.findQuarantine(id))?.state, 'kept');
    assert.deepEqual([await reserved(), await h.used()], [0, 15]);
    const last = await open(h);
    const { count } = await h.store.commit(holding(h, last, bytes(file.id, 5)));
    await decide('undo', last);
    await h.store.commit({
      op: 'drop-held', spaceId: h.space.id, quarantineId: last, heldIds: [count], ifUndone: true,
    });
    assert.equal(await reserved(), 0);
    await refused(decide('keep', last), 'conflict', 'quarantine-decided');
  });

  it('counts files below a folder by the age of their content, no further than told', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const deep = await h.folder(box.id, 'deep');
    for (const name of ['a', 'b', 'c']) await h.put(deep.id, name);
    await h.put(h.root, 'beside');
    const { contentRev } = await h.put(box.id, 'old');
    await h.put(deep.id, 'a', 2);
    await h.put(box.id, 'young');
    const count = (countMax: number, rowsMax = 100, folder = h.root) =>
      h.store.countOlderFiles(h.space.id, folder, { contentRev, countMax, rowsMax });
    assert.deepEqual([await count(10), await count(10, 100, box.id), await count(2)], [4, 3, 2]);
    assert.equal(await count(10, 100, deep.id), 2);
    assert.ok(await count(10, 3) < 4);
  });

  it('is decided once; what is kept and could not all be made is open again', async () => {
    const h = hand();
    const file = await h.put(h.root, 'file', 1);
    const id = await open(h);
    const { count: heldId } = await h.store.commit(holding(h, id, { deleted: [file.id] }));
    const decide = (quarantineId: number, decision: 'keep' | 'undo') => h.store.commit({
      op: 'decide-quarantine', spaceId: h.space.id, quarantineId, decision, actor: h.actor(),
    });
    const end = () => h.store.commit({
      op: 'end-keep', spaceId: h.space.id, quarantineId: id, doneCount: 1, skippedCount: 2,
      at: h.at,
    });
    const { count: batchId } = await decide(id, 'keep');
    const batch = await h.store.findBatch(batchId);
    assert.deepEqual([batch?.kind, batch?.state, batch?.nodeId], ['keep', 'running', h.root]);
    await refused(decide(id, 'undo'), 'conflict', 'quarantine-decided');
    assert.equal(await open(h), id, 'it still holds what comes');
    assert.equal((await end()).count, 1);
    assert.equal((await h.store.findQuarantine(id))?.state, 'open');
    assert.equal((await h.store.findBatch(batchId))?.state, 'done');
    await decide(id, 'keep');
    await h.store.commit({
      op: 'drop-held', spaceId: h.space.id, quarantineId: id, heldIds: [heldId, heldId + 1],
    });
    assert.equal((await end()).count, 0);
    assert.equal((await h.store.findQuarantine(id))?.state, 'kept');
    await refused(h.store.commit(holding(h, id, {})), 'conflict', 'quarantine-decided');
    const next = await open(h);
    assert.ok(next > id);
    await decide(next, 'undo');
    const undone = await h.store.findQuarantine(next);
    assert.deepEqual([undone?.state, undone?.decidedBy], ['undone', h.actor().user]);
  });

  it('has held contents among what refers to content, between parts and versions', async () => {
    const h = hand();
    const file = await h.put(h.root, 'file', 1);
    const id = await open(h);
    const { count } = await h.store.commit(holding(h, id, bytes(file.id, 5)));
    await h.store.commit({
      op: 'begin-upload', owner: h.actor().user, uploadId: 'u', totalBytes: undefined, at: NOON,
      expiresAt: NOON + 1e9,
    });
    await h.store.commit({
      op: 'put-part', owner: h.actor().user, uploadId: 'u', number: 1, name: '1', sizeBytes: 1,
      expiresAt: NOON + 1e9, manifest: Buffer.from('part'),
    });
    const met: string[] = [];
    let after: ManifestPlace | undefined;
    for (;;) {
      const [one] = await h.store.listManifests(1, after);
      if (one === undefined) break;
      met.push(Buffer.from(one.manifest).toString());
      after = one.place;
      if (after.kind !== 'part') continue;
      // What moves on from what is held to a version between two pages is not missed either.
      await h.store.commit({
        ...h.putChange(h.root, 'file', 5), heldId: count,
        content: { sizeBytes: 5, manifest: Buffer.from('held:5'), checksums: '' },
      });
    }
    assert.deepEqual(met, ['part', 'file:1', 'held:5']);
    const { count: again } = await h.store.commit(holding(h, id, bytes(file.id, 6)));
    const [held] = await h.store.listManifests(1, after && { kind: 'held', heldId: again - 1 });
    assert.deepEqual(held?.place, { kind: 'held', heldId: again });
    const [version] = await h.store.listManifests(1, held.place);
    assert.equal(version?.place.kind, 'version');
  });
}
