import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parsePath } from '../../base/names.ts';
import { DEFAULT_TENANT } from '../../base/ids.ts';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import { LIST_PAGE_MAX } from '../metadata-store.ts';
import { Hand, NOON, refused } from './hand.ts';

export function testFiles(hand: () => Hand): void {
  it('keeps the trees of two spaces apart, whatever they have in common', async () => {
    const one = hand();
    const other = await Hand.on(one.store, { owner: 'somebody-else' });
    for (const h of [one, other]) {
      const box = await h.folder(h.root, 'box');
      await h.put(box.id, 'f', h === one ? 1 : 2);
    }
    for (const h of [one, other, one]) {
      assert.equal((await h.find(''))?.id, h.root);
      assert.equal((await h.find('box/f'))?.sizeBytes, h === one ? 1 : 2);
    }
    const stranger = await other.find('box/f');
    assert.equal(await one.store.findChain(one.space.id, stranger?.id ?? one.root), undefined);
  });

  it('makes a file, and answers it under its path, its id and its folder', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const file = await h.put(box.id, 'letter', 42, { modifiedAt: -5_000, checksums: 'SHA1:aa' });
    assert.deepEqual(await h.find('box/letter'), file);
    assert.deepEqual((await h.store.findChain(h.space.id, file.id))?.at(-1), file);
    assert.deepEqual(await h.list(box.id), [file]);
    const { sizeBytes, modifiedAt, checksums, parentId, kind } = file;
    assert.deepEqual({ sizeBytes, modifiedAt, checksums, parentId, kind },
      { sizeBytes: 42, modifiedAt: -5_000, checksums: 'SHA1:aa', parentId: box.id, kind: 'file' });
  });

  it('keeps the id of a file that gets new content, and keeps the old version', async () => {
    const h = hand();
    const first = await h.put(h.root, 'letter', 1);
    const result = await h.store.commit(h.putChange(h.root, 'letter', 2));
    assert.equal(result.created, false);
    assert.equal(result.node?.id, first.id);
    const versions = await h.store.listVersions(h.space.id, first.id);
    assert.deepEqual(versions.map((each) => each.sizeBytes), [2, 1]);
    const old = await h.store.getVersion(h.space.id, first.id, first.contentRev);
    assert.equal(Buffer.from(old.manifest).toString(), 'letter:1');
    await refused(h.store.getVersion(h.space.id, first.id, 999), 'not-found');
  });

  it('changes the mark of every folder above a change, and of no other', async () => {
    const h = hand();
    const left = await h.folder(h.root, 'left');
    const inner = await h.folder(left.id, 'inner');
    const right = await h.folder(h.root, 'right');
    const file = await h.put(inner.id, 'f', 7);
    const chain = await h.resolve('left/inner/f');
    assert.deepEqual(chain.map(({ mark }) => mark), Array(4).fill(file.mark));
    assert.deepEqual(chain.map(({ sizeBytes }) => sizeBytes), [7, 7, 7, 7]);
    assert.equal(chain[1]?.modifiedAt, h.at);
    assert.equal((await h.find('right'))?.mark, right.mark);
  });

  it('refuses a file where its folder is missing, or is a file', async () => {
    const h = hand();
    const file = await h.put(h.root, 'f');
    await refused(h.put(999 as never, 'x'), 'conflict', 'parent-missing');
    await refused(h.put(file.id, 'x'), 'conflict', 'parent-missing');
    const folder = await h.folder(h.root, 'box');
    await h.delete(folder.id);
    await refused(h.put(folder.id, 'x'), 'conflict', 'parent-missing');
    await refused(h.put(h.root, 'f', 1, { expect: 'absent' }), 'precondition');
  });

  it('refuses what its caller expected otherwise, and changes nothing', async () => {
    const h = hand();
    const file = await h.put(h.root, 'f', 1);
    const rev = await h.rev();
    const stale = { nodeId: file.id, mark: file.mark - 1 };
    await refused(h.put(h.root, 'f', 2, { expect: stale }), 'precondition', 'changed');
    await refused(h.put(h.root, 'g', 2, { expect: { nodeId: file.id, mark: file.mark } }),
      'precondition');
    assert.equal(await h.rev(), rev);
    assert.deepEqual(await h.find('f'), file);
    await h.put(h.root, 'f', 2, { expect: { nodeId: file.id, mark: file.mark } });
    assert.equal(await h.used(), 2);
  });

  it('keeps names byte for byte, and finds them by their canonical form', async () => {
    const h = hand();
    const composed = 'caf\u00e9';
    const decomposed = 'cafe\u0301';
    const names = [composed, '\u{1F469}\u200D\u{1F680} moon', 'a'.repeat(255), '\u6c34'.repeat(85),
      ' lead', 'trail. ', 'q?"*<>|:\\'];
    for (const name of names) await h.put(h.root, name);
    assert.deepEqual((await h.names(h.root)).toSorted(), names.toSorted());
    assert.equal((await h.find(decomposed))?.name, composed);
    await refused(h.put(h.root, decomposed), 'conflict', 'name-clash');
    await refused(h.folder(h.root, decomposed), 'conflict', 'name-clash');
    await h.put(h.root, 'CAFE');
    await h.put(h.root, 'cafe');
  });

  it('refuses a folder over a file, a file over a folder, a folder twice', async () => {
    const h = hand();
    await h.put(h.root, 'f');
    await h.folder(h.root, 'd');
    await refused(h.folder(h.root, 'f'), 'exists');
    await refused(h.folder(h.root, 'd'), 'exists');
    await refused(h.put(h.root, 'd'), 'conflict', 'is-folder');
  });

  it('refuses to nest deeper than a path can be', async () => {
    const h = hand();
    let parent = h.root;
    for (let depth = 1; depth <= 128; depth += 1) parent = (await h.folder(parent, 'd')).id;
    await refused(h.folder(parent, 'd'), 'invalid', 'path-too-deep');
    await refused(h.put(parent, 'f'), 'invalid', 'path-too-deep');
    assert.equal((await h.store.findChain(h.space.id, parent))?.length, 129);
  });

  it('refuses numbers that it could not keep', async () => {
    const h = hand();
    await refused(h.put(h.root, 'f', 1.5), 'invalid');
    await refused(h.put(h.root, 'f', -1), 'invalid');
    await refused(h.put(h.root, 'f', 1, { modifiedAt: Number.NaN }), 'invalid');
    await refused(h.put(h.root, 'f', 1, { modifiedAt: 8.64e15 + 1 }), 'invalid');
    await h.put(h.root, 'f', 1, { modifiedAt: -8.64e15 });
  });

  it('sets times without a version, and checksums without an event', async () => {
    const h = hand();
    const file = await h.put(h.root, 'f', 3);
    const { id: spaceId } = h.space;
    const timed = await h.made({
      op: 'set-times', spaceId, nodeId: file.id, modifiedAt: 5, actor: h.actor(),
    });
    assert.deepEqual([timed.modifiedAt, timed.createdAt], [5, file.createdAt]);
    assert.equal(timed.mark, file.mark + 1);
    const change = { op: 'set-checksums', spaceId, nodeId: file.id, checksums: 'MD5:00' } as const;
    const summed = await h.made({ ...change, contentRev: file.contentRev });
    assert.deepEqual(summed, { ...timed, checksums: 'MD5:00' });
    assert.equal(await h.rev(), timed.mark);
    const [version, ...older] = await h.store.listVersions(spaceId, file.id);
    assert.deepEqual([version?.checksums, version?.modifiedAt, older.length], ['MD5:00', 5, 0]);
    await refused(h.store.commit({ ...change, contentRev: 77 }), 'not-found');
    const folder = await h.folder(h.root, 'd');
    const dated = await h.made({
      op: 'set-times', spaceId, nodeId: folder.id, createdAt: 1, modifiedAt: 2, actor: h.actor(),
    });
    assert.deepEqual([dated.createdAt, dated.modifiedAt], [1, 2]);
    assert.deepEqual(await h.find('d'), dated);
  });
}

