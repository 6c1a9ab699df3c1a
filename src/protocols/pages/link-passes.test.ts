import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { LinkCaller } from '../../files/index.ts';
import { SEALING_KEY_BYTES, SecretSeal } from '../../identity/index.ts';
import type { Exchange } from '../../platform/index.ts';
import { ManualClock } from '../../platform/index.ts';
import { LinkPasses } from './link-passes.ts';

it('a pass of a link is good for an hour and that link, at every server', () => {
  const clock = new ManualClock(1000);
  const passesWith = (byte: number): LinkPasses =>
    new LinkPasses(new SecretSeal(new Uint8Array(SEALING_KEY_BYTES).fill(byte)), clock);
  const link = { terms: { password: '$argon2id$hash' } } as unknown as LinkCaller;
  const origin = 'https://cloud.example';
  const cookie = passesWith(1).issue({ origin } as unknown as Exchange, 'token', link);
  assert.match(cookie, /^holdfast-link=[\w-]+; Path=\/s\/token; Max-Age=3600; HttpOnly; .*Secure$/);
  assert.ok(!Buffer.from(cookie, 'base64url').includes('argon2id'));
  const showing = (shown: string): Exchange =>
    ({ req: { headers: { cookie: `other=1; ${shown}` } } }) as unknown as Exchange;
  const brought = showing(cookie.split(';')[0] ?? '');
  assert.equal(passesWith(1).proofOf(brought, 'token'), '$argon2id$hash', 'another server');
  assert.equal(passesWith(1).proofOf(brought, 'another token'), undefined);
  assert.equal(passesWith(2).proofOf(brought, 'token'), undefined, 'another installation');
  for (const made of ['holdfast-link=', 'holdfast-link=AAAA', 'holdfast-link=%']) {
    assert.equal(passesWith(1).proofOf(showing(made), 'token'), undefined);
  }
  clock.advance(60 * 60 * 1000 - 1);
  assert.equal(passesWith(1).proofOf(brought, 'token'), '$argon2id$hash');
  clock.advance(1);
  assert.equal(passesWith(1).proofOf(brought, 'token'), undefined);
});
