import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Caller } from '../../identity/index.ts';
import { HoldfastError } from '../../base/errors.ts';
import { bodyOf } from '../body.ts';
import { etagOf } from '../etag.ts';
import { anna, ben, failsWith, pathOf } from '../testing/share-site.ts';
import type { SeenNode } from '../view/sight.ts';
import { BrakeSite, laptop, phone } from './testing/brake-site.ts';

/** Old files a to f, with the brake at three. */
async function siteWithFiles(): Promise<BrakeSite> {
  const site = new BrakeSite();
  for (const name of 'abcdef') await site.write(phone, name);
  await site.folder(phone, 'box');
  for (const name of ['one', 'two']) await site.write(phone, `box/${name}`);
  site.age();
  return site;
}

/** The laptop has gone over the limit; what it does next is held. */
async function braked(): Promise<BrakeSite> {
  const site = await siteWithFiles();
  for (const name of 'abcd') await site.remove(laptop, name);
  return site;
}

const REST = ['box/', 'box/one = box/one', 'box/two = box/two'];

describe('A device that deletes or overwrites more than the policy allows', () => {
  it('sees all of it done, while everybody else keeps what was there', async () => {
    const site = await braked();
    assert.deepEqual(await site.tree(laptop), [...REST, 'e = e', 'f = f']);
    assert.deepEqual(await site.tree(phone), [...REST, 'd = d', 'e = e', 'f = f']);
    assert.equal(site.opened.length, 1);
    const { device, heldCount, state } = await site.only();
    assert.deepEqual([device, heldCount, state], ['laptop', 1, 'open']);
  });

  it('goes on, and everything else that it does is there for all', async () => {
    const site = await braked();
    const before = await site.etag(phone, 'e');
    const own = await site.write(laptop, 'e', 'scrambled');
    assert.equal(await site.etag(laptop, 'e'), own);
    assert.equal(await site.etag(phone, 'e'), before);
    await site.write(laptop, 'new', 'new');
    await site.move(laptop, 'f', 'g');
    await site.remove(laptop, 'box');
    assert.deepEqual(await site.tree(laptop), ['e = scrambled', 'g = f', 'new = new']);
    assert.deepEqual(await site.tree(phone), [...REST, 'd = d', 'e = e', 'g = f', 'new = new']);
  });

  it('finds nothing below a folder that is held as deleted', async () => {
    const site = await braked();
    await site.remove(laptop, 'box');
    await assert.rejects(site.etag(laptop, 'box/one'), failsWith('not-found'));
    await assert.rejects(site.remove(laptop, 'box'), failsWith('not-found'));
    await assert.rejects(site.write(laptop, 'box/three'), failsWith('conflict', 'parent-missing'));
    await site.write(phone, 'box/three');
    await assert.rejects(site.etag(laptop, 'box/three'), failsWith('not-found'));
  });

  it('is not stopped by what it makes and removes itself', async () => {
    const site = await siteWithFiles();
    for (let n = 0; n < 20; n += 1) {
      await site.write(laptop, 'draft', `${n}`);
      await site.remove(laptop, 'draft');
    }
    for (let n = 0; n < 20; n += 1) await site.write(laptop, 'a', `${n}`);
    assert.equal(site.opened.length, 0);
    const held = await braked();
    await held.write(laptop, 'draft', 'one');
    await held.write(laptop, 'draft', 'two');
    assert.ok((await held.tree(phone)).includes('draft = two'));
    await held.remove(laptop, 'draft');
    assert.ok(!(await held.tree(phone)).includes('draft = two'));
  });

  it('is not believed either about what it has made itself long ago', async () => {
    const site = new BrakeSite();
    for (const name of 'abcde') await site.write(laptop, name);
    site.age();
    for (const name of 'abcde') await site.remove(laptop, name);
    assert.deepEqual(await site.tree(phone), ['d = d', 'e = e']);
  });

  it('is held back in a space of others too, and sees that by the ETags of its own', async () => {
    const site = new BrakeSite();
    await site.folder(phone, 'team');
    for (const name of 'abcde') await site.write(phone, `team/${name}`);
    await site.site.grant(anna, 'team', 'ben', 'editor');
    site.age();
    const bens: Caller = { ...ben, device: 'desk', deviceId: 'c3' };
    for (const name of 'abcd') await site.remove(bens, `team/${name}`);
    const seen = [await site.etag(bens), await site.etag(bens, 'team')];
    assert.deepEqual(await site.tree(bens), ['team/', 'team/e = team/e']);
    assert.deepEqual(await site.tree(ben), ['team/', 'team/d = team/d', 'team/e = team/e']);
    assert.deepEqual(await site.tree(ben), await site.tree(phone));
    await assert.rejects(site.service.undo(1, { user: ben.user, device: '', isAdmin: false }),
      failsWith('denied'));
    await site.undo();
    assert.deepEqual(await site.tree(bens), await site.tree(ben));
    for (const [at, path] of ['', 'team'].entries()) {
      assert.notEqual(await site.etag(bens, path), seen[at], path);
    }
  });

  it('is stopped before a folder with too much in it goes', async () => {
    const site = new BrakeSite();
    await site.folder(phone, 'big');
    await site.folder(phone, 'big/deep');
    for (const name of 'abcd') await site.write(phone, `big/deep/${name}`);
    site.age();
    await site.remove(laptop, 'big');
    assert.deepEqual(await site.tree(laptop), []);
    assert.equal((await site.tree(phone)).length, 6);
  });

  it('may write the bytes again that are there', async () => {
    const site = await siteWithFiles();
    for (const name of 'abcdef') await site.write(laptop, name, name);
    assert.equal(site.opened.length, 0);
    const held = await braked();
    await held.write(laptop, 'e', 'e');
    assert.equal((await held.only()).heldCount, 1);
  });

  it('uploads in pieces, sets times and states conditions as ever', async () => {
    const site = await braked();
    const { files, uploads } = site;
    const body = (text: string) => bodyOf(Buffer.from(text));
    await uploads.begin(laptop, 'u', 4);
    await uploads.putPart(laptop, { uploadId: 'u', name: '1' }, body('long'));
    const path = pathOf('e');
    const first = await uploads.finish(laptop, 'u', path);
    assert.deepEqual(await uploads.finish(laptop, 'u', path), first);
    assert.equal(etagOf(first.node), await site.etag(laptop, 'e'));
    const timed = await files.setTimes(laptop, path, { modifiedAt: 5_000 });
    assert.equal(timed.modifiedAt, 5_000);
    assert.notEqual(await site.etag(laptop, 'e'), etagOf(first.node));
    const { checksum } = await files.computeChecksum(laptop, path, 'SHA1');
    assert.match(checksum.hex, /^[0-9a-f]{40}$/);
    const asSeen = (etag: string) => (current: SeenNode | undefined) => {
      if (current === undefined || etagOf(current) !== etag) {
        throw new HoldfastError('precondition', 'test', 'It has changed.');
      }
    };
    const stale = { condition: asSeen(etagOf(first.node)) };
    await assert.rejects(files.upload(laptop, path, body('x'), stale), failsWith('precondition'));
    const fresh = { condition: asSeen(await site.etag(laptop, 'e')) };
    await files.upload(laptop, path, body('right'), fresh);
    assert.ok((await site.tree(laptop)).includes('e = right'));
    assert.ok((await site.tree(phone)).includes('e = e'));
    await site.keep();
    const { node } = await files.get(phone, path);
    assert.equal(node.sizeBytes, 5);
  });

  it('may do as much as it likes over a longer time', async () => {
    const site = await siteWithFiles();
    for (const name of 'abcdef') {
      await site.remove(laptop, name);
      site.age();
    }
    assert.deepEqual(await site.tree(phone), REST);
    assert.equal(site.opened.length, 0);
  });

  it('puts a file back under the name of one that is held as deleted', async () => {
    const site = await braked();
    await site.write(laptop, 'd', 'again');
    assert.deepEqual(await site.tree(laptop), [...REST, 'd = again', 'e = e', 'f = f']);
    assert.ok((await site.tree(phone)).includes('d = d'));
    await site.remove(laptop, 'd');
    assert.deepEqual(await site.tree(laptop), [...REST, 'e = e', 'f = f']);
  });

  it('makes a folder anew that is held as deleted, and finds it empty', async () => {
    const site = await braked();
    await site.remove(laptop, 'box');
    await site.folder(laptop, 'box');
    assert.deepEqual(await site.tree(laptop), ['box/', 'e = e', 'f = f']);
    await site.write(laptop, 'box/two', 'other');
    assert.deepEqual(await site.tree(laptop), ['box/', 'box/two = other', 'e = e', 'f = f']);
    assert.deepEqual(await site.tree(phone), [...REST, 'd = d', 'e = e', 'f = f']);
  });

  it('moves and copies files onto others', async () => {
    const site = await braked();
    await site.write(laptop, 'tmp', 'saved');
    await site.move(laptop, 'tmp', 'e');
    await site.copy(laptop, 'f', 'd');
    await site.move(laptop, 'box/one', 'box/two');
    assert.deepEqual(await site.tree(laptop),
      ['box/', 'box/two = box/one', 'd = f', 'e = saved', 'f = f']);
    assert.deepEqual(await site.tree(phone), [...REST, 'd = d', 'e = e', 'f = f']);
    await site.copy(laptop, 'e', 'e2');
    assert.ok((await site.tree(phone)).includes('e2 = saved'));
  });

  it('is refused softly where its view and the tree cannot both have their way', async () => {
    const site = await braked();
    await site.remove(laptop, 'box');
    const softly = failsWith('locked', 'held-clash');
    await assert.rejects(site.write(laptop, 'box', 'a file'), softly);
    await assert.rejects(site.folder(laptop, 'd'), softly);
    await assert.rejects(site.move(laptop, 'e', 'box'), softly);
    assert.deepEqual(await site.tree(laptop), ['e = e', 'f = f']);
  });

  it('notices by the ETags of folders whatever changes its view, also the decision', async () => {
    const site = await braked();
    const seen = new Set<string>();
    const look = async (): Promise<void> => {
      for (const path of ['', 'box']) seen.add(await site.etag(laptop, path));
    };
    await look();
    await site.remove(laptop, 'box/one');
    await look();
    await site.write(laptop, 'box/two', 'x');
    await look();
    const before = await site.etag(phone, 'box');
    await site.undo();
    await look();
    assert.equal(seen.size, 8);
    assert.equal(await site.etag(phone, 'box'), before);
  });

  it('sees the same after a restart', async () => {
    const site = await braked();
    await site.write(laptop, 'e', 'scrambled');
    await site.remove(laptop, 'box');
    const outline = await site.outline(laptop);
    assert.equal(outline.length, 3);
    const again = new BrakeSite({ metadata: site.metadata });
    await again.quarantines.load();
    assert.deepEqual(await again.outline(laptop), outline);
    await again.undo();
    const after = await again.outline(laptop);
    const third = new BrakeSite({ metadata: site.metadata });
    await third.quarantines.load();
    assert.notDeepEqual(await third.outline(laptop), outline);
    assert.equal((await third.outline(laptop)).length, after.length);
  });
});

