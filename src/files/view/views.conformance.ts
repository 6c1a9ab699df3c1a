import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { MetadataStore } from '../../metadata/index.ts';
import { aimAt, mayReplace } from '../aim.ts';
import { bodyOf } from '../body.ts';
import type { BodySource } from '../body.ts';
import { parseChecksum } from '../checksums.ts';
import { etagOf } from '../etag.ts';
import type { Written } from '../found.ts';
import {
  anna, ben, callerNamed, carl, failsWith, pathOf, ShareSite,
} from '../testing/share-site.ts';
import { Views } from './views.ts';

const CREW = { kind: 'group' as const, id: 'crew' };
const dora = callerNamed('dora', ['crew'], 1);

let site: ShareSite;

/** By Ben, onto nothing. */
async function move(from: string, to: string): Promise<Written> {
  return site.files.move(ben, pathOf(from), pathOf(to), { replace: false });
}

/** What callers see, whoever keeps the records. */
export function testViews(name: string, open: () => Promise<MetadataStore>): void {
  describe(`views on ${name}`, () => {
    beforeEach(async () => {
      site = new ShareSite({ metadata: await open() });
      await fill();
    });
    afterEach(() => site.metadata.close());
    declareFolders();
    declareRoles();
    declareFiles();
    declareMoves();
    declareEtags();
  });
}

async function fill(): Promise<void> {
  await site.folder(anna, 'work');
  await site.folder(anna, 'work/plans');
  await site.write(anna, 'work/plans/one.txt', 'one');
  await site.write(anna, 'diary.txt', 'secret');
  await site.write(ben, 'mine.txt', 'mine');
}

