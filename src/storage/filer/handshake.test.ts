import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isKind } from '../../base/errors.ts';
import {
  checkKey, decodeChallenge, decodeHello, encodeChallenge, encodeHello, isProof, NO_CHANNEL,
  NONCE_BYTES, proofOf, refused, sealOf, uuidBytes, uuidText, type Hello, type Transcript,
} from './handshake.ts';

const KEY = randomBytes(32);

function hello(change: Partial<Hello> = {}): Hello {
  return {
    versionMin: 1, versionMax: 1, role: 'coordinator', clusterId: randomUUID(),
    coordinatorId: randomUUID(), epoch: 7, lane: 'write', nonce: randomBytes(NONCE_BYTES),
    ...change,
  };
}

function transcript(change: Partial<Transcript> = {}): Transcript {
  const said = hello();
  const challenge = { version: 1, filerId: randomUUID(), nonce: randomBytes(NONCE_BYTES) };
  return {
    hello: encodeHello(said), challenge: encodeChallenge(challenge), clientNonce: said.nonce,
    serverNonce: challenge.nonce, channel: NO_CHANNEL, ...change,
  };
}

describe('the handshake', () => {
  it('says who is there, and is understood', () => {
    const said = hello();
    assert.deepEqual(decodeHello(encodeHello(said)), said);
    const ofHome = hello({ versionMin: 2, versionMax: 2, home: randomUUID() });
    assert.deepEqual(decodeHello(encodeHello(ofHome)), ofHome);
    const challenge = { version: 1, filerId: randomUUID(), nonce: randomBytes(NONCE_BYTES) };
    const proof = randomBytes(32);
    const bytes = Buffer.concat([encodeChallenge(challenge), proof]);
    const { said: covered, proof: found, ...rest } = decodeChallenge(bytes);
    assert.deepEqual(rest, challenge);
    assert.ok(found.equals(proof) && covered.equals(encodeChallenge(challenge)));
  });

  it('takes a proof from the holder of the key, for what was said, and nothing else', () => {
    const said = transcript();
    for (const side of ['coordinator', 'filer'] as const) {
      const proof = proofOf(KEY, side, said);
      assert.ok(isProof(KEY, side, said, proof));
      const other = side === 'filer' ? 'coordinator' : 'filer';
      assert.ok(!isProof(KEY, other, said, proof), 'a proof must not do for the other side');
      assert.ok(!isProof(randomBytes(32), side, said, proof), 'another key');
      assert.ok(!isProof(KEY, side, transcript(), proof), 'another conversation');
      assert.ok(!isProof(KEY, side, { ...said, channel: randomBytes(32) }, proof), 'channel');
      assert.ok(!isProof(KEY, side, said, proof.subarray(1)), 'too short');
      assert.ok(!isProof(KEY, side, said, Buffer.alloc(0)), 'empty');
    }
  });

  it('covers every word of the hello: cluster, coordinator, role, epoch, lane and home', () => {
    const base = hello({ versionMin: 2, versionMax: 2, home: randomUUID() });
    const said = transcript({ hello: encodeHello(base) });
    const proof = proofOf(KEY, 'coordinator', said);
    const changes: Partial<Hello>[] = [
      { role: 'reader' }, { clusterId: randomUUID() }, { coordinatorId: randomUUID() },
      { epoch: 8 }, { lane: 'read' }, { nonce: randomBytes(NONCE_BYTES) }, { home: randomUUID() },
    ];
    for (const change of changes) {
      const changed = { ...said, hello: encodeHello({ ...base, ...change }) };
      assert.ok(!isProof(KEY, 'coordinator', changed, proof), JSON.stringify(change));
    }
  });

  it('gives each direction and each conversation a key of its own', () => {
    const said = transcript();
    const tag = (side: 'coordinator' | 'filer', of: Transcript): string =>
      sealOf(KEY, side, of).tag([Buffer.from('x')]).toString('hex');
    const tags = new Set([
      tag('coordinator', said), tag('filer', said), tag('coordinator', transcript()),
    ]);
    assert.equal(tags.size, 3);
    assert.equal(tag('filer', said), tag('filer', said));
  });

  it('refuses a newer protocol by name, also when the rest is not understood', () => {
    const newer = Buffer.concat([Buffer.from([3, 9]), randomBytes(50)]);
    const isNewer = (error: unknown): boolean =>
      isKind(error, 'conflict') && error.code === 'newer-protocol';
    assert.throws(() => decodeHello(newer), isNewer);
    assert.throws(() => decodeChallenge(Buffer.from([3, 1, 1])), isNewer);
    assert.deepEqual(decodeHello(encodeHello(hello({ versionMax: 3 }))).versionMax, 3);
  });

  it('ends in a typed error, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      for (const decode of [decodeHello, decodeChallenge]) {
        try {
          decode(Buffer.from(noise));
        } catch (error) {
          assert.ok(isKind(error, 'invalid') || isKind(error, 'conflict'));
        }
      }
    }), { numRuns: 2000 });
  });

  it('never repeats the words of somebody who has proved nothing', () => {
    assert.equal(refused('<injected words>').code, 'refused');
    assert.ok(!refused('<injected words>').message.includes('injected'));
    assert.equal(refused('constructor').code, 'refused');
  });

  it('wants ids that are UUIDs and keys that are secrets', () => {
    const id = randomUUID();
    assert.equal(uuidText(uuidBytes(id)), id);
    assert.throws(() => uuidBytes('not one'), (error) => isKind(error, 'invalid'));
    assert.throws(() => checkKey(Buffer.alloc(31)), (error) => isKind(error, 'invalid'));
    checkKey(Buffer.alloc(32));
  });
});