describe('The decision', () => {
  it('to undo shows the device what everybody sees, and counts anew', async () => {
    const site = await braked();
    await site.write(laptop, 'e', 'scrambled');
    await site.undo();
    assert.deepEqual(await site.tree(laptop), await site.tree(phone));
    assert.deepEqual(await site.tree(phone), [...REST, 'd = d', 'e = e', 'f = f']);
    await site.remove(laptop, 'd');
    assert.ok(!(await site.tree(phone)).includes('d = d'));
    assert.equal((await site.only()).state, 'undone');
    await assert.rejects(site.undo(), failsWith('conflict', 'quarantine-decided'));
  });

  it('to undo can be taken back: what the device had done is kept after all', async () => {
    const site = await braked();
    await site.write(laptop, 'e', 'scrambled');
    await site.write(laptop, 'box/one', 'goes with its folder');
    await site.remove(laptop, 'box');
    const wanted = await site.tree(laptop);
    await site.undo();
    const undone = await site.outline(laptop);
    assert.deepEqual(await site.tree(laptop), await site.tree(phone));
    const again = new BrakeSite({ metadata: site.metadata });
    await again.quarantines.load();
    assert.equal((await again.outline(laptop)).length, undone.length, 'also after a restart');
    const { doneCount, skippedCount } = await site.keep();
    assert.deepEqual([doneCount, skippedCount], [3, 0]);
    assert.deepEqual(await site.tree(phone), wanted);
    assert.deepEqual(await site.tree(laptop), wanted);
    assert.deepEqual([(await site.only()).state, site.quarantines.openCount], ['kept', 0]);
  });

  it('to undo is not taken back while the device is held back again', async () => {
    const site = await braked();
    await site.write(laptop, 'f', 'scrambled');
    await site.undo();
    for (const name of ['d', 'e', 'box/one', 'f']) await site.remove(laptop, name);
    const owner = { user: laptop.user, device: '', isAdmin: false };
    await assert.rejects(site.service.keep(1, owner), failsWith('conflict', 'quarantine-open'));
    await site.service.undo(2, owner);
    const { id } = await site.service.keep(1, owner);
    await site.batches.settled(id);
    assert.ok((await site.tree(phone)).includes('f = scrambled'));
  });

  it('to keep makes for everybody what the device saw', async () => {
    const site = await braked();
    await site.write(laptop, 'e', 'scrambled');
    await site.remove(laptop, 'box');
    const wanted = await site.tree(laptop);
    const { doneCount, skippedCount, batchId } = await site.keep();
    assert.deepEqual([doneCount, skippedCount], [3, 0]);
    assert.deepEqual(await site.tree(phone), wanted);
    assert.deepEqual(await site.tree(laptop), wanted);
    assert.equal((await site.only()).state, 'kept');
    const undo = await site.batches.undo(batchId, { user: laptop.user, device: 'd' });
    await site.batches.settled(undo.id);
    assert.deepEqual(await site.tree(phone), [...REST, 'd = d', 'e = e', 'f = f']);
  });

  it('to keep overwrites and deletes nothing that others have changed since', async () => {
    const site = await braked();
    await site.write(laptop, 'e', 'of the laptop');
    await site.remove(laptop, 'f');
    await site.remove(laptop, 'box');
    await site.write(phone, 'e', 'of the phone');
    await site.write(phone, 'f', 'of the phone');
    await site.write(phone, 'box/three', 'new');
    const { skippedCount } = await site.keep();
    assert.equal(skippedCount, 3);
    assert.deepEqual(await site.tree(phone), [
      'box/', 'box/three = new', 'e = of the phone',
      'e (held 2026-11-21) = of the laptop', 'f = of the phone',
    ]);
    assert.deepEqual(await site.tree(laptop), await site.tree(phone));
  });

  it('to keep leaves held what is locked, and can be made again', async () => {
    const site = await braked();
    await site.write(laptop, 'e', 'scrambled');
    const { node } = await site.files.get(phone, ['e'] as never);
    const actor = { user: phone.user, device: 'phone', at: site.site.now, lockTokens: [] };
    const token = 'opaquelocktoken:00000000-0000-7000-8000-000000000000';
    await site.metadata.commit({
      op: 'add-lock', actor, lock: {
        token, spaceId: node.spaceId, nodeId: node.id, scope: 'exclusive', depth: '0', ownerXml: '',
        holder: phone.user, expiresAt: site.site.now + 1_000_000,
      },
    });
    await site.keep();
    const { state, heldCount } = await site.only();
    assert.deepEqual([state, heldCount], ['open', 1]);
    assert.ok((await site.tree(laptop)).includes('e = scrambled'));
    await site.metadata.commit({ op: 'remove-lock', spaceId: node.spaceId, token, actor });
    await site.keep();
    assert.equal((await site.only()).state, 'kept');
    assert.ok((await site.tree(phone)).includes('e = scrambled'));
  });

  it('is for the owner and for administrators', async () => {
    const site = await braked();
    const { id } = await site.only();
    const ben = { user: 'ben' as never, device: '', isAdmin: false };
    await assert.rejects(site.service.keep(id, ben), failsWith('denied'));
    await assert.rejects(site.service.undo(id, ben), failsWith('denied'));
    await site.service.undo(id, { ...ben, isAdmin: true });
    await assert.rejects(site.service.undo(99, ben), failsWith('not-found'));
  });
});