function declareFolders(): void {
  describe('a shared folder', () => {
    it('appears in the tree of who received it, and shows nothing beside itself', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'viewer');
      assert.deepEqual(await site.names(ben), ['mine.txt', 'plans']);
      assert.equal(await site.read(ben, 'plans/one.txt'), 'one');
      await assert.rejects(site.read(ben, 'work/plans/one.txt'), failsWith('not-found'));
      await assert.rejects(site.read(ben, 'diary.txt'), failsWith('not-found'));
      await assert.rejects(site.read(carl, 'plans/one.txt'), failsWith('not-found'));
      assert.deepEqual(await site.names(anna), ['diary.txt', 'work']);
    });

    it('is found by its path at once, without a listing before', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'viewer');
      assert.equal(await site.read(ben, 'plans/one.txt'), 'one');
    });

    it('takes another name when its own is taken, and then the one that it is given', async () => {
      await site.folder(ben, 'plans');
      await site.grant(anna, 'work/plans', 'ben', 'viewer');
      assert.deepEqual(await site.names(ben), ['mine.txt', 'plans', 'plans (2)']);
      await move('plans (2)', 'plans/from anna');
      assert.equal(await site.read(ben, 'plans/from anna/one.txt'), 'one');
      assert.equal(await site.read(anna, 'work/plans/one.txt'), 'one', 'Anna keeps her name');
      const { node } = await site.files.get(ben, pathOf('plans/from anna'));
      assert.deepEqual([node.sight?.isMountRoot, node.sight?.isShared], [true, true]);
    });

    it('lets a viewer read, and nothing more', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'viewer');
      const denied = failsWith('denied');
      await assert.rejects(site.write(ben, 'plans/two.txt'), denied);
      await assert.rejects(site.write(ben, 'plans/one.txt'), denied);
      await assert.rejects(site.folder(ben, 'plans/new'), denied);
      await assert.rejects(site.files.remove(ben, pathOf('plans/one.txt')), denied);
      const move = (from: string, to: string) =>
        site.files.move(ben, pathOf(from), pathOf(to), { replace: true });
      await assert.rejects(move('plans/one.txt', 'plans/uno.txt'), denied);
      await assert.rejects(move('plans/one.txt', 'one.txt'), denied);
      await assert.rejects(move('mine.txt', 'plans/mine.txt'), denied);
      const times = site.files.setTimes(ben, pathOf('plans/one.txt'), { modifiedAt: 1 });
      await assert.rejects(times, denied);
      const set = { set: [{ namespace: 'x:', name: 'p', xml: '' }], remove: [] };
      await assert.rejects(site.files.setProperties(ben, pathOf('plans/one.txt'), set), denied);
      const lock = {
        token: 't', scope: 'exclusive' as const, depth: '0' as const, ownerXml: '',
        expiresAt: site.now + 1,
      };
      await assert.rejects(site.files.lock(ben, pathOf('plans/one.txt'), lock), denied);
      assert.deepEqual(await site.names(anna, 'work/plans'), ['one.txt']);
    });

    it('lets an uploader add, and neither overwrite nor take away', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'uploader');
      await site.write(ben, 'plans/two.txt', 'two');
      await site.folder(ben, 'plans/more');
      await assert.rejects(site.write(ben, 'plans/one.txt', 'changed'), failsWith('denied'));
      await assert.rejects(site.write(ben, 'plans/two.txt', 'changed'), failsWith('denied'));
      await assert.rejects(site.files.remove(ben, pathOf('plans/two.txt')), failsWith('denied'));
      assert.equal(await site.read(anna, 'work/plans/two.txt'), 'two');
    });

    it('lets an uploader replace nothing that another adds at the same moment', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'uploader');
      const views = new Views({ ...site, now: () => site.now });
      const target = await aimAt(views, ben, {
        path: pathOf('plans/two.txt'), deal: {}, replacing: 'delete',
      });
      assert.equal(await mayReplace(views, ben, target, true), false);
      await assert.rejects(site.files.lock(ben, pathOf('plans/two.txt'), {
        token: 'urn:uuid:1', scope: 'exclusive', depth: '0', ownerXml: '', expiresAt: site.now + 1,
      }), failsWith('denied'));
      assert.deepEqual(await site.names(ben, 'plans'), ['one.txt']);
    });

    it('takes no upload whose end comes after that of the share', async () => {
      const granted = await site.grant(anna, 'work/plans', 'ben', 'editor');
      const late: BodySource = {
        lengthBytes: undefined,
        pour: async (take) => {
          await take(Buffer.from('late'));
          await site.revoke(granted, anna);
        },
      };
      const upload = site.files.upload(ben, pathOf('plans/late.txt'), late);
      await assert.rejects(upload, failsWith('conflict', 'parent-missing'));
      assert.deepEqual(await site.names(anna, 'work/plans'), ['one.txt']);
    });

    it('lets an editor do everything but share, and counts the bytes where they live', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'editor');
      const before = await site.files.quota(ben);
      await site.write(ben, 'plans/one.txt', 'changed by ben');
      await site.write(ben, 'plans/sub.txt', 'new');
      await move('plans/sub.txt', 'plans/renamed.txt');
      await site.files.remove(ben, pathOf('plans/one.txt'));
      assert.deepEqual(await site.names(anna, 'work/plans'), ['renamed.txt']);
      assert.deepEqual(await site.files.quota(ben), before);
      const { node, access } = await site.files.get(ben, pathOf('plans'));
      assert.equal(access.share, false);
      assert.equal((await site.files.quota(ben, node)).usedBytes, 'secret'.length + 'new'.length);
    });

    it('takes uploads in pieces, and answers a repeated end the same', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'editor');
      await site.uploads.begin(ben, 'u1', 6);
      for (const [name, text] of [['0', 'abc'], ['1', 'def']] as const) {
        await site.uploads.putPart(ben, { uploadId: 'u1', name }, bodyOf(Buffer.from(text)));
      }
      const checksum = parseChecksum('SHA1:1f8ac10f23c5b5bc1167bda84b833e5c057a77d2');
      const finish = () => site.uploads.finish(ben, 'u1', pathOf('plans/pieces.bin'), { checksum });
      const first = await finish();
      const again = await finish();
      assert.equal(again.node.id, first.node.id);
      assert.equal(await site.read(anna, 'work/plans/pieces.bin'), 'abcdef');
    });

    it('keeps locks and properties for all who see it', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'editor');
      const lock = {
        token: 'opaquelocktoken:1', scope: 'exclusive' as const, depth: 'infinity' as const,
        ownerXml: '', expiresAt: site.now + 1000,
      };
      await site.files.lock(anna, pathOf('work'), lock);
      const [seen] = await site.files.listLocks(ben, pathOf('plans/one.txt'));
      assert.equal(seen?.token, lock.token, 'a lock from above the share covers it');
      await assert.rejects(site.write(ben, 'plans/one.txt'), failsWith('locked'));
      await site.files.unlock(anna, pathOf('work'), lock.token);
      await site.files.setProperties(ben, pathOf('plans/one.txt'), {
        set: [{ namespace: 'x:', name: 'p', xml: 'v' }], remove: [],
      });
      const { node } = await site.files.get(anna, pathOf('work/plans/one.txt'));
      const [property] = await site.files.listProperties(node);
      assert.equal(property?.xml, 'v');
    });

    it('can be taken out of the own tree, stays out, and loses its owner nothing', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'editor');
      await site.names(ben);
      await site.files.remove(ben, pathOf('plans'));
      assert.deepEqual(await site.names(ben), ['mine.txt']);
      assert.deepEqual(await site.names(anna, 'work/plans'), ['one.txt']);
      await site.grant(anna, 'work/plans', 'ben', 'viewer');
      assert.deepEqual(await site.names(ben), ['mine.txt'], 'it does not come back by itself');
    });

    it('comes back at the root when the folder that it was put into is deleted', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'editor');
      await site.folder(ben, 'stuff');
      await site.files.move(ben, pathOf('plans'), pathOf('stuff/plans'), { replace: false });
      await site.files.remove(ben, pathOf('stuff'));
      assert.deepEqual(await site.names(ben), ['mine.txt', 'plans']);
      assert.deepEqual(await site.names(anna, 'work/plans'), ['one.txt']);
    });

    it('is gone at once when it is shared no more, and again there when it is', async () => {
      const granted = await site.grant(anna, 'work/plans', 'ben', 'editor');
      assert.equal(await site.read(ben, 'plans/one.txt'), 'one');
      await site.revoke(granted, anna);
      await assert.rejects(site.read(ben, 'plans/one.txt'), failsWith('not-found'));
      const parentMissing = failsWith('conflict', 'parent-missing');
      await assert.rejects(site.write(ben, 'plans/one.txt'), parentMissing);
      assert.deepEqual(await site.names(ben), ['mine.txt']);
      await site.grant(anna, 'work/plans', 'ben', 'viewer');
      assert.equal(await site.read(ben, 'plans/one.txt'), 'one');
    });

    it('ends when its time is over, to the millisecond', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'viewer', { expiresAt: site.now + 10 });
      site.now += 9;
      assert.deepEqual(await site.names(ben), ['mine.txt', 'plans']);
      site.now += 1;
      assert.deepEqual(await site.names(ben), ['mine.txt']);
    });

    it('is hidden while it is in the trash of its owner', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'editor');
      assert.deepEqual(await site.names(ben), ['mine.txt', 'plans']);
      await site.files.remove(anna, pathOf('work'));
      assert.deepEqual(await site.names(ben), ['mine.txt']);
      await assert.rejects(site.read(ben, 'plans/one.txt'), failsWith('not-found'));
    });

    it('reaches the members of a group, while they are in it', async () => {
      await site.grant(anna, 'work/plans', CREW, 'editor');
      assert.deepEqual(await site.names(dora), ['plans']);
      assert.deepEqual(await site.names(callerNamed('dora', [], 2)), []);
      assert.deepEqual(await site.names(ben), ['mine.txt']);
    });
  });
}

