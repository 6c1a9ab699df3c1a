import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { parseGroupId } from '../base/ids.ts';
import {
  ALICE, AWAY, HOME, openWorld, PASSWORD, refuses, type World,
} from './stores/memory/memory-world.ts';

const CREW = parseGroupId('crew');

describe('groups', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });

  it('are those of a caller with the next request, in every process', async () => {
    const { identity, elsewhere } = world;
    const signIn = async () => identity.authenticateBasic({
      user: 'alice', password: PASSWORD, address: HOME,
    });
    assert.deepEqual((await signIn()).groups, []);
    await elsewhere.groups.add({ id: 'crew' });
    await elsewhere.groups.join(CREW, ALICE);
    const joined = await signIn();
    assert.deepEqual([joined.groups, joined.groupsRev], [[CREW], 1]);
    await elsewhere.groups.remove(CREW);
    const left = await signIn();
    assert.deepEqual([left.groups, left.groupsRev], [[], 2]);
  });

  it('change no session and no app password', async () => {
    const { identity } = world;
    const { password } = await identity.appPasswords.create(ALICE, 'phone');
    const session = await identity.sessions.signIn({
      user: 'alice', password: PASSWORD, address: HOME, device: 'browser',
    });
    await identity.groups.add({ id: 'crew', displayName: 'The crew' });
    await identity.groups.join(CREW, ALICE);
    const byPhone = await identity.authenticateBasic({ user: 'alice', password, address: HOME });
    assert.deepEqual(byPhone.groups, [CREW]);
    assert.deepEqual((await identity.authenticateSession(session.token)).groups, [CREW]);
  });

  it('are listed with their members', async () => {
    const { identity } = world;
    await identity.groups.add({ id: 'crew', displayName: 'The crew' });
    await identity.groups.join(CREW, ALICE);
    const groups = await Array.fromAsync(identity.groups.list());
    assert.deepEqual(groups.map(({ id, displayName }) => [id, displayName]), [[CREW, 'The crew']]);
    assert.deepEqual(await Array.fromAsync(identity.groups.members(CREW)), [ALICE]);
    assert.deepEqual(await identity.groups.of(ALICE), [CREW]);
    await refuses(identity.groups.remove(parseGroupId('none')), 'not-found');
    await refuses(identity.groups.add({ id: 'No Name' }), 'invalid');
  });
});

describe('passwords of links', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });

  it('tell right from wrong, and remember what was right for minutes', async () => {
    const { linkPasswords } = world.identity;
    const phc = await linkPasswords.hash('open sesame');
    const knock = (password: string) =>
      linkPasswords.verify(phc, { link: '7', password, address: HOME });
    assert.equal(await knock('open barley'), false);
    assert.equal(await knock('open sesame'), true);
    assert.equal(await knock('open sesame'), true);
    await refuses(linkPasswords.hash(''), 'invalid');
  });

  it('cannot be guessed in a row, by one address or by many', async () => {
    const { linkPasswords } = world.identity;
    const phc = await linkPasswords.hash('open sesame');
    const guess = async (address: string, n: number): Promise<boolean> =>
      linkPasswords.verify(phc, { link: '7', password: `guess ${n}`, address });
    for (let n = 0; n < 6; n += 1) assert.equal(await guess(HOME, n), false);
    await refuses(guess(HOME, 7), 'busy');
    assert.equal(await guess(AWAY, 8), false, 'another address may still try');
    assert.equal(await guess(HOME, 0), false, 'a repeated guess is not counted');
  });

  it('count requests for links that are not there', async () => {
    const { linkPasswords } = world.identity;
    for (let n = 0; n < 6; n += 1) linkPasswords.noteMissing({ password: `t${n}`, address: HOME });
    assert.throws(() => linkPasswords.noteMissing({ password: 'more', address: HOME }));
  });
});
