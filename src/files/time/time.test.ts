/** The services that look back, for several people with shared folders. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Caller } from '../../identity/index.ts';
import {
  ShareSite, anna, ben, carl, failsWith, NOW, pathOf,
} from '../testing/share-site.ts';
import { parseWhen } from './moment.ts';
import type { When } from './moment.ts';
import { Batches } from './restore/batches.ts';
import { TimeService } from './time-service.ts';
import { TrashService } from './trash-service.ts';
import { VersionService } from './version-service.ts';

const MINUTE_MS = 60_000;

let site: ShareSite;
let time: TimeService;
let batches: Batches;
let trash: TrashService;
let versions: VersionService;

beforeEach(() => {
  site = new ShareSite();
  const { metadata, content, spaces, files } = site;
  const now = (): number => site.now;
  batches = new Batches({ metadata, content, now });
  time = new TimeService({ metadata, content, spaces, batches, now, groupsAt: site.groupsAt });
  trash = new TrashService({ metadata, spaces, now });
  versions = new VersionService({
    files, metadata, content, spaces, now, groupsAt: site.groupsAt,
  });
});

/** Answers the instant of what was done so far. */
function tick(): When {
  const at = site.now;
  site.now += MINUTE_MS;
  return { at };
}

async function names(caller: Caller, when: When, path = ''): Promise<string[]> {
  const view = await time.open(caller, when);
  const pages = view.list(await view.get(pathOf(path)));
  return (await Array.fromAsync(pages)).flat().map(({ name }) => name);
}

async function read(caller: Caller, when: When, path: string): Promise<string> {
  const view = await time.open(caller, when);
  const content = await time.openNode((await view.get(pathOf(path))).node);
  const whole = { startBytes: 0, endBytes: content.sizeBytes };
  return Buffer.concat(await Array.fromAsync(content.read(whole))).toString();
}

describe('Moments', () => {
  it('are instants in UTC that exist, or revisions', () => {
    assert.deepEqual(parseWhen('2026-11-20T10:00:00Z'), { at: Date.UTC(2026, 10, 20, 10) });
    assert.deepEqual(parseWhen('2026-11-20T10:00:00.25Z'),
      { at: Date.UTC(2026, 10, 20, 10) + 250 });
    assert.deepEqual(parseWhen('rev-0'), { rev: 0 });
    assert.deepEqual(parseWhen('rev-42'), { rev: 42 });
    for (const bad of ['', 'rev-', 'rev--1', 'rev-01', 'rev-99999999999999999', '2026-11-20',
      '2026-02-30T00:00:00Z', '2026-11-20T10:00:00+01:00', '2026-11-20T25:00:00Z']) {
      assert.throws(() => parseWhen(bad), failsWith('invalid', 'moment'), bad);
    }
  });
});