function declareRoles(): void {
  describe('roles below a shared folder', () => {
    beforeEach(async () => {
      await site.folder(anna, 'work/plans/inner');
      await site.write(anna, 'work/plans/inner/deep.txt', 'deep');
    });

    it('hide what somebody was shut out of', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'editor');
      await site.grant(anna, 'work/plans/inner', 'ben', 'none', { isShown: false });
      assert.deepEqual(await site.names(ben, 'plans'), ['one.txt']);
      await assert.rejects(site.read(ben, 'plans/inner/deep.txt'), failsWith('not-found'));
      const conflict = (code: string) => failsWith('conflict', code);
      await assert.rejects(site.write(ben, 'plans/inner', 'x'), conflict('name-clash'));
      await assert.rejects(site.write(ben, 'plans/inner/x', 'x'), conflict('parent-missing'));
      const copy = site.files.copy(ben, pathOf('plans'), pathOf('all of it'), {
        replace: false, depth: 'infinity',
      });
      await assert.rejects(copy, failsWith('denied', 'partly-hidden'));
      assert.deepEqual(await site.names(anna, 'work/plans/inner'), ['deep.txt']);
    });

    it('keep what is only to be looked at from who may delete the folder above it', async () => {
      await site.folder(anna, 'work/plans/inner/kept');
      await site.grant(anna, 'work/plans', 'ben', 'editor');
      await site.grant(anna, 'work/plans/inner/kept', 'ben', 'viewer', { isShown: false });
      await site.folder(ben, 'box');
      const isKept = failsWith('denied', 'partly-hidden');
      const [inner, box] = [pathOf('plans/inner'), pathOf('box')];
      await assert.rejects(site.files.remove(ben, inner), isKept);
      await assert.rejects(site.files.move(ben, inner, pathOf('out'), { replace: false }), isKept);
      await assert.rejects(site.files.move(ben, box, inner, { replace: true }), isKept);
      const copy = { replace: true, depth: 'infinity' as const };
      await assert.rejects(site.files.copy(ben, box, inner, copy), isKept);
      assert.deepEqual(await site.names(anna, 'work/plans/inner'), ['deep.txt', 'kept']);
      await site.grant(anna, 'work/plans/inner/kept', 'ben', 'editor', { isShown: false });
      await site.files.remove(ben, inner);
    });

    it('let a file be changed in a folder that is only added to', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'uploader');
      await site.grant(anna, 'work/plans/one.txt', 'ben', 'editor', { isShown: false });
      await site.write(ben, 'plans/one.txt', 'by ben');
      assert.equal(await site.read(anna, 'work/plans/one.txt'), 'by ben');
    });

    it('let somebody do more further down', async () => {
      await site.grant(anna, 'work/plans', CREW, 'viewer');
      await site.grant(anna, 'work/plans/inner', 'dora', 'editor', { isShown: false });
      await assert.rejects(site.write(dora, 'plans/one.txt'), failsWith('denied'));
      await site.write(dora, 'plans/inner/deep.txt', 'deeper');
      assert.equal(await site.read(anna, 'work/plans/inner/deep.txt'), 'deeper');
    });

    it('are shown with each entry of a listing', async () => {
      await site.grant(anna, 'work/plans', 'ben', 'viewer');
      await site.grant(anna, 'work/plans/inner', 'ben', 'editor', { isShown: false });
      const { pages } = await site.files.list(ben, pathOf('plans'));
      const entries = (await Array.fromAsync(pages)).flat();
      assert.deepEqual(entries.map(({ name, sight }) => [name, sight?.role, sight?.isMountRoot]), [
        ['inner', 'editor', false], ['one.txt', 'viewer', false],
      ]);
    });
  });
}

