/** Promises about what stands beside the tree: locks, dead properties, uploads in pieces. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { PROPERTIES_BYTES_MAX, UPLOADS_PER_USER_MAX } from '../changes.ts';
import type { BeginUpload, PutPart } from '../changes.ts';
import { newLockToken } from '../lock-token.ts';
import { ANNA, BEN, NOON, refused } from './hand.ts';
import type { Hand } from './hand.ts';

export function testLocks(hand: () => Hand): void {
  it('lets only who holds a lock and shows its token change the file', async () => {
    const h = hand();
    const file = await h.put(h.root, 'f');
    await h.lock(file.id, 't1');
    const fault = await refused(h.put(h.root, 'f', 1), 'locked');
    assert.deepEqual(fault.facts, { nodeId: file.id });
    await refused(h.put(h.root, 'f', 1, { actor: h.ben('t1') }), 'locked');
    await refused(h.setProperty(file.id, 'p', 'x'), 'locked');
    await refused(h.delete(file.id), 'locked');
    await refused(h.move(file.id, h.root, 'g'), 'locked');
    await h.put(h.root, 'f', 2, { actor: h.actor('t1') });
    assert.equal((await h.store.listLocks(h.space.id, h.at)).length, 1);
    await h.put(h.root, 'beside');
  });

  it('guards the list of members with depth 0, and the members with infinity', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const file = await h.put(box.id, 'f');
    await h.lock(box.id, 't0');
    await refused(h.put(box.id, 'new'), 'locked');
    await refused(h.folder(box.id, 'new'), 'locked');
    await refused(h.delete(file.id), 'locked');
    await h.put(box.id, 'f', 3);
    const { id: spaceId } = h.space;
    await h.store.commit({ op: 'remove-lock', spaceId, token: 't0', actor: h.actor() });
    await h.lock(box.id, 'tt', { depth: 'infinity' });
    await refused(h.put(box.id, 'f', 4), 'locked');
    await refused(h.lock(file.id, 'under'), 'locked');
    await h.put(box.id, 'f', 4, { actor: h.actor('tt') });
  });

  it('asks for locks below a folder that is deleted, moved or replaced', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const inner = await h.folder(box.id, 'inner');
    const file = await h.put(inner.id, 'f');
    const other = await h.folder(h.root, 'other');
    await h.lock(file.id, 'deep');
    await refused(h.delete(box.id), 'locked');
    await refused(h.move(box.id, other.id, 'x'), 'locked');
    await refused(h.move(other.id, h.root, 'box', { replace: true }), 'locked');
    await refused(h.lock(box.id, 'over', { depth: 'infinity' }), 'locked');
    await h.copy(box.id, h.root, 'twin');
    await h.move(box.id, other.id, 'x', { actor: h.actor('deep') });
    assert.deepEqual(await h.store.listLocks(h.space.id, h.at), []);
  });

  it('lets shared locks stand together, and one of their tokens is enough', async () => {
    const h = hand();
    const file = await h.put(h.root, 'f');
    await h.lock(file.id, 'a', { scope: 'shared' });
    await h.lock(file.id, 'b', { scope: 'shared', holder: BEN });
    await refused(h.lock(file.id, 'c'), 'locked');
    await refused(h.lock(file.id, 'a', { scope: 'shared' }), 'exists');
    await h.put(h.root, 'f', 1, { actor: h.ben('b') });
    await h.put(h.root, 'f', 2, { actor: h.actor('a') });
    await refused(h.put(h.root, 'f', 3, { actor: h.actor('b') }), 'locked');
  });

  it('forgets a lock that has expired, and refreshes and removes only for its holder', async () => {
    const h = hand();
    const file = await h.put(h.root, 'f');
    const { id: spaceId } = h.space;
    await h.lock(file.id, 't', { expiresAt: NOON + 60_000 });
    const refresh = { op: 'refresh-lock', spaceId, token: 't', expiresAt: NOON + 90_000 } as const;
    await refused(h.store.commit({ ...refresh, actor: h.ben() }), 'denied');
    await refused(h.store.commit({ op: 'remove-lock', spaceId, token: 't', actor: h.ben() }),
      'denied');
    await h.store.commit({ ...refresh, actor: h.actor() });
    h.at = NOON + 80_000;
    await refused(h.put(h.root, 'f', 1), 'locked');
    h.at = NOON + 90_000;
    await h.put(h.root, 'f', 1);
    assert.deepEqual(await h.store.listLocks(spaceId, h.at), []);
    await refused(h.store.commit({ ...refresh, actor: h.actor() }), 'not-found');
    await h.lock(file.id, 't');
    await h.store.commit({ op: 'remove-lock', spaceId, token: 't', actor: h.actor() });
    await h.put(h.root, 'f', 2);
  });

  it('lets the holder of a person\'s lock work on without its token, and nobody else', async () => {
    const h = hand();
    const file = await h.put(h.root, 'f');
    const token = newLockToken('person', NOON, Buffer.alloc(10, 1));
    await h.lock(file.id, token);
    await h.put(h.root, 'f', 1);
    await refused(h.put(h.root, 'f', 2, { actor: h.ben(token) }), 'locked');
    await refused(h.lock(file.id, 'other'), 'locked');
  });

  it('removes the lock of somebody else only for who breaks it', async () => {
    const h = hand();
    const file = await h.put(h.root, 'f');
    await h.lock(file.id, 't');
    const remove = { op: 'remove-lock', spaceId: h.space.id, token: 't' } as const;
    await refused(h.store.commit({ ...remove, breaks: false, actor: h.ben() }), 'denied');
    await h.store.commit({ ...remove, breaks: true, actor: h.ben() });
    await h.put(h.root, 'f', 1, { actor: h.ben() });
  });

  it('drops the locks of what is deleted, moved or replaced', async () => {
    const h = hand();
    const a = await h.put(h.root, 'a');
    const b = await h.put(h.root, 'b');
    await h.lock(a.id, 'ta');
    await h.lock(b.id, 'tb');
    await h.move(a.id, h.root, 'b', { replace: true, actor: h.actor('ta', 'tb') });
    assert.deepEqual(await h.store.listLocks(h.space.id, h.at), []);
    await h.lock(a.id, 'tc');
    await h.delete(a.id, h.actor('tc'));
    assert.deepEqual(await h.store.listLocks(h.space.id, h.at), []);
    await refused(h.lock(a.id, 'td'), 'not-found');
  });
}

export function testProperties(hand: () => Hand): void {
  it('sets and removes dead properties as a whole, in the order of their names', async () => {
    const h = hand();
    const file = await h.put(h.root, 'f');
    const { id: spaceId } = h.space;
    const set = [
      { namespace: 'b', name: 'x', xml: '<i xmlns="">1</i>' },
      { namespace: '', name: 'z', xml: '\u{1F600}' },
      { namespace: 'b', name: 'a', xml: '' },
    ];
    const base = { op: 'set-properties', spaceId, nodeId: file.id } as const;
    await h.store.commit({ ...base, set, remove: [], actor: h.actor() });
    const changed = { namespace: 'b', name: 'x', xml: 'new' };
    await h.store.commit({
      ...base, set: [changed], remove: [changed, { namespace: 'b', name: 'a' }], actor: h.actor(),
    });
    const kept = [set[1], changed];
    assert.deepEqual(await h.store.listProperties(spaceId, file.id), kept);
    const tooMuch = { namespace: 'n', name: 'n', xml: 'x'.repeat(PROPERTIES_BYTES_MAX) };
    await refused(h.store.commit({
      ...base, set: [tooMuch], remove: [changed], actor: h.actor(),
    }), 'too-large');
    assert.deepEqual(await h.store.listProperties(spaceId, file.id), kept);
    assert.deepEqual(await h.find('f'), file);
  });
}

export function testUploads(hand: () => Hand): void {
  const begin = (uploadId: string, expiresAt = NOON + 1_000): BeginUpload => ({
    op: 'begin-upload', owner: ANNA, uploadId, totalBytes: 9, at: NOON, expiresAt,
  });
  const part = (uploadId: string, number: number, sizeBytes: number): PutPart => ({
    op: 'put-part', owner: ANNA, uploadId, number, name: `p${number}`, sizeBytes,
    manifest: Buffer.from([number, sizeBytes]), expiresAt: NOON + 2_000,
  });

  it('keeps the parts of an upload by number, and replaces a part that comes again', async () => {
    const { store } = hand();
    assert.equal((await store.commit(begin('u'))).created, true);
    for (const [number, size] of [[10, 1], [2, 2], [10, 3]] as const) {
      await store.commit(part('u', number, size));
    }
    assert.equal((await store.commit(begin('u', NOON + 5_000))).created, false);
    const parts = await store.listParts(ANNA, 'u');
    assert.deepEqual(parts.map(({ number, sizeBytes, name }) => [number, sizeBytes, name]),
      [[2, 2, 'p2'], [10, 3, 'p10']]);
    assert.deepEqual([...parts[1]?.manifest ?? []], [10, 3]);
    const upload = await store.findUpload(ANNA, 'u');
    assert.deepEqual([upload?.totalBytes, upload?.expiresAt, upload?.result],
      [9, NOON + 5_000, undefined]);
    await refused(store.commit(part('other', 1, 1)), 'not-found');
    assert.equal(await store.findUpload(BEN, 'u'), undefined);
    await store.commit({ op: 'drop-upload', owner: ANNA, uploadId: 'u' });
    await store.commit({ op: 'drop-upload', owner: ANNA, uploadId: 'u' });
    assert.equal(await store.findUpload(ANNA, 'u'), undefined);
    assert.deepEqual(await store.listParts(ANNA, 'u'), []);
  });

  it('ends an upload in the transaction that makes its file, and remembers it', async () => {
    const h = hand();
    const upload = { owner: ANNA, uploadId: 'u' };
    await refused(h.put(h.root, 'f', 9, { upload }), 'not-found', 'upload-missing');
    await h.store.commit(begin('u'));
    await h.store.commit(part('u', 1, 9));
    await refused(h.put(999 as never, 'f', 9, { upload }), 'conflict');
    assert.equal((await h.store.listParts(ANNA, 'u')).length, 1);
    const file = await h.put(h.root, 'f', 9, { upload });
    assert.deepEqual((await h.store.findUpload(ANNA, 'u'))?.result,
      { spaceId: h.space.id, nodeId: file.id, mark: file.mark, created: true });
    assert.deepEqual(await h.store.listParts(ANNA, 'u'), []);
    await refused(h.put(h.root, 'f', 9, { upload }), 'conflict', 'upload-ended');
    await refused(h.store.commit(part('u', 2, 9)), 'not-found');
  });

  it('forgets uploads that have expired', async () => {
    const { store } = hand();
    await store.commit(begin('old', NOON - 1));
    await store.commit(begin('due', NOON));
    const { count } = await store.commit({ op: 'expire-uploads', at: NOON });
    assert.equal(count, 1);
    assert.equal(await store.findUpload(ANNA, 'old'), undefined);
    assert.notEqual(await store.findUpload(ANNA, 'due'), undefined);
  });

  it('bounds the uploads that one user has open', async () => {
    const { store } = hand();
    const numbers = Array.from({ length: UPLOADS_PER_USER_MAX }, (_, n) => n);
    const all = numbers.map((n) => store.commit(begin(`u${n}`)));
    await Promise.all(all);
    await refused(store.commit(begin('more')), 'too-large');
    await store.commit(begin('u7'));
    await store.commit({ ...begin('more'), owner: BEN });
  });
}
