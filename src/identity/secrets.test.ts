import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  canonicalAppPassword, hashSecret, isSameHash, makeAppPassword, makeToken,
} from './secrets.ts';

describe('secrets', () => {
  it('app passwords have five groups of five, and use all their symbols', () => {
    const made = Array.from({ length: 500 }, makeAppPassword);
    for (const password of made) assert.match(password, /^([0-9a-z]{5}-){4}[0-9a-z]{5}$/);
    assert.equal(new Set(made).size, made.length);
    const symbols = new Set(made.join('').replaceAll('-', ''));
    assert.equal(symbols.size, 36, '25 symbols of 36 hold 129 bits');
  });

  it('app passwords may be typed without hyphens, with spaces, or in capitals', () => {
    const password = 'abcde-12345-fghij-67890-klmno';
    const canonical = 'abcde12345fghij67890klmno';
    const spaced = password.replaceAll('-', ' ');
    for (const typed of [password, canonical, password.toUpperCase(), spaced]) {
      assert.equal(canonicalAppPassword(typed), canonical);
    }
    for (const other of ['', 'correct horse battery', `${password}x`, canonical.slice(1)]) {
      assert.equal(canonicalAppPassword(other), undefined);
    }
  });

  it('tokens are fit for an address, and never repeat', () => {
    const made = Array.from({ length: 100 }, makeToken);
    for (const token of made) assert.match(token, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(new Set(made).size, made.length);
  });

  it('hashes are SHA-256 in hexadecimal, compared over their whole length', () => {
    // FIPS 180-4, example "abc".
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    assert.equal(hashSecret('abc'), abc);
    assert.equal(isSameHash(abc, hashSecret('abc')), true);
    assert.equal(isSameHash(abc, `${abc.slice(0, -1)}e`), false);
    assert.equal(isSameHash(abc, `c${abc.slice(1)}`), false);
    assert.equal(isSameHash(abc, abc.slice(1)), false);
    assert.equal(isSameHash(abc, ''), false);
  });
});
