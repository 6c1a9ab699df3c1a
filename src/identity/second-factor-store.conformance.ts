import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isKind } from '../base/errors.ts';
import { parseUserId } from '../base/ids.ts';
import { sampleToken, sampleUser, type StorePair } from './identity-store.conformance.ts';
import type { SecondFactorDraft } from './records.ts';
import type { TurnOnOptions } from './second-factor-store.ts';
import { hashSecret } from './secrets.ts';

const ALICE = parseUserId('alice');
const BOB = parseUserId('bob');
const HASHES = ['one', 'two', 'three'].map(hashSecret);
const [FIRST = '', SECOND = ''] = HASHES;

function draft(changes: Partial<SecondFactorDraft> = {}): SecondFactorDraft {
  return { user: ALICE, secret: 'sealed', createdAt: 1000, ...changes };
}

function turningOn(changes: Partial<TurnOnOptions> = {}): TurnOnOptions {
  return {
    secret: 'sealed', step: 7, at: 2000, recoveryHashes: HASHES, keepSession: undefined, ...changes,
  };
}

/** The promises of SecondFactorStore, as part of those of IdentityStore. */
export function testSecondFactors(stores: () => StorePair): void {
  const open = async (): Promise<StorePair> => {
    const pair = stores();
    for (const id of [ALICE, BOB]) await pair.store.addUser(sampleUser(id));
    return pair;
  };
  const openWithOne = async (): Promise<StorePair> => {
    const pair = await open();
    await pair.store.putSecondFactorDraft(draft());
    assert.equal(await pair.store.turnOnSecondFactor(ALICE, turningOn()), true);
    return pair;
  };

  testTurningOn(open);
  testTurningOff(open, openWithOne);
  testUse(open, openWithOne);
}

type Open = () => Promise<StorePair>;

function testTurningOn(open: Open): void {
  it('keeps one draft of a user, which changes nothing yet', async () => {
    const { store, other } = await open();
    assert.equal(await store.findSecondFactor(ALICE), undefined);
    await store.putSecondFactorDraft(draft({ secret: 'earlier' }));
    await store.putSecondFactorDraft(draft());
    assert.deepEqual(await other.findSecondFactor(ALICE), {
      user: ALICE, secret: 'sealed', isOn: false, lastStep: 0, since: 1000, recoveryCodesLeft: 0,
    });
    const user = await other.findUser(ALICE);
    assert.deepEqual([user?.rev, user?.hasSecondFactor], [1, false]);
    assert.equal(await store.useCodeStep(ALICE, 9), false);
    assert.equal(await store.useRecoveryCode(ALICE, FIRST), undefined);
    assert.equal(await store.putRecoveryCodes(ALICE, HASHES), false);
    const nobody = store.putSecondFactorDraft(draft({ user: parseUserId('nobody') }));
    await assert.rejects(nobody, (error) => isKind(error, 'not-found'));
  });

  it('turns the draft on that is meant, once, and raises rev', async () => {
    const { store, other } = await open();
    assert.equal(await store.turnOnSecondFactor(ALICE, turningOn()), false);
    await store.putSecondFactorDraft(draft());
    const another = turningOn({ secret: 'earlier' });
    assert.equal(await store.turnOnSecondFactor(ALICE, another), false);
    assert.equal((await store.findUser(ALICE))?.rev, 1);
    const turns = [store, other].map((each) => each.turnOnSecondFactor(ALICE, turningOn()));
    assert.deepEqual((await Promise.all(turns)).sort(), [false, true]);
    assert.deepEqual(await other.findSecondFactor(ALICE), {
      user: ALICE, secret: 'sealed', isOn: true, lastStep: 7, since: 2000, recoveryCodesLeft: 3,
    });
    const user = await other.findUser(ALICE);
    assert.deepEqual([user?.rev, user?.hasSecondFactor], [2, true]);
    assert.equal((await other.findUser(BOB))?.hasSecondFactor, false);
    const again = store.putSecondFactorDraft(draft());
    await assert.rejects(again, (error) => isKind(error, 'conflict'));
    const patched = await store.updateUser(ALICE, { displayName: 'Alice' });
    assert.equal(patched.hasSecondFactor, true);
    assert.equal((await other.findUser(ALICE))?.hasSecondFactor, true);
  });

  it('ends all sessions of the user but one, and no app password', async () => {
    const { store } = await open();
    const options = { countMax: 10, whenFull: 'refuse' } as const;
    for (const id of ['here', 'there']) {
      await store.addToken(sampleToken(ALICE, id, 'session'), options);
    }
    await store.addToken(sampleToken(ALICE, 'phone'), options);
    await store.addToken(sampleToken(BOB, 'bobs', 'session'), options);
    await store.putSecondFactorDraft(draft());
    await store.turnOnSecondFactor(ALICE, turningOn({ keepSession: 'here' }));
    const idsOf = async (...which: Parameters<typeof store.listTokens>): Promise<string[]> =>
      (await store.listTokens(...which)).map(({ id }) => id);
    assert.deepEqual(await idsOf(ALICE, 'session'), ['here']);
    assert.deepEqual(await idsOf(ALICE, 'app-password'), ['phone']);
    assert.deepEqual(await idsOf(BOB, 'session'), ['bobs']);
  });
}

