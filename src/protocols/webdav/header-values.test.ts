import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HoldfastError } from '../../base/errors.ts';
import { httpDate, isoDate, parseHttpDate, parseUnixSeconds } from './http-date.ts';
import { LOCK_MS_MAX, lockMsOf, parseLockToken } from './lock-request.ts';
import { mediaTypeOf } from './media-types.ts';
import { findRange } from './range.ts';

describe('a date', () => {
  it('is written as HTTP wants it, for every moment, in any order', () => {
    const instant = fc.integer({ min: Date.UTC(0, 0, 1), max: Date.UTC(9999, 11, 31) });
    fc.assert(fc.property(fc.array(instant, { minLength: 1 }), (all) => {
      for (const at of [...all, ...all]) assert.equal(httpDate(at), new Date(at).toUTCString());
    }));
    assert.equal(isoDate(1_700_000_000_123), '2023-11-14T22:13:20Z');
  });

  it('is read back', () => {
    assert.equal(parseHttpDate('Tue, 14 Nov 2023 22:13:20 GMT'), 1.7e12);
    for (const raw of ['', 'soon', '1700000000', 'Xxx, 99 Foo 2023 99:99:99 GMT']) {
      assert.equal(parseHttpDate(raw), undefined, raw);
    }
  });

  it('in seconds may have fractions and lie before 1970, and is nothing else', () => {
    const known: [string, number | undefined][] = [
      ['1700000000', 1.7e12], ['1700000000.5', 1_700_000_000_500], ['-1', -1000], ['0', 0],
      [' 5 ', 5000], ['', undefined], ['x', undefined], ['0x10', undefined], ['1e9', undefined],
      ['9999999999999', undefined], ['NaN', undefined],
    ];
    for (const [raw, at] of known) assert.equal(parseUnixSeconds(raw), at, raw);
  });
});

describe('a range', () => {
  const known: [string, number, ReturnType<typeof findRange>][] = [
    ['bytes=0-0', 10, { startBytes: 0, endBytes: 1 }],
    ['bytes=2-5', 10, { startBytes: 2, endBytes: 6 }],
    ['bytes=2-', 10, { startBytes: 2, endBytes: 10 }],
    ['bytes=-3', 10, { startBytes: 7, endBytes: 10 }],
    ['bytes=-30', 10, { startBytes: 0, endBytes: 10 }],
    ['bytes=5-99', 10, { startBytes: 5, endBytes: 10 }],
    ['Bytes = 5 - 6', 10, { startBytes: 5, endBytes: 7 }],
    ['bytes=10-', 10, 'outside'], ['bytes=10-12', 10, 'outside'], ['bytes=-0', 10, 'outside'],
    ['bytes=5-2', 10, undefined], ['bytes=0-1,3-4', 10, undefined], ['bytes=', 10, undefined],
    ['bytes=-', 10, undefined], ['lines=1-2', 10, undefined], ['bytes=a-b', 10, undefined],
    ['bytes=0-', 0, undefined], ['bytes=-5', 0, undefined], ['bytes=-1-2', 10, undefined],
  ];
  for (const [raw, sizeBytes, range] of known) {
    it(`${raw} of ${sizeBytes} bytes`, () => assert.deepEqual(findRange(raw, sizeBytes), range));
  }

  it('is always inside the file', () => {
    const text = fc.tuple(fc.option(fc.nat(200)), fc.option(fc.nat(200)))
      .map(([first, last]) => `bytes=${first ?? ''}-${last ?? ''}`);
    fc.assert(fc.property(text, fc.nat(100), (raw, sizeBytes) => {
      const range = findRange(raw, sizeBytes);
      if (range === undefined || range === 'outside') return;
      assert.ok(range.startBytes >= 0 && range.startBytes < range.endBytes);
      assert.ok(range.endBytes <= sizeBytes);
    }));
  });
});

describe('a lock', () => {
  it('lasts as long as was asked, within bounds', () => {
    const known: [string | undefined, number][] = [
      [undefined, 3_600_000], ['', 3_600_000], ['nonsense', 3_600_000], ['Second-60', 60_000],
      ['second-0', 1000], ['Infinite', LOCK_MS_MAX], ['Second-4100000000', LOCK_MS_MAX],
      ['Extend, Second-5', 5000], ['Infinite, Second-5', LOCK_MS_MAX],
    ];
    for (const [raw, ms] of known) assert.equal(lockMsOf(raw), ms, String(raw));
  });

  it('is named between angle brackets', () => {
    assert.equal(parseLockToken(' <opaquelocktoken:1> '), 'opaquelocktoken:1');
    for (const raw of [undefined, '', 'x', '<>', '<a b>', '<a', '<a><b>', `<${'a'.repeat(300)}>`]) {
      assert.throws(() => parseLockToken(raw), (error) => error instanceof HoldfastError);
    }
  });
});

describe('a media type', () => {
  it('is told by the ending of the name, in any case', () => {
    assert.equal(mediaTypeOf('Photo.JPG'), 'image/jpeg');
    assert.equal(mediaTypeOf('a.b.pdf'), 'application/pdf');
    for (const name of ['x', 'x.', '.x', 'x.constructor', 'x.__proto__', 'a.unknown']) {
      assert.equal(mediaTypeOf(name), 'application/octet-stream', name);
    }
  });
});