export function testListing(hand: () => Hand): void {
  it('lists members by canonical name in the order of code points, in pages', async () => {
    const h = hand();
    const names = ['\u{1F600}', '\uFF21', 'b', 'B', '\u00e9', 'a1', 'a'];
    for (const name of names) await h.put(h.root, name);
    const wanted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual(await h.names(h.root), wanted);
    const big = await h.folder(h.root, 'big');
    const changes = Array.from({ length: LIST_PAGE_MAX + 3 }, (_, n) =>
      h.put(big.id, `n${String(n).padStart(4, '0')}`));
    await Promise.all(changes);
    const sizes = [];
    for await (const page of h.store.listFolder(h.space.id, big.id)) sizes.push(page.length);
    assert.deepEqual(sizes, [LIST_PAGE_MAX, 3]);
  });

  it('lists a folder from behind a name, in pages as small as they are wanted', async () => {
    const h = hand();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await h.put(h.root, name);
    const pagesOf = async (options: { after?: string; pageMax?: number }): Promise<string[]> => {
      const pages = [];
      for await (const page of h.store.listFolder(h.space.id, h.root, options)) {
        pages.push(page.map(({ name }) => name).join(''));
      }
      return pages;
    };
    assert.deepEqual(await pagesOf({ after: 'b', pageMax: 2 }), ['cd', 'e']);
    assert.deepEqual(await pagesOf({ after: 'bb' }), ['cde']);
    assert.deepEqual(await pagesOf({ after: 'e' }), []);
    assert.deepEqual(await pagesOf({ pageMax: 5 }), ['abcde']);
  });

  it('lists a folder as of one moment, whatever changes meanwhile', async () => {
    const h = hand();
    const big = await h.folder(h.root, 'big');
    const names = Array.from({ length: 5 * LIST_PAGE_MAX + 10 }, (_, n) => `n${1000 + n}`);
    const files = await Promise.all(names.map((name) => h.put(big.id, name)));
    const seen: string[] = [];
    let isFirst = true;
    for await (const page of h.store.listFolder(h.space.id, big.id)) {
      seen.push(...page.map(({ name }) => name));
      if (!isFirst) continue;
      isFirst = false;
      await h.delete(files.at(-1)?.id ?? h.root);
      await h.put(big.id, 'n9999');
      await h.delete(big.id);
    }
    assert.deepEqual(seen, names);
  });

  it('ends a listing at once when its signal fires', async () => {
    const h = hand();
    const names = Array.from({ length: LIST_PAGE_MAX + 1 }, (_, n) => `n${n}`);
    await Promise.all(names.map((name) => h.put(h.root, name)));
    const gone = new Error('gone');
    const stop = new AbortController();
    const { signal } = stop;
    await assert.rejects(async () => {
      for await (const _ of h.store.listFolder(h.space.id, h.root, { signal })) stop.abort(gone);
    }, gone);
    await assert.rejects(async () => {
      for await (const _ of h.store.listFolder(h.space.id, h.root, { signal })) assert.fail();
    }, gone);
  });

  it('lists folders within the listings of others, however deep', async () => {
    const h = hand();
    let deepest = h.root;
    for (let depth = 0; depth < 30; depth += 1) deepest = (await h.folder(deepest, 'd')).id;
    const walk = async (folderId: NodeId): Promise<number> => {
      let count = 0;
      for await (const page of h.store.listFolder(h.space.id, folderId)) {
        for (const { id } of page) count += 1 + await walk(id);
      }
      return count;
    };
    assert.equal(await walk(h.root), 30);
  });

  it('lists neither a file nor a folder that is gone', async () => {
    const h = hand();
    const file = await h.put(h.root, 'f');
    const outer = await h.folder(h.root, 'outer');
    const inner = await h.folder(outer.id, 'inner');
    await h.delete(outer.id);
    for (const id of [file.id, outer.id, inner.id]) await refused(h.list(id), 'not-found');
    await refused(h.store.resolve(999 as SpaceId, []), 'not-found');
    await refused(h.store.getSpace(999 as SpaceId), 'not-found');
    assert.equal(await h.store.findChain(999 as SpaceId, h.root), undefined);
  });

  it('answers as far as a path goes, and ends at a file', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const file = await h.put(box.id, 'f');
    const lengths = [];
    for (const path of [[], ['box'], ['box', 'f'], ['box', 'f', 'x'], ['box', 'x', 'f'], ['x']]) {
      lengths.push((await h.store.resolve(h.space.id, parsePath(path))).length);
    }
    assert.deepEqual(lengths, [1, 2, 3, 3, 2, 1]);
    assert.equal((await h.resolve('box/f')).at(-1)?.id, file.id);
    const [root] = await h.resolve('');
    assert.deepEqual([root?.parentId, root?.name, root?.id], [undefined, '', h.root]);
  });

  it('adds dead properties to a listing that asks for them', async () => {
    const h = hand();
    const file = await h.put(h.root, 'f');
    await h.put(h.root, 'g');
    await h.setProperty(file.id, 'colour', '<b/>');
    const [first, second] = await h.list(h.root, true);
    assert.deepEqual(first?.properties, [{ namespace: 'urn:x', name: 'colour', xml: '<b/>' }]);
    assert.deepEqual(second?.properties, []);
    assert.equal((await h.list(h.root))[0]?.properties, undefined);
  });
}

