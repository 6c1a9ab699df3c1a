/** Promises about copies and moves from one space to another. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseName } from '../../base/names.ts';
import { parseUserId } from '../../base/ids.ts';
import type { NodeId } from '../../base/ids.ts';
import type { Copy, Move } from '../changes.ts';
import { grantChange } from './access-promises.ts';
import { Hand, refused } from './hand.ts';
import { assertConsistent } from './replay.ts';

interface Two {
  h: Hand;
  other: Hand;
}

type Options = Partial<Pick<Move, 'replace' | 'expect' | 'actor' | 'withGrants' | 'heir'>>;

function moveTo({ h, other }: Two, nodeId: NodeId, toName: string, options: Options = {}): Move {
  return {
    op: 'move', spaceId: h.space.id, nodeId, toSpaceId: other.space.id, toParentId: other.root,
    toName: parseName(toName), replace: false, actor: h.actor(), ...options,
  };
}

function copyTo(two: Two, nodeId: NodeId, toName: string): Copy {
  const { spaceId, toParentId, replace, actor } = moveTo(two, nodeId, toName);
  const place = { spaceId, nodeId, toParentId, toName: parseName(toName), replace, actor };
  return { op: 'copy', ...place, toSpaceId: two.other.space.id, depth: 'infinity' };
}

export function testAcross(hand: () => Hand): void {
  const begin = async (options: { quotaBytes?: number; casePolicy?: 'insensitive' } = {}) => {
    const h = hand();
    const other = await Hand.on(h.store, { owner: 'carl', ...options });
    const box = await h.folder(h.root, 'box');
    const inner = await h.folder(box.id, 'inner');
    const file = await h.put(inner.id, 'f', 7, { checksums: 'MD5:7', modifiedAt: 5 });
    await h.put(box.id, 'g', 2);
    await h.setProperty(file.id, 'colour', 'blue');
    return { h, other, box, inner, file };
  };
  const settled = async ({ h, other }: Two): Promise<void> => {
    await assertConsistent(h.store, h.space.id);
    await assertConsistent(h.store, other.space.id);
  };

  it('copies a tree to another space, with content, times and properties', async () => {
    const two = await begin();
    const { h, other, box } = two;
    const { node, created } = await h.store.commit(copyTo(two, box.id, 'twin'));
    assert.deepEqual([created, node?.spaceId, node?.sizeBytes], [true, other.space.id, 9]);
    const wanted = ['twin/ 9', 'twin/g 2', 'twin/inner/ 7', 'twin/inner/f 7'];
    assert.deepEqual(await other.tree(), wanted);
    const copied = await other.find('twin/inner/f');
    assert.deepEqual([copied?.checksums, copied?.modifiedAt, copied?.contentRev],
      ['MD5:7', 5, 1]);
    const [version] = await h.store.listVersions(other.space.id, copied?.id as NodeId);
    assert.equal(Buffer.from(version?.manifest ?? []).toString(), 'f:7');
    const properties = await h.store.listProperties(other.space.id, copied?.id as NodeId);
    assert.equal(properties[0]?.xml, 'blue');
    assert.equal((await h.tree()).length, 4);
    // Its content revision is of its new space: the next content can never have the same.
    const parent = copied?.parentId as NodeId;
    for (let bytes = 20; bytes < 30; bytes += 1) await other.put(parent, 'f', bytes);
    assert.equal((await h.store.listVersions(other.space.id, copied?.id as NodeId)).length, 11);
    await settled(two);
  });

  it('moves a tree to another space; the source goes to the trash of its own', async () => {
    const two = await begin();
    const { h, other, box, file } = two;
    await h.lock(file.id, 'held');
    await refused(h.store.commit(moveTo(two, box.id, 'x')), 'locked');
    const actor = h.actor('held');
    const { node, rev } = await h.store.commit(moveTo(two, box.id, 'moved', { actor }));
    assert.equal(rev, 1);
    assert.notEqual(node?.id, box.id);
    assert.deepEqual(await h.tree(), []);
    assert.equal(await h.used(), 0);
    assert.deepEqual((await other.tree()).length, 4);
    const [trashed] = await h.store.listTrash(h.space.id, 10);
    assert.deepEqual([trashed?.nodeId, trashed?.sizeBytes], [box.id, 9]);
    assert.deepEqual(await h.store.listLocks(h.space.id, h.at), []);
    await h.store.commit(h.restoreChange(box.id, trashed?.deletedRev ?? 0, h.root, 'box'));
    assert.equal((await h.tree()).length, 4);
    await settled(two);
  });

  it('changes neither space when such a move is refused', async () => {
    const two = await begin({ quotaBytes: 8 });
    const { h, other, box, file } = two;
    const there = await other.put(other.root, 'there', 1);
    const refuses = async (change: Move, ...how: Parameters<typeof refused> extends
    [unknown, ...infer R] ? R : never): Promise<void> => {
      await refused(h.store.commit(change), ...how);
    };
    await refuses(moveTo(two, box.id, 'x'), 'quota');
    await refuses(moveTo(two, h.root, 'x'), 'denied', 'root');
    await refuses(moveTo(two, file.id, 'there'), 'precondition', 'target-exists');
    await refuses({ ...moveTo(two, file.id, 'x'), toParentId: there.id }, 'conflict');
    const stale = { nodeId: file.id, mark: file.mark + 1 };
    await refuses(moveTo(two, file.id, 'x', { expect: stale }), 'precondition', 'changed');
    await other.lock(there.id, 'guard');
    await refuses(moveTo(two, file.id, 'there', { replace: true }), 'locked');
    assert.equal((await h.tree()).length, 4);
    assert.deepEqual(await other.tree(), ['there 1']);
    assert.equal(await h.rev(), 5);
    await other.store.commit({
      op: 'remove-lock', spaceId: other.space.id, token: 'guard', actor: h.actor(),
    });
    const expect = { nodeId: file.id, mark: file.mark };
    const { created } = await h.store.commit(moveTo(two, file.id, 'there',
      { replace: true, expect }));
    assert.equal(created, false);
    assert.deepEqual(await other.tree(), ['there 7']);
    assert.equal((await h.store.listTrash(other.space.id, 10)).length, 1);
    await settled(two);
  });

  it('gives names the canonical form of their new space, and refuses two that clash', async () => {
    const two = await begin({ casePolicy: 'insensitive' });
    const { h, other, box, inner } = two;
    await h.put(box.id, 'Upper', 1);
    await h.store.commit(copyTo(two, box.id, 'Twin'));
    assert.equal((await other.find('tWIN/uPPER'))?.name, 'Upper');
    await h.put(inner.id, 'F', 1);
    await refused(h.store.commit(copyTo(two, box.id, 'again')), 'conflict', 'name-clash');
    await refused(h.store.commit(moveTo(two, box.id, 'again')), 'conflict', 'name-clash');
    assert.equal(await other.rev(), 1);
    await settled(two);
  });

  it('takes grants along when asked to, so that links work, and leaves them else', async () => {
    const two = await begin();
    const { h, other, box, file } = two;
    const subject = { kind: 'link', tokenHash: 'abc' } as const;
    const { grant: link } = await h.store.commit(grantChange(h, file.id, { subject }));
    const { grant: share } = await h.store.commit(grantChange(h, box.id));
    const { grant: stays } = await h.store.commit(grantChange(h, h.root));
    assert.deepEqual((await h.store.listGrants(other.space.id)), []);
    const count = { op: 'count-download', spaceId: h.space.id } as const;
    await h.store.commit({ ...count, grantId: link?.id as never });
    const { node } = await h.store.commit(moveTo(two, box.id, 'moved', { withGrants: true }));
    const moved = await other.find('moved/inner/f');
    const found = await h.store.findLink('abc');
    assert.deepEqual(found, { ...link, spaceId: other.space.id, nodeId: moved?.id,
      revFrom: found?.revFrom, downloads: 1 });
    assert.deepEqual((await h.store.listGrants(other.space.id)).map(({ id, nodeId }) =>
      [id, nodeId]), [[link?.id, moved?.id], [share?.id, node?.id]]);
    assert.deepEqual(await h.store.listGrants(h.space.id), [stays]);
    await settled(two);
    const back = moveTo({ h: other, other: h }, node?.id as NodeId, 'back');
    await h.store.commit(back);
    assert.deepEqual((await h.store.listGrants(h.space.id)), [stays]);
    assert.equal((await h.store.listGrants(other.space.id)).length, 2);
    await settled(two);
  });

  it('lets an heir count as the maker of the grants of one user that come along', async () => {
    const two = await begin();
    const { h, other, box, file } = two;
    const anna = h.actor().user;
    const [carl, ben] = [parseUserId('carl'), parseUserId('ben')];
    await h.store.commit(grantChange(h, box.id));
    const actor = { ...h.actor(), user: ben };
    await h.store.commit({ ...grantChange(h, file.id), actor });
    const heir = { of: anna, is: carl };
    await h.store.commit(moveTo(two, box.id, 'moved', { withGrants: true, heir }));
    const grants = await h.store.listGrants(other.space.id);
    assert.deepEqual(grants.map(({ createdBy }) => createdBy), [carl, ben]);
    await settled(two);
  });

  it('moves big trees whole, there and back, one event each', async () => {
    const two = await begin();
    const { h, other, box } = two;
    const many = Array.from({ length: 1_500 }, (_, n) => n);
    await Promise.all(many.map((n) => h.put(box.id, `n${n}`, 1)));
    const { node } = await h.store.commit(moveTo(two, box.id, 'big'));
    assert.equal(await other.used(), 1_509);
    assert.equal(await other.rev(), 1);
    await h.store.commit(moveTo({ h: other, other: h }, node?.id as NodeId, 'home'));
    assert.deepEqual([await h.used(), await other.used()], [1_509, 0]);
    await settled(two);
  });
}
