import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseName } from '../../base/names.ts';
import { Hand, refused } from './hand.ts';

export function testMoves(hand: () => Hand): void {
  it('moves a folder with all below it, and keeps ids, marks and properties', async () => {
    const h = hand();
    const from = await h.folder(h.root, 'from');
    const to = await h.folder(h.root, 'to');
    const box = await h.folder(from.id, 'box');
    const file = await h.put(box.id, 'f', 5);
    await h.setProperty(box.id, 'p', 'x');
    const before = await h.find('from/box');
    const { created, rev } = await h.move(box.id, to.id, 'chest');
    assert.equal(created, true);
    assert.deepEqual(await h.tree(), ['from/ 0', 'to/ 5', 'to/chest/ 5', 'to/chest/f 5']);
    assert.deepEqual(await h.find('to/chest/f'), file);
    assert.deepEqual(await h.find('to/chest'), { ...before, name: 'chest', parentId: to.id });
    assert.equal((await h.store.listProperties(h.space.id, box.id)).length, 1);
    assert.equal(await h.find('from/box'), undefined);
    const marks = [await h.find('from'), await h.find('to'), await h.find('')];
    assert.deepEqual(marks.map((node) => node?.mark), [rev, rev, rev]);
  });

  it('never moves a folder into or onto itself, nor onto what holds it', async () => {
    const h = hand();
    const outer = await h.folder(h.root, 'outer');
    const inner = await h.folder(outer.id, 'inner');
    await h.folder(inner.id, 'x');
    const replace = { replace: true };
    await refused(h.move(outer.id, inner.id, 'y', replace), 'denied', 'cycle');
    await refused(h.move(outer.id, outer.id, 'y', replace), 'denied', 'cycle');
    await refused(h.move(outer.id, h.root, 'outer', replace), 'denied', 'cycle');
    await refused(h.move(inner.id, h.root, 'outer', replace), 'denied', 'cycle');
    await refused(h.move(h.root, inner.id, 'y', replace), 'denied', 'cycle');
    await refused(h.copy(outer.id, inner.id, 'y', replace), 'denied', 'cycle');
    await refused(h.copy(outer.id, h.root, 'outer', replace), 'denied', 'cycle');
    await refused(h.copy(inner.id, h.root, 'outer', replace), 'denied', 'cycle');
    await h.copy(outer.id, inner.id, 'y', { depth: '0' });
    assert.deepEqual(await h.tree(),
      ['outer/ 0', 'outer/inner/ 0', 'outer/inner/x/ 0', 'outer/inner/y/ 0']);
  });

  it('replaces only when told to, and then puts the replaced one into the trash', async () => {
    const h = hand();
    const a = await h.put(h.root, 'a', 1);
    const b = await h.put(h.root, 'b', 2);
    await refused(h.move(a.id, h.root, 'b'), 'precondition', 'target-exists');
    const { created } = await h.move(a.id, h.root, 'b', { replace: true });
    assert.equal(created, false);
    assert.deepEqual(await h.tree(), ['b 1']);
    assert.equal(await h.used(), 1);
    const trash = await h.store.listTrash(h.space.id, 10);
    assert.deepEqual(trash.map(({ nodeId, name }) => [nodeId, name]), [[b.id, 'b']]);
    const kinds = (await h.store.listEvents(h.space.id, 2, 10)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ['delete', 'move']);
  });

  it('renames to another spelling of a name, but never onto another node of it', async () => {
    const h = hand();
    const composed = await h.put(h.root, 'caf\u00e9');
    await h.move(composed.id, h.root, 'cafe\u0301');
    assert.deepEqual(await h.names(h.root), ['cafe\u0301']);
    const other = await h.put(h.root, 'other');
    const replace = { replace: true };
    await refused(h.move(other.id, h.root, 'caf\u00e9', replace), 'conflict', 'name-clash');
    await refused(h.copy(other.id, h.root, 'caf\u00e9', replace), 'conflict', 'name-clash');
    await refused(h.copy(composed.id, h.root, 'caf\u00e9', replace), 'conflict', 'name-clash');
  });

  it('lets upper and lower case clash where the space says so', async () => {
    const h = await Hand.on(hand().store, { owner: 'carl', casePolicy: 'insensitive' });
    const file = await h.put(h.root, 'Notes', 1);
    await refused(h.put(h.root, 'notes'), 'conflict', 'name-clash');
    assert.equal((await h.find('NOTES'))?.name, 'Notes');
    await h.move(file.id, h.root, 'NOTES');
    assert.deepEqual(await h.names(h.root), ['NOTES']);
  });

  it('checks what a move or a deletion expects of its node', async () => {
    const h = hand();
    const file = await h.put(h.root, 'f');
    const base = { spaceId: h.space.id, nodeId: file.id, actor: h.actor() };
    const toName = parseName('g');
    const stale = { nodeId: file.id, mark: file.mark + 1 };
    const move = { op: 'move', ...base, toParentId: h.root, toName, replace: true } as const;
    await refused(h.store.commit({ ...move, expect: stale }), 'precondition');
    await refused(h.store.commit({ op: 'delete', ...base, expect: stale }), 'precondition');
    await h.put(h.root, 'g');
    await refused(h.store.commit({ ...move, expect: 'absent' }), 'precondition');
    await refused(h.store.commit({ op: 'delete', ...base, expect: 'absent' }), 'precondition');
    const right = { nodeId: file.id, mark: file.mark };
    await h.store.commit({ ...move, expect: right });
    await h.store.commit({ op: 'delete', ...base, expect: right });
    assert.deepEqual(await h.tree(), []);
  });
}