export function testJournal(hand: () => Hand): void {
  it('notes every change under a revision of its own, without gaps', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    const file = await h.put(box.id, 'f', 5);
    await h.put(box.id, 'f', 6);
    await h.move(file.id, h.root, 'g');
    await h.setProperty(file.id, 'p', 'x');
    const deletedRev = await h.delete(file.id);
    await h.store.commit(h.restoreChange(file.id, deletedRev, box.id, 'back'));
    const events = await h.store.listEvents(h.space.id, 0, 100);
    assert.deepEqual(events.map(({ rev, kind }) => `${rev} ${kind}`), ['1 create', '2 create',
      '3 update', '4 move', '5 properties', '6 delete', '7 restore']);
    const { parentBefore, parentAfter, nameBefore, nameAfter, by, device } = events[3] ?? {};
    assert.deepEqual({ parentBefore, parentAfter, nameBefore, nameAfter, by, device }, {
      parentBefore: box.id, parentAfter: h.root, nameBefore: 'f', nameAfter: 'g', by: 'anna',
      device: 'desk',
    });
    assert.equal(events[5]?.parentAfter, undefined);
    assert.equal(events[6]?.parentBefore, undefined);
    assert.deepEqual(await h.store.listEvents(h.space.id, 4, 2), events.slice(4, 6));
    await refused(h.store.listEvents(h.space.id, 0, 2_001), 'invalid');
    assert.equal((await h.store.getSpace(h.space.id)).rev, 7);
  });

  it('makes a personal space once, and keeps spaces apart', async () => {
    const h = hand();
    const wanted = {
      tenant: DEFAULT_TENANT, owner: 'carl' as never, casePolicy: 'sensitive', quotaBytes: 9,
      at: NOON,
    };
    const made = await Promise.all([1, 2, 3].map(() => h.store.ensureSpace(wanted as never)));
    assert.equal(new Set(made.map(({ id }) => id)).size, 1);
    const [other] = made;
    assert.ok(other !== undefined && other.id !== h.space.id && other.rootId !== h.root);
    assert.deepEqual([other.quotaBytes, other.rev, other.usedBytes], [9, 0, 0]);
    await refused(h.put(other.rootId, 'f'), 'conflict', 'parent-missing');
    assert.equal(await h.store.findChain(h.space.id, other.rootId), undefined);
  });

  it('keeps for each volume the largest mark that a committed change brought', async () => {
    const h = hand();
    await h.put(h.root, 'a', 1, { witness: [[1, 100], [2, 50]] });
    await h.put(h.root, 'b', 1, { witness: [[2, 40], [7, 0]] });
    await refused(h.put(999 as never, 'c', 1, { witness: [[1, 900]] }), 'conflict');
    assert.deepEqual(await h.store.readWitness(), [[1, 100], [2, 50], [7, 0]]);
  });

  it('refuses everything once it is closed, and closes twice calmly', async () => {
    const h = hand();
    await h.store.close();
    await h.store.close();
    await refused(h.put(h.root, 'f'), 'unavailable');
    await refused(h.resolve(''), 'unavailable');
    await refused(h.list(h.root), 'unavailable');
  });
}
