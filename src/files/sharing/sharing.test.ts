import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { parseName } from '../../base/names.ts';
import type { Role } from '../../base/roles.ts';
import type { Caller } from '../../identity/index.ts';
import { bodyOf } from '../body.ts';
import {
  anna, ben, callerNamed, carl, failsWith, pathOf, ShareSite,
} from '../testing/share-site.ts';
import type { LinkCaller } from '../view/link-caller.ts';
import type { Share, ShareWishes } from './share.ts';

const ADMIN: Caller = { ...anna, admin: true };
const dora = callerNamed('dora', ['crew'], 1);

let site: ShareSite;
beforeEach(async () => {
  site = new ShareSite();
  await site.folder(anna, 'work');
  await site.folder(anna, 'work/plans');
  await site.write(anna, 'work/plans/one.txt', 'one');
  await site.write(ben, 'mine.txt', 'mine');
});

const share = (
  by: Caller, path: string, id: string, ...[role, more = {}]: [Role, ShareWishes?]
): Promise<Share> =>
  site.sharing.share(by, pathOf(path), { receiver: { kind: 'user', id }, role, ...more });
const shareGroup = (by: Caller, path: string, id: string, role: Role) =>
  site.sharing.share(by, pathOf(path), { receiver: { kind: 'group', id }, role });
const link = (by: Caller, path: string, role: Role, more: ShareWishes = {}) =>
  site.sharing.share(by, pathOf(path), { receiver: { kind: 'link' }, role, ...more });
const visit = (made: Share, password?: string): Promise<LinkCaller> => site.links.open({
  token: made.terms.token ?? '', password, address: '192.0.2.1',
});

describe('a share', () => {
  it('is made, listed on both sides, changed and ended', async () => {
    const made = await share(anna, 'work/plans', 'ben', 'viewer', { note: 'look\u202ehere' });
    assert.deepEqual([made.role, made.path, made.isMine, made.terms.note],
      ['viewer', ['work', 'plans'], true, 'look here']);
    assert.deepEqual(await site.sharing.listAt(anna, pathOf('work/plans')), [made]);
    assert.deepEqual(await site.sharing.listMembersOf(anna, pathOf('work')), [made]);
    assert.deepEqual(await site.sharing.listMade(anna), [made]);
    const [received] = await site.sharing.listReceived(ben);
    assert.deepEqual([received?.id, received?.path, received?.isMine], [made.id, ['plans'], false]);
    await site.sharing.change(anna, made.id, { role: 'editor' });
    await site.write(ben, 'plans/one.txt', 'by ben');
    await site.sharing.end(anna, made.id);
    assert.deepEqual(await site.names(ben), ['mine.txt']);
    assert.deepEqual(await site.sharing.listReceived(ben), []);
    await assert.rejects(site.sharing.get(anna, made.id), failsWith('not-found'));
  });

  it('with the same person at the same place is one', async () => {
    const first = await share(anna, 'work/plans', 'ben', 'viewer');
    const second = await share(anna, 'work/plans', 'BEN', 'editor');
    assert.equal(second.id, first.id);
    assert.equal((await site.sharing.listMade(anna)).length, 1);
  });

  it('is nobody else\'s to make, change, see or end', async () => {
    const made = await share(anna, 'work/plans', 'ben', 'editor');
    await assert.rejects(share(ben, 'plans', 'carl', 'viewer'), failsWith('denied'));
    await assert.rejects(link(ben, 'plans', 'viewer'), failsWith('denied'));
    await assert.rejects(site.sharing.listAt(ben, pathOf('plans')), failsWith('denied'));
    await assert.rejects(site.sharing.change(ben, made.id, { role: 'owner' }), failsWith('denied'));
    for (const act of [
      site.sharing.change(carl, made.id, { role: 'owner' }), site.sharing.end(carl, made.id),
      site.sharing.get(carl, made.id), share(carl, 'work/plans', 'carl', 'editor'),
      site.sharing.explain(carl, pathOf('work')),
    ]) await assert.rejects(act, failsWith('not-found'));
  });

  it('is declined by who received it, and stays for its maker', async () => {
    const made = await share(anna, 'work/plans', 'ben', 'editor');
    await site.sharing.end(ben, made.id);
    assert.deepEqual(await site.names(ben), ['mine.txt']);
    assert.deepEqual(await site.sharing.listReceived(ben), []);
    assert.equal((await site.sharing.get(anna, made.id)).id, made.id);
  });

  it('can be passed on by another owner, below the place that was shared', async () => {
    await share(anna, 'work', 'ben', 'owner');
    const made = await share(ben, 'work/plans', 'carl', 'viewer');
    assert.deepEqual(made.path, ['work', 'plans']);
    assert.equal(await site.read(carl, 'plans/one.txt'), 'one');
    assert.deepEqual((await site.sharing.listMade(anna)).map(({ id }) => id).length, 2);
    await site.sharing.end(anna, made.id);
    await assert.rejects(site.read(carl, 'plans/one.txt'), failsWith('not-found'));
  });

  it('of what is mounted is a share of the thing itself', async () => {
    await share(anna, 'work/plans', 'ben', 'owner');
    await site.names(ben);
    await site.files.move(ben, pathOf('plans'), pathOf('renamed'), { replace: false });
    await shareGroup(ben, 'renamed', 'crew', 'viewer');
    assert.equal(await site.read(dora, 'plans/one.txt'), 'one');
  });

  it('is refused with nobody, oneself, the owner, and of a whole space', async () => {
    const invalid = failsWith('invalid');
    await assert.rejects(share(anna, 'work', 'nobody', 'viewer'), invalid);
    await assert.rejects(share(anna, 'work', 'anna', 'viewer'), invalid);
    await assert.rejects(shareGroup(anna, 'work', 'others', 'viewer'), invalid);
    await assert.rejects(share(anna, '', 'ben', 'viewer'), invalid);
    await assert.rejects(share(anna, 'work', 'ben', 'viewer', { downloadsMax: 1 }), invalid);
    await share(anna, 'work', 'ben', 'owner');
    await assert.rejects(share(ben, 'work', 'anna', 'none'), invalid);
  });

  it('shuts out by the role none', async () => {
    await shareGroup(anna, 'work', 'crew', 'editor');
    await share(anna, 'work/plans', 'dora', 'none');
    assert.deepEqual(await site.names(dora), ['work']);
    assert.deepEqual(await site.names(dora, 'work'), []);
    const reasons = await site.sharing.explain(anna, pathOf('work/plans/one.txt'));
    assert.deepEqual(reasons.map(({ subject, role }) => [subject, role]), [
      [{ kind: 'space-owner', id: 'anna' }, 'owner'],
      [{ kind: 'group', id: 'crew' }, 'editor'],
      [{ kind: 'user', id: 'dora' }, 'none'],
    ]);
  });
});

