/** Promises about who may what, and what is seen where: grants, team spaces, mounts. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseName } from '../../base/names.ts';
import { DEFAULT_TENANT } from '../../base/ids.ts';
import type { GrantId, NodeId, SpaceId } from '../../base/ids.ts';
import { GRANTS_PER_SPACE_MAX, GRANT_TERMS_BYTES_MAX } from '../access-changes.ts';
import type { PutGrant } from '../access-changes.ts';
import type { GrantRecord, MountTarget } from '../access-records.ts';
import { ANNA, BEN, Hand, NOON, refused } from './hand.ts';
import { assertConsistent } from './replay.ts';

export function grantChange(h: Hand, nodeId: NodeId, options: Partial<PutGrant> = {}): PutGrant {
  return {
    op: 'put-grant', spaceId: h.space.id, nodeId, subject: { kind: 'user', id: 'ben' },
    role: 'viewer', isShown: true, expiresAt: undefined, terms: '{"note":"hello"}',
    actor: h.actor(), ...options,
  };
}

async function grant(
  h: Hand, nodeId: NodeId, options: Partial<PutGrant> = {},
): Promise<GrantRecord> {
  const { grant: made } = await h.store.commit(grantChange(h, nodeId, options));
  assert.ok(made !== undefined);
  return made;
}

export function testGrants(hand: () => Hand): void {
  it('keeps one grant per user or group and node, and changes it under its id', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const first = await grant(h, box.id);
    assert.deepEqual(first, {
      id: first.id, spaceId: h.space.id, nodeId: box.id, subject: { kind: 'user', id: 'ben' },
      role: 'viewer', isShown: true, expiresAt: undefined, terms: '{"note":"hello"}',
      createdBy: ANNA, createdAt: h.at, revFrom: 2, downloads: 0,
    });
    const changed = await grant(h, box.id, { role: 'editor', expiresAt: NOON, actor: h.ben() });
    assert.deepEqual(changed, { ...first, role: 'editor', expiresAt: NOON, revFrom: 3 });
    const again = await grant(h, box.id, { role: 'none', grantId: first.id, isShown: false });
    assert.equal(again.id, first.id);
    const crew = await grant(h, box.id, { subject: { kind: 'group', id: 'ben' } });
    assert.notEqual(crew.id, first.id);
    assert.deepEqual(await h.store.listGrants(h.space.id), [again, crew]);
    assert.equal(await h.store.accessRev(h.space.id), 5);
    assert.equal((await h.store.getSpace(h.space.id)).accessRev, 5);
    await assertConsistent(h.store, h.space.id);
  });

  it('writes an event for each, and changes the marks of folders but never of a file', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const file = await h.put(box.id, 'f');
    const before = await h.find('box');
    const { id: grantId } = await grant(h, file.id);
    assert.deepEqual(await h.find('box/f'), file);
    assert.deepEqual(await h.find('box'), { ...before, mark: 3 });
    await h.store.commit({
      op: 'remove-grant', spaceId: h.space.id, grantId, actor: h.actor(),
    });
    assert.equal((await h.find(''))?.mark, 4);
    assert.deepEqual(await h.find('box/f'), file);
    const events = await h.store.listEvents(h.space.id, 2, 10);
    assert.deepEqual(events.map((event) => [event.kind, event.nodeId, event.grantId]),
      [['grant', file.id, grantId], ['revoke', file.id, grantId]]);
    assert.deepEqual(await h.store.listGrants(h.space.id), []);
    assert.equal(await h.store.accessRev(h.space.id), 4);
    await assertConsistent(h.store, h.space.id);
  });

  it('keeps the grants of what is deleted, also when one is ended there', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const inner = await h.folder(box.id, 'inner');
    const onBox = await grant(h, box.id);
    const onInner = await grant(h, inner.id);
    const deletedRev = await h.delete(box.id);
    await refused(h.store.commit(grantChange(h, inner.id)), 'not-found', 'node-missing');
    assert.deepEqual(await h.store.listGrants(h.space.id), [onBox, onInner]);
    for (const { id: grantId } of [onBox, onInner]) {
      const end = { op: 'remove-grant', spaceId: h.space.id, grantId, actor: h.actor() } as const;
      await h.store.commit(end);
      await refused(h.store.commit(end), 'not-found', 'grant-missing');
    }
    await assertConsistent(h.store, h.space.id);
    await h.store.commit(h.restoreChange(box.id, deletedRev, h.root, 'box'));
    await assertConsistent(h.store, h.space.id);
  });

  it('answers what is shown to somebody or a group of theirs, over all spaces', async () => {
    const h = hand();
    const other = await Hand.on(h.store, { owner: 'carl' });
    const mine = await grant(h, h.root);
    const theirs = await grant(other, other.root, { subject: { kind: 'group', id: 'crew' } });
    await grant(other, other.root, { isShown: false });
    const box = await h.folder(h.root, 'box');
    await grant(h, box.id, { subject: { kind: 'user', id: 'dora' } });
    const subjects = [{ kind: 'user', id: 'ben' }, { kind: 'group', id: 'crew' }] as const;
    assert.deepEqual(await h.store.listGrantsTo(subjects), [mine, theirs]);
    assert.deepEqual(await h.store.listGrantsTo([{ kind: 'group', id: 'ben' }]), []);
    const { id: grantId } = mine;
    await h.store.commit({
      op: 'remove-grant', spaceId: h.space.id, grantId, actor: h.actor(),
    });
    assert.deepEqual(await h.store.listGrantsTo(subjects), [theirs]);
  });

  it('finds a link by its token, lets no two have the same, and counts its downloads', async () => {
    const h = hand();
    const file = await h.put(h.root, 'f');
    const subject = { kind: 'link', tokenHash: 'abc' } as const;
    const link = await grant(h, file.id, { subject });
    const other = await grant(h, file.id, { subject: { kind: 'link', tokenHash: 'xyz' } });
    await refused(h.store.commit(grantChange(h, h.root, { subject })), 'exists', 'link-taken');
    const { id: grantId } = other;
    await refused(h.store.commit(grantChange(h, file.id, { subject, grantId })), 'exists');
    assert.deepEqual(await h.store.findLink('abc'), link);
    const count = { op: 'count-download', spaceId: h.space.id, grantId: link.id } as const;
    assert.equal((await h.store.commit(count)).count, 1);
    assert.equal((await h.store.commit({ ...count, countMax: 2 })).count, 2);
    await refused(h.store.commit({ ...count, countMax: 2 }), 'denied', 'downloads-spent');
    assert.equal((await h.store.findLink('abc'))?.downloads, 2);
    assert.equal((await h.store.listGrants(h.space.id))[0]?.downloads, 2);
    const renamed = await grant(h, file.id, {
      grantId: link.id, subject: { kind: 'link', tokenHash: 'new' },
    });
    assert.deepEqual([renamed.id, renamed.downloads], [link.id, 2]);
    assert.equal(await h.store.findLink('abc'), undefined);
    assert.equal((await h.store.listGrants(h.space.id)).length, 2);
  });

  it('refuses grants that do not fit together', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const ben = await grant(h, box.id);
    const carl = await grant(h, box.id, { subject: { kind: 'user', id: 'carl' } });
    const { id: grantId } = ben;
    const refuses = async (options: Partial<PutGrant>, ...how: Parameters<typeof refused> extends
    [unknown, ...infer R] ? R : never): Promise<void> => {
      await refused(h.store.commit(grantChange(h, box.id, options)), ...how);
    };
    await refuses({ grantId, subject: carl.subject }, 'exists', 'grant-exists');
    await refuses({ grantId, subject: { kind: 'group', id: 'x' } }, 'invalid');
    await refuses({ grantId, nodeId: h.root }, 'not-found', 'grant-missing');
    await refuses({ subject: { kind: 'user', id: '' } }, 'invalid');
    await refuses({ terms: 'x'.repeat(GRANT_TERMS_BYTES_MAX + 1) }, 'too-large');
    await refuses({ spaceId: 99 as SpaceId }, 'not-found', 'space-missing');
    await refused(h.store.listGrants(99 as SpaceId), 'not-found', 'space-missing');
    assert.equal((await h.store.listGrants(h.space.id)).length, 2);
    assert.equal(await h.rev(), 3);
  });

  it('forgets the grants of what is forgotten', async () => {
    const h = hand();
    const { id: spaceId } = h.space;
    const box = await h.folder(h.root, 'box');
    const inner = await h.folder(box.id, 'inner');
    await grant(h, box.id);
    await grant(h, box.id, { role: 'editor' });
    await grant(h, inner.id);
    const stays = await grant(h, h.root);
    const trashToRev = await h.delete(box.id);
    assert.equal((await h.store.listGrants(spaceId)).length, 3);
    await h.store.commit({
      op: 'purge-slice', spaceId, floorRev: trashToRev, trashToRev, rowsMax: 1_000,
    });
    assert.deepEqual(await h.store.listGrants(spaceId), [stays]);
    assert.deepEqual(await (await h.store.past(spaceId, trashToRev)).listGrants(), [stays]);
    await assertConsistent(h.store, spaceId);
  });

  it('shows the grants of the past', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const first = await grant(h, box.id);
    const second = await grant(h, box.id, { role: 'editor' });
    const { id: grantId } = second;
    await h.store.commit({ op: 'remove-grant', spaceId: h.space.id, grantId, actor: h.actor() });
    const wanted = [[], [], [first], [second], []];
    for (const [rev, grants] of wanted.entries()) {
      const past = await h.store.past(h.space.id, rev);
      assert.deepEqual(await past.listGrants(), grants);
    }
  });

  it('brings back a grant that was ended as the very one that it was', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const subject = { kind: 'link', tokenHash: 'old' } as const;
    const link = await grant(h, box.id, { subject, role: 'editor' });
    const { id, createdAt } = link;
    await h.store.commit({ op: 'count-download', spaceId: h.space.id, grantId: id });
    const revives = { id, createdBy: BEN, createdAt };
    const again = grantChange(h, box.id, { subject, role: 'editor', revives });
    await refused(h.store.commit(again), 'exists');
    await h.store.commit({
      op: 'remove-grant', spaceId: h.space.id, grantId: id, actor: h.actor(),
    });
    const never = { ...revives, id: id + 100 as GrantId };
    await refused(h.store.commit({ ...again, revives: never }), 'invalid');
    const { grant: back } = await h.store.commit(again);
    assert.deepEqual(back, { ...link, createdBy: BEN, revFrom: 4, downloads: 1 });
    assert.deepEqual(await h.store.listGrants(h.space.id), [back]);
    assert.notEqual((await grant(h, box.id)).id, id, 'new ones have new ids');
    const ben = await grant(h, box.id, { grantId: id, subject, role: 'viewer' });
    assert.deepEqual([ben.id, ben.downloads], [id, 1]);
    await assertConsistent(h.store, h.space.id);
  });

  it('bounds the grants of a space', async () => {
    const h = hand();
    const token = (n: number): Partial<PutGrant> =>
      ({ subject: { kind: 'link', tokenHash: `t${n}` }, terms: '' });
    const many = Array.from({ length: GRANTS_PER_SPACE_MAX }, (_, n) => n);
    await Promise.all(many.map((n) => h.store.commit(grantChange(h, h.root, token(n)))));
    await refused(h.store.commit(grantChange(h, h.root)), 'too-large', 'too-many-grants');
  });
}

export function testTeamSpaces(hand: () => Hand): void {
  it('makes a team space with its first owner, and lists all spaces', async () => {
    const h = hand();
    const made = await h.store.commit({
      op: 'make-space', tenant: DEFAULT_TENANT, name: parseName('Choir'), firstOwner: BEN,
      casePolicy: 'insensitive', quotaBytes: 50, actor: h.actor(),
    });
    const spaceId = made.node?.spaceId as SpaceId;
    const space = await h.store.getSpace(spaceId);
    const { kind, name, owner, casePolicy, quotaBytes, rev, accessRev } = space;
    assert.deepEqual({ kind, name, owner, casePolicy, quotaBytes, rev, accessRev }, {
      kind: 'team', name: 'Choir', owner: undefined, casePolicy: 'insensitive', quotaBytes: 50,
      rev: 1, accessRev: 1,
    });
    const [shown] = await h.store.listGrantsTo([{ kind: 'user', id: BEN }]);
    assert.deepEqual(shown, made.grant);
    assert.deepEqual([shown?.nodeId, shown?.role], [space.rootId, 'owner']);
    const choir = new Hand(h.store, space);
    await choir.put(choir.root, 'song', 3);
    const rename = { op: 'rename-space', spaceId, name: parseName('Band') } as const;
    await h.store.commit({ ...rename, actor: h.actor() });
    assert.equal((await h.store.getSpace(spaceId)).name, 'Band');
    await refused(h.store.commit({ ...rename, spaceId: h.space.id, actor: h.actor() }), 'denied');
    const [first, second, ...none] = await h.store.listSpaces(10);
    assert.deepEqual([first?.id, second?.id, none.length], [h.space.id, spaceId, 0]);
    assert.deepEqual(await h.store.listSpaces(1), [first]);
    assert.deepEqual(await h.store.listSpaces(10, h.space.id), [second]);
    await assertConsistent(h.store, spaceId);
  });
}

export function testMounts(hand: () => Hand): void {
  const withTarget = async (): Promise<{ h: Hand; other: Hand; target: MountTarget }> => {
    const h = hand();
    const other = await Hand.on(h.store, { owner: 'carl' });
    const folder = await other.folder(other.root, 'shared');
    return { h, other, target: { spaceId: other.space.id, nodeId: folder.id } };
  };
  const mountChange = (h: Hand, target: MountTarget, name = 'shared', parentId = h.root) =>
    ({ op: 'mount' as const, spaceId: h.space.id, parentId, name: parseName(name), target,
      actor: h.actor() });

  it('shows a node of another space once, at the next free name, and takes it away', async () => {
    const { h, other, target } = await withTarget();
    await h.put(h.root, 'shared');
    const made = await h.store.commit(mountChange(h, target));
    const { node } = made;
    assert.deepEqual([made.created, node?.kind, node?.name, node?.target, node?.sizeBytes],
      [true, 'mount', 'shared (2)', target, 0]);
    const again = await h.store.commit(mountChange(h, target, 'elsewhere'));
    assert.deepEqual(again, { ...made, created: false });
    const nodeId = node?.id as NodeId;
    const isWhole = { spaceId: h.space.id, nodeId, parentId: h.root, name: 'shared (2)' };
    assert.deepEqual(await h.store.listMounts(h.space.id),
      { mounts: [{ ...isWhole, target, above: [h.root] }], declined: [] });
    assert.deepEqual((await h.list(h.root)).map(({ target: to }) => to), [undefined, target]);
    assert.deepEqual((await h.resolve('shared (2)/x')).map(({ target: to }) => to),
      [undefined, target]);
    assert.deepEqual((await h.store.findChain(h.space.id, nodeId))?.at(-1), node);
    const file = await other.put(other.root, 'plan.txt');
    await h.put(h.root, 'plan.txt');
    const onFile = { spaceId: other.space.id, nodeId: file.id };
    const mounted = await h.store.commit(mountChange(h, onFile, 'plan.txt'));
    assert.equal(mounted.node?.name, 'plan (2).txt');
    const end = { op: 'unmount', spaceId: h.space.id, nodeId } as const;
    await h.store.commit({ ...end, isDeclined: true, actor: h.actor() });
    await refused(h.store.commit({ ...end, isDeclined: true, actor: h.actor() }), 'not-found');
    const left = await h.store.listMounts(h.space.id);
    assert.deepEqual([left.mounts.length, left.declined], [1, [target]]);
    assert.deepEqual(await h.store.listTrash(h.space.id, 10), []);
    assert.equal((await h.store.commit(mountChange(h, target))).created, true);
    assert.deepEqual((await h.store.listMounts(h.space.id)).declined, []);
    await assertConsistent(h.store, h.space.id);
  });

  it('moves a mount like a file, lets it go and come back with its folder', async () => {
    const { h, target } = await withTarget();
    const box = await h.folder(h.root, 'box');
    const inner = await h.folder(box.id, 'inner');
    const { node } = await h.store.commit(mountChange(h, target));
    const nodeId = node?.id as NodeId;
    await h.move(nodeId, inner.id, 'renamed');
    const [mount] = (await h.store.listMounts(h.space.id)).mounts;
    assert.deepEqual([mount?.parentId, mount?.name, mount?.above],
      [inner.id, 'renamed', [h.root, box.id, inner.id]]);
    assert.deepEqual((await h.find('box/inner/renamed'))?.target, target);
    const deletedRev = await h.delete(box.id);
    assert.deepEqual((await h.store.listMounts(h.space.id)).mounts, []);
    const { node: anew } = await h.store.commit(mountChange(h, target));
    assert.notEqual(anew?.id, nodeId);
    await h.store.commit(h.restoreChange(box.id, deletedRev, h.root, 'box'));
    const both = (await h.store.listMounts(h.space.id)).mounts.map((each) => each.nodeId);
    assert.deepEqual(both, [nodeId, anew?.id]);
    await assertConsistent(h.store, h.space.id);
  });

  it('leaves mounts out of copies, and refuses what would treat them as files', async () => {
    const { h, other, target } = await withTarget();
    const box = await h.folder(h.root, 'box');
    await h.put(box.id, 'z', 3);
    const { node } = await h.store.commit(mountChange(h, target, 'shared', box.id));
    const nodeId = node?.id as NodeId;
    await h.copy(box.id, h.root, 'twin');
    assert.deepEqual(await h.tree(), ['box/ 3', 'box/shared 0', 'box/z 3', 'twin/ 3', 'twin/z 3']);
    await refused(h.copy(nodeId, h.root, 'x'), 'denied', 'is-mount');
    await refused(h.delete(nodeId), 'denied', 'is-mount');
    await refused(h.put(box.id, 'shared'), 'conflict', 'is-folder');
    await refused(h.folder(box.id, 'shared'), 'exists');
    await refused(h.put(nodeId, 'inside'), 'conflict', 'parent-missing');
    const file = await h.put(h.root, 'f');
    await refused(h.move(file.id, box.id, 'shared', { replace: true }), 'denied', 'is-mount');
    await refused(h.store.commit(grantChange(h, nodeId)), 'denied', 'is-mount');
    const times = { op: 'set-times', spaceId: h.space.id, nodeId, modifiedAt: 1 } as const;
    await refused(h.store.commit({ ...times, actor: h.actor() }), 'denied', 'is-mount');
    const back = { spaceId: h.space.id, nodeId };
    await refused(h.store.commit(mountChange(other, back)), 'denied', 'cycle');
    const own = { spaceId: h.space.id, nodeId: box.id };
    await refused(h.store.commit(mountChange(h, own)), 'denied', 'cycle');
    const gone = { ...target, nodeId: 999_999 as NodeId };
    await refused(h.store.commit(mountChange(h, gone)), 'not-found', 'node-missing');
    await assertConsistent(h.store, h.space.id);
  });

  it('follows a path from any live node', async () => {
    const { h } = await withTarget();
    const box = await h.folder(h.root, 'box');
    const inner = await h.folder(box.id, 'inner');
    const file = await h.put(inner.id, 'f');
    const from = async (nodeId: NodeId, ...path: string[]): Promise<NodeId[]> =>
      (await h.store.resolve(h.space.id, path.map(parseName), nodeId)).map(({ id }) => id);
    for (let time = 0; time < 2; time += 1) { // The second time it may be remembered.
      assert.deepEqual(await from(box.id, 'inner', 'f'), [box.id, inner.id, file.id]);
      assert.deepEqual(await from(box.id, 'inner', 'g'), [box.id, inner.id]);
      assert.deepEqual(await from(inner.id), [inner.id]);
      assert.deepEqual(await from(file.id, 'f'), [file.id]);
    }
    await h.delete(box.id);
    assert.deepEqual(await from(inner.id, 'f'), []);
    assert.deepEqual(await from(999_999 as NodeId), []);
  });
}