export function testTrash(hand: () => Hand): void {
  it('deletes a folder with all below it, and brings all of it back elsewhere', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const inner = await h.folder(box.id, 'inner');
    const file = await h.put(inner.id, 'f', 5);
    await h.setProperty(file.id, 'p', 'x');
    const other = await h.folder(h.root, 'other');
    const deletedRev = await h.delete(box.id);
    for (const { id } of [box, inner, file]) {
      assert.equal(await h.store.findChain(h.space.id, id), undefined);
    }
    assert.deepEqual(await h.store.listProperties(h.space.id, file.id), []);
    assert.equal(await h.used(), 0);
    await refused(h.put(inner.id, 'g'), 'conflict', 'parent-missing');
    await refused(h.move(file.id, h.root, 'g'), 'not-found');
    await refused(h.delete(file.id), 'not-found');
    const [entry] = await h.store.listTrash(h.space.id, 10);
    assert.deepEqual([entry?.nodeId, entry?.name, entry?.parentId, entry?.sizeBytes, entry?.kind],
      [box.id, 'box', h.root, 5, 'folder']);
    await h.store.commit(h.restoreChange(box.id, deletedRev, other.id, 'again'));
    assert.deepEqual(await h.find('other/again/inner/f'), file);
    assert.equal(await h.used(), 5);
    assert.deepEqual(await h.store.listTrash(h.space.id, 10), []);
    assert.equal((await h.store.listProperties(h.space.id, file.id)).length, 1);
    await refused(h.store.commit(h.restoreChange(box.id, deletedRev, h.root, 'x')), 'not-found');
  });

  it('holds several deletions of one name, newest first', async () => {
    const h = hand();
    const revs = [];
    const ids = [];
    for (const size of [1, 2, 3]) {
      const file = await h.put(h.root, 'f', size);
      ids.push(file.id);
      revs.push(await h.delete(file.id));
    }
    const trash = await h.store.listTrash(h.space.id, 2);
    assert.deepEqual(trash.map(({ sizeBytes }) => sizeBytes), [3, 2]);
    const rest = await h.store.listTrash(h.space.id, 10, trash.at(-1)?.deletedRev);
    assert.deepEqual(rest.map(({ sizeBytes }) => sizeBytes), [1]);
    await h.store.commit(h.restoreChange(ids[1] ?? h.root, revs[1] ?? 0, h.root, 'f'));
    assert.equal((await h.find('f'))?.sizeBytes, 2);
    const clash = h.restoreChange(ids[0] ?? h.root, revs[0] ?? 0, h.root, 'f');
    await refused(h.store.commit(clash), 'exists');
    await refused(h.store.commit({ ...clash, deletedRev: 99 } as never), 'not-found');
  });

  it('restores what was deleted on its own out of a folder that was deleted later', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const file = await h.put(box.id, 'f', 5);
    await h.put(box.id, 'g', 7);
    const fileRev = await h.delete(file.id);
    const boxRev = await h.delete(box.id);
    await refused(h.store.commit(h.restoreChange(file.id, fileRev, box.id, 'f')), 'conflict',
      'parent-missing');
    await h.store.commit(h.restoreChange(file.id, fileRev, h.root, 'f'));
    await h.store.commit(h.restoreChange(box.id, boxRev, h.root, 'box'));
    assert.deepEqual(await h.tree(), ['box/ 7', 'box/g 7', 'f 5']);
  });

  it('never deletes the root', async () => {
    const h = hand();
    await refused(h.delete(h.root), 'denied', 'root');
  });
}

