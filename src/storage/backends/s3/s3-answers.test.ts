import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseErrorCode, parseListPage } from './s3-answers.ts';

const WANTED = { prefix: 'p/', after: 'p/a' };

function page(inner: string, truncated = 'false', count = ''): Buffer {
  return Buffer.from(
    `<?xml version="1.0"?><ListBucketResult xmlns="urn:x"><Name>b</Name>${count}`
    + `<IsTruncated>${truncated}</IsTruncated>${inner}</ListBucketResult>`,
  );
}

function object(key: string, size: string | number = 3): string {
  return `<Contents><Key>${key}</Key><Owner><ID>i</ID></Owner><Size>${size}</Size></Contents>`;
}

describe('a page of a listing', () => {
  it('is read with its objects and whether more follow', () => {
    const body = page(object('p/b') + object('p/c', 12), 'true', '<KeyCount>2</KeyCount>');
    assert.deepEqual(parseListPage(body, WANTED), {
      objects: [{ key: 'p/b', sizeBytes: 3 }, { key: 'p/c', sizeBytes: 12 }], truncated: true,
    });
    assert.deepEqual(parseListPage(page(''), WANTED), { objects: [], truncated: false });
  });

  it('is refused when anything about it does not fit', () => {
    const wrong: Buffer[] = [
      Buffer.from(''), Buffer.from('<html></html>'), page('', 'maybe'), page('', 'true'),
      page(object('q/b')), page(object('p/a')), page(object('p/c') + object('p/b')),
      page(object('p/b') + object('p/b')), page(object('p/b', 'many')), page(object('p/b', -1)),
      page(object('p/b'), 'false', '<KeyCount>2</KeyCount>'),
      Buffer.from(page('').toString().replace('?>', '?><!DOCTYPE x>')),
      page('<a>'.repeat(20) + '</a>'.repeat(20)),
    ];
    for (const body of wrong) assert.equal(parseListPage(body, WANTED), undefined, String(body));
  });

  it('is never taken for whole when it was cut off anywhere', () => {
    const body = page(object('p/b') + object('p/c'));
    for (let end = 0; end < body.length; end++) {
      assert.equal(parseListPage(body.subarray(0, end), WANTED), undefined, `${end}`);
    }
  });

  it('never throws, whatever bytes there are', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => {
      parseListPage(Buffer.from(bytes), WANTED);
      assert.equal(parseErrorCode(Buffer.from(bytes)), undefined);
    }));
  });
});

it('the word of an error is taken only from an error of S3', () => {
  const error = '<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>m</Message></Error>';
  assert.equal(parseErrorCode(Buffer.from(error)), 'NoSuchKey');
  for (const other of ['', 'NoSuchKey', '<Code>NoSuchKey</Code>', '<html><Code>x</Code></html>',
    '<Error><Code>a b</Code></Error>', '<Error><Code>NoSuchKey</Code>']) {
    assert.equal(parseErrorCode(Buffer.from(other)), undefined, other);
  }
});