describe('Looking back', () => {
  it('shows a tree and its contents as they were', async () => {
    await site.folder(anna, 'box');
    await site.write(anna, 'box/note', 'first');
    const early = tick();
    await site.write(anna, 'box/note', 'second');
    await site.files.move(anna, pathOf('box'), pathOf('crate'), { replace: false });
    const late = tick();
    await site.files.remove(anna, pathOf('crate'));
    assert.deepEqual(await names(anna, early, 'box'), ['note']);
    assert.equal(await read(anna, early, 'box/note'), 'first');
    assert.equal(await read(anna, late, 'crate/note'), 'second');
    await assert.rejects(names(anna, late, 'box'), failsWith('not-found'));
    await assert.rejects(time.open(anna, { at: site.now + 1 }), failsWith('invalid'));
    await assert.rejects(time.open(anna, { at: NOW - 1 }), failsWith('not-found', 'before-space'));
  });

  it('shows what was shared then and is still, and never more than one of the two', async () => {
    await site.folder(anna, 'shared');
    await site.folder(anna, 'shared/secret');
    await site.write(anna, 'shared/plan', 'a');
    await site.write(anna, 'shared/secret/s');
    await site.names(ben);
    const before = tick();
    const share = await site.grant(anna, 'shared', 'ben', 'viewer');
    await site.grant(anna, 'shared/secret', 'ben', 'none');
    assert.deepEqual(await site.names(ben), ['shared']);
    const shared = tick();
    await site.write(anna, 'shared/plan', 'b');
    assert.deepEqual(await names(ben, before), []);
    assert.deepEqual(await names(ben, shared), ['shared']);
    assert.deepEqual(await names(ben, shared, 'shared'), ['plan']);
    assert.equal(await read(ben, shared, 'shared/plan'), 'a');
    await assert.rejects(read(ben, shared, 'shared/secret/s'), failsWith('not-found'));
    assert.deepEqual(await names(anna, shared, 'shared/secret'), ['s']);
    // What opens later does not open the past.
    await site.grant(anna, 'shared/secret', 'ben', 'viewer');
    tick();
    await assert.rejects(read(ben, shared, 'shared/secret/s'), failsWith('not-found'));
    // What is taken away is taken away from the past too.
    await site.revoke(share, anna);
    tick();
    assert.deepEqual(await names(ben, shared), []);
    assert.deepEqual(await names(anna, shared), ['shared']);
  });

  it('tells owners what differs between two moments, and nobody else', async () => {
    await site.folder(anna, 'shared');
    await site.write(anna, 'shared/a');
    await site.grant(anna, 'shared', 'ben', 'editor');
    await site.names(ben);
    const from = tick();
    await site.write(ben, 'shared/b');
    await site.files.remove(anna, pathOf('shared/a'));
    await site.grant(anna, 'shared', 'carl', 'viewer');
    const { entries, next } = await time.compare(anna, { from, to: 'now', path: pathOf('shared') });
    assert.deepEqual(entries.map(({ changes, before, after }) =>
      [...changes, before?.path.join('/'), after?.path.join('/')]), [
      ['added', undefined, 'shared/b'], ['deleted', 'shared/a', undefined],
      ['shared', 'shared', 'shared'],
    ]);
    assert.equal(next, undefined);
    await assert.rejects(time.compare(ben, { from, to: 'now', path: pathOf('shared') }),
      failsWith('denied'));
  });
});

describe('Bringing back', () => {
  const settled = async (batch: { id: number }) => batches.settled(batch.id);

  it('restores a file, a folder and a whole space, and undoes each as a whole', async () => {
    await site.folder(anna, 'box');
    await site.write(anna, 'box/a', '1');
    await site.write(anna, 'box/b', '1');
    const then = tick();
    await site.write(anna, 'box/a', '2');
    await site.write(anna, 'box/b', '2');
    await site.write(anna, 'new');
    tick();
    await settled(await time.restore(anna, pathOf('box/a'), then));
    assert.deepEqual([await site.read(anna, 'box/a'), await site.read(anna, 'box/b')], ['1', '2']);
    await site.files.remove(anna, pathOf('box'));
    const folder = await settled(await time.restore(anna, pathOf('box'), then));
    assert.deepEqual([await site.read(anna, 'box/b'), folder.skippedCount], ['1', 0]);
    const whole = await settled(await time.restore(anna, [], then));
    assert.deepEqual(await site.names(anna), ['box']);
    await settled(await time.undo(anna, whole.id));
    assert.deepEqual(await site.names(anna), ['box', 'new']);
    await assert.rejects(time.undo(anna, whole.id), failsWith('conflict', 'batch-open'));
    assert.equal((await time.listBatches(anna)).length, 4);
    await assert.rejects(time.findBatch(carl, whole.id), failsWith('not-found'));
  });

  it('leaves alone in an undo what somebody has changed since, and says so', async () => {
    await site.write(anna, 'a', '1');
    await site.write(anna, 'b', '1');
    const then = tick();
    await site.write(anna, 'a', '2');
    await site.write(anna, 'b', '2');
    tick();
    const batch = await settled(await time.restore(anna, [], then));
    await site.write(anna, 'a', '3');
    const undo = await settled(await time.undo(anna, batch.id));
    assert.deepEqual([await site.read(anna, 'a'), await site.read(anna, 'b')], ['3', '2']);
    assert.equal(undo.skippedCount, 1);
  });

  it('lets editors of a shared folder restore it, and viewers not', async () => {
    await site.folder(anna, 'shared');
    await site.write(anna, 'shared/a', '1');
    await site.grant(anna, 'shared', 'ben', 'editor');
    await site.grant(anna, 'shared', 'carl', 'viewer');
    await site.names(ben);
    await site.names(carl);
    const then = tick();
    await site.write(ben, 'shared/a', '2');
    await assert.rejects(time.restore(carl, pathOf('shared'), then), failsWith('denied'));
    await settled(await time.restore(ben, pathOf('shared'), then));
    assert.equal(await site.read(anna, 'shared/a'), '1');
  });
});

