/** Failed sign-ins of two servers that count together, through the door. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ManualClock } from '../platform/index.ts';
import { Identity } from './identity.ts';
import { ALICE, CHEAP, HOME, openOn, PASSWORD, refuses } from './stores/memory/memory-world.ts';
import { MemoryFailureCounts } from './stores/memory/memory-failure-counts.ts';
import { MemoryIdentityData, MemoryIdentityStore } from './stores/memory/memory-identity-store.ts';

const SEALING_KEY = new Uint8Array(32).fill(7);

let clock: ManualClock;
let one: Identity;
let two: Identity;

beforeEach(async () => {
  clock = new ManualClock(1_700_000_000_000);
  const data = new MemoryIdentityData();
  const failureCounts = new MemoryFailureCounts(clock);
  const open = (): Promise<Identity> => Identity.open({
    store: new MemoryIdentityStore(data), clock, config: { hashCost: CHEAP },
    failureCounts, sealingKey: SEALING_KEY,
  });
  [one, two] = [await open(), await open()];
  const maker = await openOn(new MemoryIdentityStore(data), clock);
  await maker.users.add({ id: 'alice', password: PASSWORD });
});

const signIn = async (at: Identity, password: string) =>
  at.authenticateBasic({ user: 'alice', password, address: HOME });

describe('two servers', () => {
  it('refuse at one whoever has failed too often at the other, with the right password too, '
    + 'and do not remember it', async () => {
    for (let time = 0; time < 6; time += 1) {
      await refuses(signIn(one, `wrong ${time}`), 'unauthenticated');
    }
    for (let time = 0; time < 3; time += 1) {
      const { code } = await refuses(signIn(two, PASSWORD), 'busy');
      assert.equal(code, 'sign-in-throttled');
      // What is computed in vain has ended by then: it began earlier, and costs the same.
      for (let other = 0; other < 3; other += 1) await two.linkPasswords.hash('open sesame');
    }
    clock.advance(1_000);
    assert.equal((await signIn(two, PASSWORD)).user, 'alice');
    assert.equal((await signIn(two, PASSWORD)).user, 'alice');
  });

  it('count guesses of a link together', async () => {
    const phc = await one.linkPasswords.hash('open sesame');
    const knock = (at: Identity, password: string) =>
      at.linkPasswords.verify(phc, { link: 'some', password, address: HOME });
    for (let time = 0; time < 6; time += 1) assert.equal(await knock(one, `no ${time}`), false);
    await refuses(knock(two, 'open sesame'), 'busy');
    clock.advance(1_000);
    assert.equal(await knock(two, 'open sesame'), true);
  });

  it('count guesses of a code together', async () => {
    const caller = await signIn(one, PASSWORD);
    await one.secondFactors.begin({ user: ALICE, password: PASSWORD, address: HOME }, 'a.example');
    const guess = (at: Identity, code: string) =>
      at.secondFactors.turnOn(caller, { code, address: HOME });
    for (let time = 0; time < 6; time += 1) {
      await refuses(guess(one, `00000${time}`), 'unauthenticated');
    }
    await refuses(guess(two, '000009'), 'busy');
  });
});