function testTurningOff(open: Open, openWithOne: Open): void {
  it('forgets it, and its recovery codes', async () => {
    const { store, other } = await openWithOne();
    assert.equal(await other.turnOffSecondFactor(ALICE), true);
    assert.equal(await store.findSecondFactor(ALICE), undefined);
    const user = await store.findUser(ALICE);
    assert.deepEqual([user?.rev, user?.hasSecondFactor], [3, false]);
    assert.equal(await store.turnOffSecondFactor(ALICE), false);
    assert.equal((await store.findUser(ALICE))?.rev, 3);
    await store.putSecondFactorDraft(draft());
    await store.turnOnSecondFactor(ALICE, turningOn({ recoveryHashes: [] }));
    assert.equal(await store.useRecoveryCode(ALICE, FIRST), undefined);
  });

  it('forgets a draft too', async () => {
    const { store } = await open();
    await store.putSecondFactorDraft(draft());
    assert.equal(await store.turnOffSecondFactor(ALICE), false);
    assert.equal(await store.findSecondFactor(ALICE), undefined);
  });
}

function testUse(open: Open, openWithOne: Open): void {
  it('lets the code of a step be used once, and none of an earlier step', async () => {
    const { store, other } = await openWithOne();
    assert.equal(await store.useCodeStep(ALICE, 7), false, 'turned it on');
    const uses = [store, other].map((each) => each.useCodeStep(ALICE, 9));
    assert.deepEqual((await Promise.all(uses)).sort(), [false, true]);
    assert.equal(await store.useCodeStep(ALICE, 8), false);
    assert.equal(await store.useCodeStep(ALICE, 10), true);
    assert.equal(await store.useCodeStep(BOB, 10), false);
  });

  it('lets each recovery code be used once', async () => {
    const { store, other } = await openWithOne();
    const uses = [store, other].map((each) => each.useRecoveryCode(ALICE, FIRST));
    assert.deepEqual((await Promise.all(uses)).filter((left) => left !== undefined), [2]);
    assert.equal(await store.useRecoveryCode(BOB, SECOND), undefined);
    assert.equal(await store.useRecoveryCode(ALICE, SECOND), 1);
    assert.equal((await other.findSecondFactor(ALICE))?.recoveryCodesLeft, 1);
    assert.equal(await store.putRecoveryCodes(ALICE, [hashSecret('new')]), true);
    assert.equal(await store.useRecoveryCode(ALICE, HASHES[2] ?? ''), undefined);
    assert.equal(await store.useRecoveryCode(ALICE, hashSecret('new')), 0);
  });

  it('moves the change mark with every write', async () => {
    const { store } = await open();
    const moves = async (act: () => Promise<unknown>): Promise<void> => {
      const before = await store.changeMark();
      await act();
      assert.notEqual(await store.changeMark(), before);
    };
    await moves(() => store.putSecondFactorDraft(draft()));
    await moves(() => store.turnOnSecondFactor(ALICE, turningOn()));
    await moves(() => store.turnOffSecondFactor(ALICE));
  });
}
