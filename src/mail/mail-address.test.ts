import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isKind } from '../base/errors.ts';
import { findMailAddress, oneLine, parseMailAddress, parseSender } from './mail-address.ts';

describe('a mail address', () => {
  it('is taken as people write it, with the domain in ASCII', () => {
    for (const [raw, wanted] of [
      ['anna@example.org', 'anna@example.org'], ['a.b+c@Sub.Example.ORG', 'a.b+c@sub.example.org'],
      ['o\'neil@example.org', 'o\'neil@example.org'],
      ['x@bücher.example', 'x@xn--bcher-kva.example'],
      ['root@localhost', 'root@localhost'],
    ] as const) assert.equal(parseMailAddress(raw), wanted);
  });

  it('is refused when it could be more than one, or end a line', () => {
    for (const raw of [
      '', 'anna', '@example.org', 'anna@', 'a b@example.org', 'a@b@example.org', 'a@ex ample.org',
      'a@example.org\r\nRCPT TO:<b@example.org>', 'a\n@example.org', '"a b"@example.org',
      'a@example.org,b@example.org', '<a@example.org>', 'a@[127.0.0.1]', '.a@example.org',
      'a..b@example.org', 'a@-x.org', 'a@x..org', `${'a'.repeat(65)}@example.org`, 'ä@example.org',
      `a@${'x'.repeat(64)}.org`, 'a@example.org\0', 'a@x%00.org', 'a@ex\u00adample.org',
      'a@example。org', 'a@example.org/',
    ]) {
      assert.throws(() => parseMailAddress(raw), (error) => isKind(error, 'invalid'),
        JSON.stringify(raw));
    }
  });

  it('is printable ASCII without brackets, whatever it was made of', () => {
    const hostile = fc.string({
      unit: fc.constantFrom(...'a@.\r\n\0<>, "ü\u202e'),
    });
    fc.assert(fc.property(fc.oneof(hostile, fc.string({ unit: 'binary' })), (raw) => {
      const address = findMailAddress(raw) ?? findMailAddress(`${raw}@example.org`);
      if (address !== undefined) assert.match(address, /^[!#-'*+\-./-9=?A-Z^-~]+@[a-z0-9.-]+$/);
    }));
  });

  it('of a sender may have a name, which stays on its line', () => {
    assert.deepEqual(parseSender('"Our cloud" <c@example.org>'),
      { name: 'Our cloud', address: 'c@example.org' });
    assert.equal(parseSender('a\r\nBcc: b <c@example.org>').name, 'a Bcc: b');
    assert.equal(oneLine(' a\r\n\u202eb\u2028c '), 'a b c');
  });
});
