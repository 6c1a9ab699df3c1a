import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ManualClock } from '../../platform/index.ts';
import { HalfSignIns } from './half-sign-in.ts';
import type { Visitor } from './page-session.ts';

function visitor(formToken: string): Visitor {
  return { caller: undefined, sessionToken: undefined, headers: {}, formToken };
}

it('what was right of a sign-in is good for ten minutes, one visitor and one server', () => {
  const clock = new ManualClock(1000);
  const halves = new HalfSignIns(clock);
  const who = { user: 'anna', password: 'påss "word"' };
  const sealed = halves.issue(who, visitor('one'));
  assert.ok(!Buffer.from(sealed, 'base64url').includes('anna'));
  assert.deepEqual(halves.read(sealed, visitor('one')), who);
  assert.equal(halves.read(sealed, visitor('two')), undefined);
  assert.equal(new HalfSignIns(clock).read(sealed, visitor('one')), undefined);
  assert.equal(halves.read('', visitor('one')), undefined);
  clock.advance(10 * 60_000 - 1);
  assert.deepEqual(halves.read(sealed, visitor('one')), who);
  clock.advance(1);
  assert.equal(halves.read(sealed, visitor('one')), undefined);
});