describe('a team folder', () => {
  it('is made by an administrator, and belongs to whom its owners let in', async () => {
    await assert.rejects(site.sharing.makeTeam(ben, parseName('Crew')), failsWith('denied'));
    await site.sharing.makeTeam(ADMIN, parseName('Crew'));
    assert.deepEqual(await site.names(anna), ['Crew', 'work']);
    await shareGroup(anna, 'Crew', 'crew', 'editor');
    await site.write(dora, 'Crew/plan.txt', 'ours');
    assert.equal(await site.read(anna, 'Crew/plan.txt'), 'ours');
    await site.sharing.renameTeam(anna, pathOf('Crew'), parseName('Staff'));
    await share(anna, 'Crew', 'ben', 'viewer');
    assert.deepEqual(await site.names(ben), ['Staff', 'mine.txt']);
    await assert.rejects(
      site.sharing.renameTeam(ben, pathOf('Staff'), parseName('Mine')), failsWith('denied'),
    );
  });

  it('keeps its last owner', async () => {
    await site.sharing.makeTeam(ADMIN, parseName('Crew'));
    const [own] = await site.sharing.listAt(anna, pathOf('Crew'));
    assert.ok(own);
    await assert.rejects(site.sharing.end(anna, own.id), failsWith('conflict', 'last-owner'));
    const less = site.sharing.change(anna, own.id, { role: 'viewer' });
    await assert.rejects(less, failsWith('conflict', 'last-owner'));
    await share(anna, 'Crew', 'ben', 'owner');
    await site.sharing.end(ben, own.id);
    assert.deepEqual(await site.names(anna), ['work']);
    assert.deepEqual(await site.names(ben), ['Crew', 'mine.txt']);
  });
});