function declareFiles(): void {
  describe('a shared file', () => {
    it('can be read, and overwritten by an editor, under the receiver\'s name', async () => {
      await site.grant(anna, 'diary.txt', 'ben', 'editor');
      assert.equal(await site.read(ben, 'diary.txt'), 'secret');
      await site.files.move(ben, pathOf('diary.txt'), pathOf('hers.txt'), { replace: false });
      const body = bodyOf(Buffer.from('new'));
      const { created } = await site.files.upload(ben, pathOf('hers.txt'), body);
      assert.equal(created, false);
      assert.equal(await site.read(anna, 'diary.txt'), 'new');
      assert.deepEqual(await site.names(ben), ['hers.txt', 'mine.txt']);
    });

    it('cannot be overwritten by a viewer', async () => {
      await site.grant(anna, 'diary.txt', 'ben', 'viewer');
      await assert.rejects(site.write(ben, 'diary.txt'), failsWith('denied'));
    });
  });
}

function declareMoves(): void {
  describe('moves and copies between spaces', () => {
    beforeEach(async () => {
      await site.grant(anna, 'work/plans', 'ben', 'editor');
    });

    it('carry files both ways, and leave what was moved in the trash it came from', async () => {
      const { files } = site;
      await files.move(ben, pathOf('mine.txt'), pathOf('plans/mine.txt'), { replace: false });
      assert.equal(await site.read(anna, 'work/plans/mine.txt'), 'mine');
      await files.move(ben, pathOf('plans/one.txt'), pathOf('one.txt'), { replace: false });
      assert.equal(await site.read(ben, 'one.txt'), 'one');
      assert.deepEqual(await site.names(anna, 'work/plans'), ['mine.txt']);
      const own = await site.spaces.personalSpace(anna);
      const trash = await site.metadata.listTrash(own.id, 10);
      assert.deepEqual(trash.map(({ name, deletedBy }) => [name, deletedBy]), [['one.txt', 'ben']]);
    });

    it('copy a shared folder into the own space', async () => {
      await site.files.copy(ben, pathOf('plans'), pathOf('copy'), {
        replace: false, depth: 'infinity',
      });
      await site.write(ben, 'copy/one.txt', 'mine now');
      assert.equal(await site.read(anna, 'work/plans/one.txt'), 'one');
    });

    it('never carry a mount into a space of others, nor replace one', async () => {
      await site.folder(carl, 'from carl');
      await site.grant(carl, 'from carl', 'ben', 'editor');
      const move = (from: string, to: string) =>
        site.files.move(ben, pathOf(from), pathOf(to), { replace: true });
      await assert.rejects(move('from carl', 'plans/carl'), failsWith('denied', 'is-mount'));
      await assert.rejects(move('mine.txt', 'plans'), failsWith('denied', 'is-mount'));
      assert.deepEqual(await site.names(ben), ['from carl', 'mine.txt', 'plans']);
    });
  });
}