export function testCopies(hand: () => Hand): void {
  it('copies a folder with members and properties under new ids, sharing the content', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const inner = await h.folder(box.id, 'inner');
    const file = await h.put(inner.id, 'f', 5, { modifiedAt: 77, checksums: 'SHA1:aa' });
    await h.setProperty(file.id, 'p', 'x');
    await h.setProperty(box.id, 'q', 'y');
    const snapshotRev = await h.rev();
    const { created, node, rev } = await h.copy(box.id, h.root, 'twin');
    assert.equal(created, true);
    assert.deepEqual(await h.tree(box.id), await h.tree(node?.id));
    const twin = await h.find('twin/inner/f');
    assert.ok(twin !== undefined && twin.id !== file.id);
    assert.deepEqual([twin.modifiedAt, twin.checksums, twin.sizeBytes], [77, 'SHA1:aa', 5]);
    const version = await h.store.getVersion(h.space.id, twin.id, twin.contentRev);
    assert.equal(Buffer.from(version.manifest).toString(), 'f:5');
    assert.deepEqual(await h.store.listProperties(h.space.id, twin.id),
      await h.store.listProperties(h.space.id, file.id));
    assert.equal((await h.store.listProperties(h.space.id, node?.id ?? h.root)).length, 1);
    assert.equal(await h.used(), 10);
    const [event, ...more] = await h.store.listEvents(h.space.id, snapshotRev, 10);
    assert.equal(more.length, 0);
    assert.deepEqual([event?.rev, event?.kind, event?.copiedFrom],
      [rev, 'create', { nodeId: box.id, rev: snapshotRev, nodeCount: 3 }]);
  });

  it('gives copies consecutive ids, breadth first and by canonical name', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    for (const name of ['b', 'a']) {
      const folder = await h.folder(box.id, name);
      for (const file of ['z', 'y']) await h.put(folder.id, `${name}${file}`, 1);
    }
    const { node } = await h.copy(box.id, h.root, 'twin');
    const first = node?.id ?? 0;
    const ids = [];
    for (const path of ['', '/a', '/b', '/a/ay', '/a/az', '/b/by', '/b/bz']) {
      ids.push((await h.find(`twin${path}`))?.id);
    }
    assert.deepEqual(ids, [0, 1, 2, 3, 4, 5, 6].map((n) => first + n));
  });

  it('copies a folder alone at depth 0, and a file', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const file = await h.put(box.id, 'f', 5);
    await h.copy(box.id, h.root, 'empty', { depth: '0' });
    await refused(h.copy(file.id, h.root, 'empty'), 'precondition', 'target-exists');
    const { created, node } = await h.copy(file.id, h.root, 'empty', { replace: true });
    assert.equal(created, false);
    assert.deepEqual(await h.tree(), ['box/ 5', 'box/f 5', 'empty 5']);
    await h.put(box.id, 'f', 9);
    assert.equal((await h.find('empty'))?.sizeBytes, 5);
    await h.put(h.root, 'empty', 1);
    const versions = await h.store.listVersions(h.space.id, node?.id ?? h.root);
    assert.deepEqual(versions.map(({ sizeBytes }) => sizeBytes), [1, 5]);
  });
}

export function testQuota(hand: () => Hand): void {
  it('refuses what would exceed the quota, and lets shrinking pass', async () => {
    const h = await Hand.on(hand().store, { owner: 'carl', quotaBytes: 10 });
    const box = await h.folder(h.root, 'box');
    const file = await h.put(box.id, 'f', 6);
    await refused(h.put(h.root, 'g', 5), 'quota');
    await refused(h.copy(box.id, h.root, 'twin'), 'quota');
    await h.put(h.root, 'g', 4);
    await refused(h.put(box.id, 'f', 7), 'quota');
    await h.store.commit({ op: 'set-quota', spaceId: h.space.id, quotaBytes: 1 });
    await h.put(box.id, 'f', 6);
    await h.put(box.id, 'f', 5);
    await h.put(h.root, 'none', 0);
    const deletedRev = await h.delete(box.id);
    assert.equal(await h.used(), 4);
    await refused(h.store.commit(h.restoreChange(box.id, deletedRev, h.root, 'box')), 'quota');
    await h.store.commit({ op: 'set-quota', spaceId: h.space.id, quotaBytes: undefined });
    await h.store.commit(h.restoreChange(box.id, deletedRev, h.root, 'box'));
    assert.equal(await h.used(), 9);
    assert.equal((await h.find('box/f'))?.id, file.id);
  });

  it('counts what a copy replaces', async () => {
    const h = await Hand.on(hand().store, { owner: 'carl', quotaBytes: 10 });
    const a = await h.put(h.root, 'a', 5);
    await h.put(h.root, 'b', 5);
    await h.copy(a.id, h.root, 'b', { replace: true });
    assert.equal(await h.used(), 10);
  });

  it('never lets uploads at the same time exceed the quota together', async () => {
    const h = await Hand.on(hand().store, { owner: 'carl', quotaBytes: 45 });
    const puts = Array.from({ length: 50 }, (_, n) => h.put(h.root, `f${n}`, 7));
    const outcomes = await Promise.allSettled(puts);
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 6);
    assert.equal(await h.used(), 42);
  });
}
