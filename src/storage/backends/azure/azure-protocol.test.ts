import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError } from '../../../base/errors.ts';
import { SeededRandom, systemClock } from '../../../platform/index.ts';
import { parseBlobPage, parseErrorCode } from './azure-answers.ts';
import { azurePlaceOf, type AzureOptions } from './azure-options.ts';
import { textToSign } from './shared-key.ts';

function page(inside: string): Buffer {
  const name = 'EnumerationResults';
  return Buffer.from(`\uFEFF<?xml version="1.0"?><${name}>${inside}</${name}>`);
}
function blob(name: string, sizeBytes: number | string): string {
  const properties = `<Content-Length>${sizeBytes}</Content-Length>`;
  return `<Blob><Name>${name}</Name><Properties>${properties}</Properties></Blob>`;
}

describe('A page of a listing', () => {
  it('is read with its blobs and what comes after', () => {
    const text = `<Blobs>${blob('p/a', 1)}${blob('p/b', 22)}</Blobs><NextMarker>2!x</NextMarker>`;
    assert.deepEqual(parseBlobPage(page(text), 'p/'), {
      blobs: [{ key: 'p/a', sizeBytes: 1 }, { key: 'p/b', sizeBytes: 22 }], nextMarker: '2!x',
    });
    const last = parseBlobPage(page('<Blobs/><NextMarker/>'), 'p/');
    assert.deepEqual(last, { blobs: [], nextMarker: undefined });
  });

  it('is refused when it is cut off, out of order, of another prefix, or has no end', () => {
    const end = '<NextMarker/>';
    const wrong = [
      page(`<Blobs>${blob('p/a', 1)}</Blobs>`),
      page(`<Blobs>${blob('p/b', 1)}${blob('p/a', 1)}</Blobs>${end}`),
      page(`<Blobs>${blob('p/a', 1)}${blob('p/a', 1)}</Blobs>${end}`),
      page(`<Blobs>${blob('q/a', 1)}</Blobs>${end}`),
      page(`<Blobs>${blob('p/a', 'many')}</Blobs>${end}`),
      page(`<Blobs>${blob('p/a', 1)}</Blobs>${end}`).subarray(0, -3),
      Buffer.from('<html>Sign in to the hotel network</html>'),
      Buffer.from(''),
    ];
    for (const [at, body] of wrong.entries()) {
      assert.equal(parseBlobPage(body, 'p/'), undefined, `${at}`);
    }
  });

  it('that is an error is known by its word', () => {
    assert.equal(parseErrorCode(Buffer.from('<Error><Code>ServerBusy</Code></Error>')), 'ServerBusy');
    assert.equal(parseErrorCode(Buffer.from('<Error><Code>x y</Code></Error>')), undefined);
    assert.equal(parseErrorCode(Buffer.from('not xml')), undefined);
  });
});

it('A request is signed with its lines and headers in the order of the protocol', () => {
  const text = textToSign({
    method: 'PUT', path: '/photos/b?timeout=20&Comp=x',
    headers: {
      host: 'h', 'content-length': '5', 'content-md5': 'md5==', 'content-type': 'text/plain',
      'x-ms-version': '2020-10-02', 'x-ms-date': 'Fri, 26 Jun 2015 23:39:12 GMT',
      'x-ms-meta-b': ' two ', 'if-none-match': '*',
    },
  }, 'name');
  const lines = [
    'PUT', '', '', '5', 'md5==', 'text/plain', '', '', '', '*', '', '',
    'x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT', 'x-ms-meta-b:two', 'x-ms-version:2020-10-02',
    '/name/photos/b', 'comp:x', 'timeout:20',
  ];
  assert.equal(text, lines.join('\n'));
  assert.ok(textToSign({ method: 'PUT', path: '/', headers: { 'content-length': '0' } }, 'name')
    .startsWith('PUT\n\n\n\n'), 'no length is signed for an empty body');
});

describe('The settings of Azure', () => {
  const key = Buffer.alloc(64, 'k').toString('base64');
  const right: AzureOptions = {
    account: 'someaccount', container: 'blocks', credentials: { accountKey: key },
    storeId: 's', whenEmpty: 'create', clock: systemClock, random: new SeededRandom(1),
    onFinding: () => undefined,
  };

  it('lead to Azure, or to the endpoint given', () => {
    const own = azurePlaceOf(right);
    assert.equal(own.endpoint.href, 'https://someaccount.blob.core.windows.net/');
    assert.equal(own.basePath, '/blocks');
    const endpoint = 'http://127.0.0.1:10000/someaccount';
    assert.equal(azurePlaceOf({ ...right, endpoint }).basePath, '/someaccount/blocks');
    const sasToken = '?sv=2020-10-02&sig=abc';
    const { proof } = azurePlaceOf({ ...right, credentials: { sasToken } });
    assert.deepEqual(proof, { kind: 'signature', query: 'sv=2020-10-02&sig=abc' });
  });

  it('are refused with what to correct when they cannot be right, and show no secret', () => {
    const wrong: [string, Partial<AzureOptions>][] = [
      ['account', { account: 'Some-Account' }],
      ['container', { container: 'a--b' }],
      ['container', { container: 'ab' }],
      ['prefix', { prefix: '../x/' }],
      ['prefix', { prefix: 'x' }],
      ['account_key', { credentials: { accountKey: 'secret, not a key' } }],
      ['sas_token', { credentials: { sasToken: 'sig=secret' } }],
      ['endpoint', { endpoint: 'ftp://host' }],
      ['endpoint', { endpoint: 'no address' }],
      ['endpoint', { endpoint: 'https://host/some/path' }],
      ['endpoint', { endpoint: 'https://user:secret@host' }],
      ['allow_plain_http', { endpoint: 'http://example.org' }],
    ];
    for (const [setting, more] of wrong) {
      assert.throws(() => azurePlaceOf({ ...right, ...more }), (error) => {
        assert.ok(error instanceof HoldfastError && error.kind === 'invalid');
        assert.ok(error.message.includes(`storage.azure.${setting}`), error.message);
        return !error.message.includes('secret');
      });
    }
    const allowPlainHttp = true;
    azurePlaceOf({ ...right, endpoint: 'http://example.org', allowPlainHttp });
  });
});