describe('What is kept from somebody below a shared folder', () => {
  it('is neither restored nor compared with the folder', async () => {
    await site.folder(anna, 'plans');
    await site.folder(anna, 'plans/kept');
    await site.write(anna, 'plans/kept/law.txt', 'law');
    await site.grant(anna, 'plans', 'ben', 'owner');
    await site.names(ben);
    const then = tick();
    await site.write(anna, 'plans/kept/law.txt', 'new law');
    await site.grant(anna, 'plans/kept', 'ben', 'viewer', { isShown: false });
    await assert.rejects(time.restore(ben, pathOf('plans'), then), failsWith('denied'));
    const wanted = { from: then, to: 'now' as const, path: pathOf('plans') };
    await assert.rejects(time.compare(ben, wanted), failsWith('denied'));
    assert.equal(await site.read(anna, 'plans/kept/law.txt'), 'new law');
    assert.ok((await time.compare(anna, wanted)).entries.length > 0);
  });

  it('is not told of by comparing, though it lay in that folder before or lies there since',
    async () => {
      await site.folder(anna, 'plans');
      await site.write(anna, 'plans/a.txt', 'a');
      await site.write(anna, 'diary.txt', 'b');
      await site.grant(anna, 'plans', 'ben', 'owner');
      await site.names(ben);
      const then = tick();
      await site.files.move(anna, pathOf('plans/a.txt'), pathOf('illness.txt'),
        { replace: false });
      await site.files.move(anna, pathOf('diary.txt'), pathOf('plans/b.txt'),
        { replace: false });
      const wanted = { from: then, to: 'now' as const, path: pathOf('plans') };
      const told = async (caller: Caller) => (await time.compare(caller, wanted)).entries
        .filter(({ kind }) => kind === 'file')
        .map(({ before, after, changes }) => [before?.name, after?.name, ...changes])
        .toSorted();
      assert.deepEqual(await told(ben),
        [[undefined, 'b.txt', 'added'], ['a.txt', undefined, 'deleted']]);
      assert.deepEqual(await told(anna),
        [['a.txt', 'illness.txt', 'moved'], ['diary.txt', 'b.txt', 'moved']]);
    });

  it('does not come to light by restoring the time in which it was kept from somebody',
    async () => {
      await site.folder(anna, 'plans');
      await site.write(anna, 'plans/law.txt', 'secret');
      await site.grant(anna, 'plans', 'ben', 'editor');
      await site.names(ben);
      const hidden = await site.grant(anna, 'plans/law.txt', 'ben', 'none');
      const then = tick();
      await site.write(anna, 'plans/law.txt', 'for all');
      await site.revoke(hidden, anna);
      const later = tick();
      await assert.rejects(time.restore(ben, pathOf('plans'), then), failsWith('denied'));
      await batches.settled((await time.restore(ben, pathOf('plans'), later)).id);
      assert.equal(await site.read(ben, 'plans/law.txt'), 'for all');
    });
});

