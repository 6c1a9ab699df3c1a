import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseGroupId } from '../../base/ids.ts';
import {
  anna, ben, callerNamed, carl, failsWith, pathOf, ShareSite,
} from '../testing/share-site.ts';

const dora = callerNamed('dora');
const missing = failsWith('not-found');

/** Anna's folder, of which Ben is an owner; Ben lets Carl in, and Carl lets Dora in. */
async function passedOn(): Promise<ShareSite> {
  const site = new ShareSite();
  await site.folder(anna, 'work');
  await site.folder(anna, 'work/plans');
  await site.write(anna, 'work/one.txt', 'one');
  await site.grant(anna, 'work', 'ben', 'owner');
  await site.grant(ben, 'work', 'carl', 'owner');
  await site.grant(carl, 'work', 'dora', 'viewer');
  return site;
}

describe('a share whose maker may not sign in any more', () => {
  it('ends for all that it was passed on to, and is back with its maker', async () => {
    const site = await passedOn();
    assert.equal(await site.read(dora, 'work/one.txt'), 'one');
    const before = await site.etag(dora);
    for (const away of ['anna', 'ben', 'carl']) {
      site.away.add(away);
      await assert.rejects(site.read(dora, 'work/one.txt'), missing, away);
      assert.deepEqual(await site.names(dora), []);
      assert.deepEqual(await site.sharing.listReceived(dora), []);
      assert.notEqual(await site.etag(dora), before, 'clients must notice');
      site.away.delete(away);
      assert.equal(await site.read(dora, 'work/one.txt'), 'one');
      assert.equal(await site.etag(dora), before);
    }
  });

  it('keeps its mount, with the place and name that its receiver chose', async () => {
    const site = await passedOn();
    await site.folder(ben, 'mine');
    await site.files.move(ben, pathOf('work'), pathOf('mine/of anna'), { replace: false });
    site.away.add('anna');
    assert.deepEqual(await site.names(ben, 'mine'), []);
    assert.deepEqual(await site.names(ben), ['mine']);
    site.away.delete('anna');
    assert.equal(await site.read(ben, 'mine/of anna/one.txt'), 'one');
  });

  it('stops an upload that began before', async () => {
    const site = await passedOn();
    const late = site.files.upload(ben, pathOf('work/late.txt'), {
      lengthBytes: undefined,
      async pour(take) {
        await take(Buffer.from('late'));
        site.away.add('anna');
      },
    });
    await assert.rejects(late);
    site.away.delete('anna');
    assert.deepEqual(await site.names(anna, 'work'), ['one.txt', 'plans']);
  });

  it('still keeps out whom it kept out', async () => {
    const site = await passedOn();
    await site.grant(anna, 'work', 'dora', 'editor');
    await site.grant(ben, 'work/plans', 'dora', 'none', { isShown: false });
    site.away.add('ben');
    await assert.rejects(site.names(dora, 'work/plans'), missing);
  });

  it('leaves a team its shares', async () => {
    const site = new ShareSite();
    await site.sharing.makeTeam({ ...anna, admin: true }, pathOf('team')[0] ?? failed());
    await site.sharing.share(anna, pathOf('team'), {
      receiver: { kind: 'user', id: 'ben' }, role: 'editor',
    });
    await site.write(anna, 'team/one.txt', 'one');
    site.away.add('anna');
    assert.equal(await site.read(ben, 'team/one.txt'), 'one');
  });
});

describe('a share whose maker is no owner there any more', () => {
  it('gives nothing more, however far it was passed on', async () => {
    const site = await passedOn();
    await site.grant(anna, 'work', 'ben', 'viewer');
    assert.deepEqual(await site.names(carl), []);
    await assert.rejects(site.read(dora, 'work/one.txt'), missing);
    await site.grant(anna, 'work', 'ben', 'owner');
    assert.equal(await site.read(dora, 'work/one.txt'), 'one');
  });

  it('is not kept up by two who made each other owners', async () => {
    const site = await passedOn();
    const given = await site.metadata.listGrants((await site.files.get(anna, [])).node.spaceId);
    const toBen = given.find(({ subject }) => subject.kind === 'user' && subject.id === 'ben');
    assert.ok(toBen);
    await site.grant(carl, 'work', { kind: 'group', id: parseGroupId('crew') }, 'owner');
    site.groups.set('ben', ['crew']);
    const crewed = callerNamed('ben', ['crew']);
    assert.equal(await site.read(crewed, 'work/one.txt'), 'one');
    await site.sharing.end(anna, toBen.id);
    assert.deepEqual(await site.names(crewed), []);
    assert.deepEqual(await site.names(carl), []);
  });

  it('counts again once somebody who may share it does so', async () => {
    const site = await passedOn();
    site.away.add('ben');
    assert.deepEqual(await site.names(carl), []);
    await site.sharing.share(anna, pathOf('work'), {
      receiver: { kind: 'user', id: 'carl' }, role: 'viewer',
    });
    assert.equal(await site.read(carl, 'work/one.txt'), 'one');
  });

  it('can be changed and ended by who may, and then is theirs', async () => {
    const site = await passedOn();
    const find = async (user: string) => (await site.sharing.listAt(anna, pathOf('work')))
      .find(({ subject }) => subject.kind === 'user' && subject.id === user) ?? failed();
    site.away.add('ben');
    const changed = await site.sharing.change(anna, (await find('carl')).id, { role: 'editor' });
    assert.equal(changed.createdBy, 'anna');
    assert.equal(await site.read(carl, 'work/one.txt'), 'one');
    await site.sharing.end(anna, (await find('dora')).id);
    const left = await site.sharing.listAt(anna, pathOf('work'));
    assert.equal(left.length, 2);
  });

  it('is not among the reasons why somebody can see it', async () => {
    const site = await passedOn();
    await site.grant(anna, 'work', 'ben', 'viewer');
    const reasons = await site.sharing.explain(anna, pathOf('work'));
    assert.deepEqual(reasons.map(({ subject }) => 'id' in subject && subject.id), ['anna', 'ben']);
  });
});

function failed(): never {
  throw new Error('There is nothing of the kind.');
}