function declareEtags(): void {
  describe('ETags in a view', () => {
    const steps: [string, () => Promise<unknown>][] = [
      ['a file changes below', () => site.write(anna, 'work/plans/one.txt', 'other')],
      ['the role changes', () => site.grant(anna, 'work/plans', 'ben', 'viewer')],
      ['a role below changes', () =>
        site.grant(anna, 'work/plans/in', 'ben', 'none', { isShown: false })],
      ['somebody else gets a role', () => site.grant(anna, 'work/plans', 'carl', 'viewer')],
      ['a role above changes', () => site.grant(anna, 'work', 'ben', 'none', { isShown: false })],
    ];

    beforeEach(async () => {
      await site.folder(anna, 'work/plans/in');
      await site.grant(anna, 'work/plans', 'ben', 'editor');
      await site.folder(ben, 'stuff');
      await site.files.move(ben, pathOf('plans'), pathOf('stuff/plans'), { replace: false });
    });

    for (const [what, act] of steps) {
      it(`change from the root down to the folder when ${what}`, async () => {
        const places = ['', 'stuff', 'stuff/plans'];
        const before = await Promise.all(places.map((path) => site.etag(ben, path)));
        const file = await site.etag(ben, 'stuff/plans/one.txt');
        const again = await Promise.all(places.map((path) => site.etag(ben, path)));
        assert.deepEqual(again, before, 'nothing happened');
        await act();
        for (const [index, path] of places.entries()) {
          assert.notEqual(await site.etag(ben, path), before[index], path);
        }
        if (what === 'a file changes below') return;
        assert.equal(await site.etag(ben, 'stuff/plans/one.txt'), file, 'files keep theirs');
      });
    }

    it('change with the groups of the caller, and with time', async () => {
      await site.grant(anna, 'work/plans', CREW, 'viewer', { expiresAt: site.now + 10 });
      const first = await site.etag(ben, 'stuff');
      const joined = callerNamed('ben', ['crew'], 1);
      assert.notEqual(await site.etag(joined, 'stuff'), first);
      site.now += 10;
      assert.notEqual(await site.etag(ben, 'stuff'), first);
    });

    it('change when a share ends', async () => {
      const granted = await site.grant(anna, 'diary.txt', 'ben', 'viewer');
      await site.names(ben);
      const before = await site.etag(ben);
      await site.revoke(granted, anna);
      assert.notEqual(await site.etag(ben), before);
    });

    it('are the same in a listing as when asked for by themselves', async () => {
      for (const path of ['', 'stuff', 'stuff/plans']) {
        const { pages } = await site.files.list(ben, pathOf(path));
        for (const entry of (await Array.fromAsync(pages)).flat()) {
          const below = path === '' ? entry.name : `${path}/${entry.name}`;
          assert.equal(etagOf(entry), await site.etag(ben, below), below);
        }
      }
    });

    it('after a change are those that the next look finds', async () => {
      const { node } = await site.files.makeFolder(ben, pathOf('stuff/plans/new'));
      assert.equal(etagOf(node), await site.etag(ben, 'stuff/plans/new'));
      const moved = await move('stuff', 'things');
      assert.equal(etagOf(moved.node), await site.etag(ben, 'things'));
      const mount = await move('things/plans', 'p');
      assert.equal(etagOf(mount.node), await site.etag(ben, 'p'));
    });
  });
}