describe('The trash', () => {
  const only = async (caller: Caller, spaceId?: number) => {
    const where = spaceId === undefined ? {} : { spaceId: spaceId as never };
    return (await trash.list(caller, { limit: 10, ...where })).entries;
  };

  it('brings back to the nearest folder that is left, under a free name', async () => {
    await site.folder(anna, 'a');
    await site.folder(anna, 'a/b');
    await site.write(anna, 'a/b/note.txt', '1');
    await site.files.remove(anna, pathOf('a/b/note.txt'));
    const [entry] = await only(anna);
    assert.deepEqual(entry?.from, ['a', 'b']);
    await site.files.remove(anna, pathOf('a/b'));
    await site.write(anna, 'a/note.txt', '2');
    assert.ok(entry !== undefined);
    const { name } = await trash.restore(anna, entry);
    assert.equal(name, 'note (restored 2026-11-21).txt');
    assert.deepEqual(await site.names(anna, 'a'), [name, 'note.txt']);
    await assert.rejects(trash.restore(anna, entry), failsWith('not-found'));
  });

  it('of a shared folder shows each what he or she removed, and its owner all', async () => {
    await site.folder(anna, 'shared');
    for (const name of ['a', 'b', 'c']) await site.write(anna, `shared/${name}`);
    await site.grant(anna, 'shared', 'ben', 'editor');
    await site.grant(anna, 'shared', 'carl', 'editor');
    await site.names(ben);
    await site.names(carl);
    await site.files.remove(ben, pathOf('shared/a'));
    await site.files.remove(anna, pathOf('shared/b'));
    await site.files.remove(carl, pathOf('shared/c'));
    const all = await only(anna);
    assert.deepEqual(all.map(({ name }) => name), ['c', 'b', 'a']);
    const { spaceId } = all[0] ?? assert.fail();
    const bens = await only(ben, spaceId);
    assert.deepEqual(bens.map(({ name }) => name), ['a']);
    await trash.restore(ben, bens[0] ?? assert.fail());
    await assert.rejects(trash.restore(ben, all[0] ?? assert.fail()), failsWith('not-found'));
    assert.deepEqual(await site.names(anna, 'shared'), ['a']);
  });

  it('tells of what its owner takes out of it for good', async () => {
    const told: unknown[] = [];
    const { metadata, spaces } = site;
    const telling = new TrashService({
      metadata, spaces, now: () => site.now,
      onDropped: ({ by, count, nodeId }) => told.push([by.user, count, nodeId !== undefined]),
    });
    for (const name of ['a', 'b', 'c']) {
      await site.write(anna, name);
      await site.files.remove(anna, pathOf(name));
    }
    const [entry] = await only(anna);
    await telling.drop(anna, entry ?? assert.fail());
    await telling.dropAll(anna);
    assert.equal(await telling.dropAll(anna), 0);
    assert.deepEqual(told, [['anna', 1, true], ['anna', 2, false]]);
  });

  it('comes page by page', async () => {
    for (const name of ['a', 'b', 'c']) {
      await site.write(anna, name);
      await site.files.remove(anna, pathOf(name));
    }
    const first = await trash.list(anna, { limit: 2 });
    assert.deepEqual(first.entries.map(({ name }) => name), ['c', 'b']);
    const second = await trash.list(anna, { limit: 2, before: first.next ?? 0 });
    assert.deepEqual([second.entries.map(({ name }) => name), second.next], [['a'], undefined]);
  });
});

describe('Versions', () => {
  it('are made by other bytes alone, can be read, and come back as new ones', async () => {
    await site.write(anna, 'note', 'one');
    await site.write(anna, 'note', 'two');
    site.now += MINUTE_MS;
    await site.write(anna, 'note', 'two');
    const path = pathOf('note');
    const kept = await versions.list(anna, path);
    assert.deepEqual(kept.map(({ isPresent }) => isPresent), [true, false]);
    const { contentRev } = kept[1] ?? assert.fail();
    const content = await versions.open(anna, path, contentRev);
    assert.equal((await content.readWhole()).toString(), 'one');
    await versions.restore(anna, path, contentRev);
    assert.equal(await site.read(anna, 'note'), 'one');
    assert.equal((await versions.list(anna, path)).length, 3);
    await assert.rejects(versions.open(anna, path, 99), failsWith('not-found'));
    await assert.rejects(versions.list(anna, []), failsWith('conflict', 'is-folder'));
  });

  it('come back only for who may change the file', async () => {
    await site.write(anna, 'note', 'one');
    await site.grant(anna, 'note', 'ben', 'viewer');
    await site.write(anna, 'note', 'two');
    await site.names(ben);
    const path = pathOf('note');
    const [, old] = await versions.list(ben, path);
    assert.ok(old !== undefined);
    await assert.rejects(versions.restore(ben, path, old.contentRev), failsWith('denied'));
  });
});
