import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import { checkChecksum, findAlgorithm, parseChecksum, withChecksum } from './checksums.ts';

const SHA1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';

describe('checksums', () => {
  it('are read in the forms that clients send', () => {
    assert.deepEqual(parseChecksum(`SHA1:${SHA1}`), { algorithm: 'SHA1', hex: SHA1 });
    assert.deepEqual(parseChecksum(`sha1:${SHA1.toUpperCase()}`), { algorithm: 'SHA1', hex: SHA1 });
    assert.deepEqual(parseChecksum(`SHA-1: ${SHA1}`), { algorithm: 'SHA1', hex: SHA1 });
    assert.equal(findAlgorithm('Sha256'), 'SHA256');
  });

  it('of an algorithm that is not computed here are passed over', () => {
    assert.equal(parseChecksum('Adler32:03da0195'), undefined);
  });

  it('of a wrong form are refused', () => {
    for (const bad of ['', 'SHA1', ':abc', 'SHA1:', 'SHA1:xyz', `SHA1:${SHA1}00`, 'MD5:ab']) {
      assert.throws(() => parseChecksum(bad), (error) => isKind(error, 'invalid'), bad);
    }
  });

  it('that differ are refused', () => {
    const other = { algorithm: 'SHA1' as const, hex: SHA1.replace('d', 'e') };
    const own = { algorithm: 'SHA1' as const, hex: SHA1 };
    checkChecksum(own, own);
    assert.throws(() => checkChecksum(own, other), (error) => isKind(error, 'invalid'));
  });

  it('replace an older one of their kind in a list', () => {
    const list = withChecksum('MD5:aa SHA1:bb', { algorithm: 'SHA1', hex: 'cc' });
    assert.equal(list, 'MD5:aa SHA1:cc');
    assert.equal(withChecksum('', { algorithm: 'MD5', hex: 'dd' }), 'MD5:dd');
  });
});
