import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SEALING_KEY_BYTES, SecretSeal } from '../../identity/index.ts';
import { ManualClock } from '../../platform/index.ts';
import { HalfSignIns } from './half-sign-in.ts';
import type { Visitor } from './page-session.ts';

function visitor(formToken: string): Visitor {
  return { caller: undefined, sessionToken: undefined, headers: {}, formToken };
}

it('what was right of a sign-in is good for ten minutes and one visitor, at every server', () => {
  const clock = new ManualClock(1000);
  const sealWith = (byte: number): SecretSeal =>
    new SecretSeal(new Uint8Array(SEALING_KEY_BYTES).fill(byte));
  const halves = new HalfSignIns(sealWith(1), clock);
  const who = { user: 'anna', password: 'påss "word"' };
  const sealed = halves.issue(who, visitor('one'));
  assert.ok(!Buffer.from(sealed, 'base64url').includes('anna'));
  assert.deepEqual(halves.read(sealed, visitor('one')), who);
  assert.equal(halves.read(sealed, visitor('two')), undefined);
  assert.deepEqual(new HalfSignIns(sealWith(1), clock).read(sealed, visitor('one')), who);
  assert.equal(new HalfSignIns(sealWith(2), clock).read(sealed, visitor('one')), undefined);
  assert.equal(halves.read('', visitor('one')), undefined);
  clock.advance(10 * 60_000 - 1);
  assert.deepEqual(halves.read(sealed, visitor('one')), who);
  clock.advance(1);
  assert.equal(halves.read(sealed, visitor('one')), undefined);
});