describe('a link', () => {
  it('shows what it leads to, and nothing above', async () => {
    const made = await link(anna, 'work/plans', 'viewer');
    const visitor = await visit(made);
    assert.deepEqual(await site.names(visitor), ['one.txt']);
    assert.equal(await site.read(visitor, 'one.txt'), 'one');
    await assert.rejects(site.read(visitor, 'work/plans/one.txt'), failsWith('not-found'));
    await assert.rejects(site.write(visitor, 'new.txt'), failsWith('denied'));
    await assert.rejects(site.files.remove(visitor, pathOf('')), failsWith('denied'));
    await assert.rejects(share(visitor, 'one.txt', 'ben', 'viewer'), failsWith('not-found'));
    assert.notEqual(visitor.user, anna.user);
  });

  it('to a file is the file', async () => {
    const visitor = await visit(await link(anna, 'work/plans/one.txt', 'editor'));
    assert.equal(await site.read(visitor, ''), 'one');
    await site.files.upload(visitor, [], bodyOf(Buffer.from('by link')));
    assert.equal(await site.read(anna, 'work/plans/one.txt'), 'by link');
  });

  it('asks for its password, and counts wrong ones', async () => {
    const made = await link(anna, 'work/plans', 'viewer', { password: 'sesame' });
    const wanted = failsWith('unauthenticated', 'link-password');
    await assert.rejects(visit(made), wanted);
    await assert.rejects(visit(made, 'barley'), wanted);
    assert.deepEqual(site.knocks, ['barley']);
    assert.deepEqual(await site.names(await visit(made, 'sesame')), ['one.txt']);
    await site.sharing.change(anna, made.id, { password: '' });
    assert.deepEqual(await site.names(await visit(made)), ['one.txt']);
    await assert.rejects(site.links.open({ token: 'guess', password: undefined, address: '' }),
      failsWith('not-found'));
    assert.deepEqual(site.knocks, ['barley', 'guess']);
  });

  it('ends in time, when taken back, and when its target is deleted', async () => {
    const brief = await link(anna, 'work/plans', 'viewer', { expiresAt: site.now + 5 });
    const other = await link(anna, 'work/plans', 'viewer');
    const visitor = await visit(other);
    site.now += 5;
    await assert.rejects(visit(brief), failsWith('not-found', 'link-over'));
    await site.files.remove(anna, pathOf('work'));
    await assert.rejects(site.read(visitor, 'one.txt'), failsWith('not-found'));
    assert.equal(await site.files.find(visitor, []), undefined);
  });

  it('counts downloads, and stops at the most that was allowed', async () => {
    const made = await link(anna, 'work/plans', 'viewer', { downloadsMax: 2 });
    const visitor = await visit(made);
    const { node } = await site.files.get(visitor, pathOf('one.txt'));
    const fetch = (startBytes: number, address = '192.0.2.1'): Promise<void> =>
      site.links.countDownload(visitor, {
        node, wanted: { startBytes, endBytes: node.sizeBytes }, address,
      });
    const isSpent = failsWith('denied', 'downloads-spent');
    await fetch(0);
    await fetch(2);
    await fetch(2, '192.0.2.2');
    assert.equal((await site.sharing.get(anna, made.id)).downloads, 2);
    await assert.rejects(fetch(0), isSpent);
    await fetch(1);
    await assert.rejects(fetch(1), isSpent, 'it was fetched twice over by now');
    await assert.rejects(fetch(1, '192.0.2.3'), isSpent);
    site.now += 61 * 60 * 1000;
    await assert.rejects(fetch(1), isSpent, 'that was another download');
  });

  it('tells nobody how much room its owner has', async () => {
    const small = new ShareSite({ quotaBytes: 10 });
    await small.folder(anna, 'work');
    await small.write(anna, 'work/one.txt', 'x'.repeat(6));
    const { terms: { token = '' } } = await small.sharing.share(anna, pathOf('work'), {
      receiver: { kind: 'link' }, role: 'editor',
    });
    const visitor = await small.links.open({ token, password: undefined, address: '192.0.2.1' });
    const acts = [
      () => small.write(visitor, 'two.txt', 'x'.repeat(6)),
      () => small.files.copy(visitor, pathOf('one.txt'), pathOf('two.txt'), {
        replace: false, depth: 'infinity',
      }),
    ];
    for (const act of acts) {
      await assert.rejects(act(), (error) => failsWith('quota')(error)
        && error instanceof Error && !/\d/.test(error.message));
    }
  });

  it('tells of downloads, once for each visitor and minute, and not of refused ones', async () => {
    const made = await link(anna, 'work/plans', 'viewer', { downloadsMax: 5, label: 'for all' });
    const visitor = await visit(made);
    const { node } = await site.files.get(visitor, pathOf('one.txt'));
    const fetch = (startBytes: number, address: string): Promise<void> =>
      site.links.countDownload(visitor, {
        node, wanted: { startBytes, endBytes: node.sizeBytes }, address,
      });
    const told = (): (string | undefined)[][] => site.reads.splice(0)
      .map(({ link: { user, terms }, address, node: { name } }) =>
        [user, terms.label, address, name]);
    const entry = (address: string) => [`@link-${made.id}`, 'for all', address, 'one.txt'];
    await fetch(0, '192.0.2.1');
    await fetch(1, '192.0.2.1');
    await fetch(0, '192.0.2.1');
    await fetch(0, '192.0.2.2');
    assert.deepEqual(told(), [entry('192.0.2.1'), entry('192.0.2.2')]);
    site.now += 60_000;
    await fetch(0, '192.0.2.1');
    assert.deepEqual(told(), [entry('192.0.2.1')]);
    await fetch(0, '192.0.2.3');
    site.reads.length = 0;
    await assert.rejects(fetch(0, '192.0.2.4'), failsWith('denied', 'downloads-spent'));
    assert.deepEqual(told(), []);
  });

  it('shows no more than its maker may see, and ends with what its maker may', async () => {
    await site.folder(anna, 'work/plans/deep');
    await site.write(anna, 'work/plans/deep/two.txt', 'two');
    const given = await share(anna, 'work/plans', 'ben', 'owner');
    await share(anna, 'work/plans/deep', 'ben', 'none');
    const visitor = await visit(await link(ben, 'plans', 'editor'));
    assert.deepEqual(await site.names(visitor), ['one.txt']);
    await assert.rejects(site.read(visitor, 'deep/two.txt'), failsWith('not-found'));
    await share(anna, 'work/plans/deep', 'ben', 'viewer');
    assert.equal(await site.read(visitor, 'deep/two.txt'), 'two');
    await assert.rejects(site.write(visitor, 'deep/two.txt'), failsWith('denied'));
    await assert.rejects(site.files.remove(visitor, pathOf('deep')), failsWith('denied'));
    await site.sharing.change(anna, given.id, { role: 'editor' });
    await assert.rejects(site.read(visitor, 'one.txt'), failsWith('not-found'));
  });

  it('is over while its maker may not sign in', async () => {
    const made = await link(anna, 'work/plans', 'viewer');
    site.away.add('anna');
    await assert.rejects(visit(made), failsWith('not-found', 'link-over'));
    site.away.delete('anna');
    await visit(made);
  });

  it('of something hidden is not listed with its folder', async () => {
    await site.folder(anna, 'work/plans/deep');
    await share(anna, 'work/plans', 'ben', 'owner');
    await share(anna, 'work/plans/deep', 'carl', 'viewer');
    assert.equal((await site.sharing.listMembersOf(ben, pathOf('plans'))).length, 1);
    await share(anna, 'work/plans/deep', 'ben', 'none');
    assert.deepEqual(await site.sharing.listMembersOf(ben, pathOf('plans')), []);
    assert.equal((await site.sharing.listMembersOf(anna, pathOf('work/plans'))).length, 2);
  });

  it('of its receiver is not made longer by the receiver', async () => {
    const until = site.now + 1000;
    const made = await share(anna, 'work/plans', 'ben', 'owner', { expiresAt: until });
    const longer = { expiresAt: undefined };
    await assert.rejects(site.sharing.change(ben, made.id, longer), failsWith('invalid'));
    assert.equal((await site.sharing.change(anna, made.id, longer)).expiresAt, undefined);
  });

  it('is refused when its end has passed', async () => {
    const past = { expiresAt: site.now };
    await assert.rejects(link(anna, 'work/plans', 'viewer', past), failsWith('invalid'));
    const made = await link(anna, 'work/plans', 'viewer');
    await assert.rejects(site.sharing.change(anna, made.id, past), failsWith('invalid'));
  });

  it('can keep its bytes to itself', async () => {
    const visitor = await visit(await link(anna, 'work/plans', 'viewer', { hideDownload: true }));
    assert.deepEqual(await site.names(visitor), ['one.txt']);
    await assert.rejects(site.read(visitor, 'one.txt'), failsWith('denied'));
    const copy = site.files.copy(visitor, pathOf('one.txt'), pathOf('two.txt'), {
      replace: false, depth: '0',
    });
    await assert.rejects(copy, failsWith('denied'));
  });

  it('takes files in, shows none, and overwrites none', async () => {
    const visitor = await visit(await link(anna, 'work/plans', 'uploader', { fileDrop: true }));
    await site.write(visitor, 'dropped.txt', 'for you');
    assert.deepEqual(await site.names(visitor), []);
    await assert.rejects(site.read(visitor, 'dropped.txt'), failsWith('not-found'));
    const taken = failsWith('conflict', 'name-clash');
    await assert.rejects(site.write(visitor, 'dropped.txt', 'other'), taken);
    await assert.rejects(site.write(visitor, 'one.txt', 'other'), taken);
    await assert.rejects(site.files.remove(visitor, pathOf('one.txt')), failsWith('not-found'));
    assert.equal(await site.read(anna, 'work/plans/dropped.txt'), 'for you');
  });

  it('never makes its visitors owners', async () => {
    await assert.rejects(link(anna, 'work', 'owner'), failsWith('invalid'));
    await assert.rejects(link(anna, 'work/plans/one.txt', 'uploader', { fileDrop: true }),
      failsWith('invalid'));
  });
});
