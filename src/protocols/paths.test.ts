import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HoldfastError } from '../base/errors.ts';
import { parseUserId } from '../base/ids.ts';
import { decodePath, encodePath, locate, ownPathOf, parseDestination } from './paths.ts';

const anna = { user: parseUserId('anna') };
const invalid = (error: unknown): boolean =>
  error instanceof HoldfastError && error.kind === 'invalid';

describe('a path', () => {
  const readable: [string, string[]][] = [
    ['', []], ['/', []], ['///', []], ['/a', ['a']], ['/a/', ['a']], ['//a//b', ['a', 'b']],
    ['/a+b', ['a+b']], ['/a%20b', ['a b']], ['/%C3%A4', ['ä']], ['/%c3%a4', ['ä']],
    ['/a%25b', ['a%b']], ['/100%2525', ['100%25']], ['/%F0%9F%98%80', ['😀']],
    ['/a%CC%88', ['a\u0308']], ["/[x]&';=,@+", ["[x]&';=,@+"]], ['/%23%3F', ['#?']],
    ['/...', ['...']], ['/%0A', ['\n']], ['/\xc3\xa4', ['ä']], ['/__proto__', ['__proto__']],
  ];
  for (const [raw, names] of readable) {
    it(`is read: ${JSON.stringify(raw)}`, () => assert.deepEqual(decodePath(raw), names));
  }

  const unreadable = [
    '/%', '/%2', '/%zz', '/%ff', '/%c3', '/%ed%a0%80', '/a%2Fb', '/a%2fb', '/a%00b', '/..', '/.',
    '/%2e%2e', '/a/../b', '/%2e%2e%2fetc', '/a#b', '/a?b', '/\xff', `/${'a'.repeat(256)}`,
    '/a'.repeat(129),
  ];
  for (const raw of unreadable) {
    it(`is refused: ${JSON.stringify(raw.slice(0, 40))}`, () => {
      assert.throws(() => decodePath(raw), invalid);
    });
  }

  it('survives encoding and decoding, whatever names it holds', () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter((text) =>
      !/[/\0]/.test(text) && text !== '.' && text !== '..' && Buffer.byteLength(text) < 256);
    fc.assert(fc.property(fc.array(name, { maxLength: 8 }), (names) => {
      const encoded = encodePath(names);
      assert.match(encoded, /^[A-Za-z0-9._~!*'()%/-]*$/);
      assert.deepEqual(decodePath(encoded), names);
    }));
  });

  it('is read or refused, never anything else, whatever bytes it is made of', () => {
    const bytes = fc.uint8Array({ maxLength: 60 })
      .map((raw) => Buffer.from(raw).toString('latin1'));
    fc.assert(fc.property(fc.oneof(bytes, fc.string({ unit: 'binary' })), (raw) => {
      try {
        decodePath(raw);
      } catch (error) {
        assert.ok(invalid(error));
      }
    }));
  });
});

describe('a root', () => {
  it('is found with the path below it, and named as the request named it', () => {
    const places: [string, string, string[]][] = [
      ['/remote.php/dav/files/anna/a', '/remote.php/dav/files/anna/', ['a']],
      ['/remote.php/dav/files/anna', '/remote.php/dav/files/anna/', []],
      ['/remote.php/dav/files/Anna/a', '/remote.php/dav/files/Anna/', ['a']],
      ['/remote.php/webdav/a/b', '/remote.php/webdav/', ['a', 'b']],
      ['/remote.php/webdav', '/remote.php/webdav/', []],
      ['/dav', '/dav/', []],
      ['/dav/%20', '/dav/', [' ']],
    ];
    for (const [raw, prefix, path] of places) {
      assert.deepEqual(locate(raw, anna), { root: { prefix }, path }, raw);
    }
  });

  it('is not found elsewhere', () => {
    const nowhere = [
      '/', '/davx', '/remote.php/dav/files/', '/remote.php/dav/uploads/anna/1', '/remote.php',
    ];
    for (const raw of nowhere) assert.equal(locate(raw, anna), undefined, raw);
  });

  it('of another user is denied', () => {
    assert.throws(() => locate('/remote.php/dav/files/bob/a', anna),
      (error) => error instanceof HoldfastError && error.kind === 'denied');
  });
});

describe('a destination', () => {
  const to = (destination: string | undefined, origin = 'http://cloud.example:8080'): string[] => {
    const req = { headers: { destination } } as never;
    return parseDestination({ req, origin }, anna);
  };

  it('is a path or a full address on this host, under any root', () => {
    const texts = [
      '/remote.php/webdav/a%20b', 'http://cloud.example:8080/dav/a%20b',
      'https://CLOUD.example:8080/remote.php/dav/files/anna/a%20b',
      'http://anna@cloud.example:8080/dav/a%20b',
    ];
    for (const text of texts) assert.deepEqual(to(text), ['a b'], text);
    assert.deepEqual(to('https://cloud.example:443/dav/x', 'http://cloud.example'), ['x']);
  });

  it('elsewhere, of somebody else, or nowhere is refused', () => {
    const refusals: [string | undefined, string][] = [
      ['http://other.example:8080/dav/a', 'invalid'], ['//other.example/dav/a', 'invalid'],
      [undefined, 'invalid'], ['', 'invalid'], ['a', 'invalid'], ['/dav/%', 'invalid'],
      ['/dav/a/../../etc', 'invalid'], ['/etc/passwd', 'denied'],
      ['/remote.php/dav/files/bob/a', 'denied'], ['/remote.php/dav/uploads/anna/a', 'denied'],
    ];
    for (const [text, kind] of refusals) {
      assert.throws(() => to(text), (error) =>
        error instanceof HoldfastError && error.kind === kind, String(text));
    }
  });

  it('has a host that is compared without its scheme and default port', () => {
    const exchange = { origin: 'https://[::1]:8443' };
    assert.equal(ownPathOf('http://[::1]:8443/x?y', exchange), '/x');
    assert.equal(ownPathOf('https://[::1]:8443', exchange), '/');
    assert.equal(ownPathOf('https://[::1]:8444/x', exchange), undefined);
  });
});
