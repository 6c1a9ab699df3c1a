import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { CloudSite, PASSWORD } from './testing/cloud-site.ts';
import type { Answer } from './testing/cloud-site.ts';

const BOUNDARY = 'boundary_.oOo._A/B+C=';
const BULK = '/remote.php/dav/bulk';
const FILES = '/remote.php/dav/files/anna';

type Answers = Record<string, {
  error: boolean; etag?: string; fileid?: string; permissions?: string; message?: string;
}>;

function partOf(path: string, content: string, headers: Record<string, string> = {}): string {
  const all = {
    'Content-Length': String(Buffer.byteLength(content)),
    'Content-Type': 'application/octet-stream',
    'X-File-MD5': hash('md5', content), 'X-File-Mtime': '1700000000', 'X-File-Path': path,
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `--${BOUNDARY}\r\n${lines}\r\n${content}\r\n`;
}

describe('bulk upload', () => {
  let site: CloudSite;
  before(async () => {
    site = await CloudSite.open({ bulkUpload: 'on' });
    await site.ask('MKCOL', `${FILES}/B%C3%BCcher`);
  });
  after(() => site.close());

  const post = (parts: readonly string[], auth = `anna:${PASSWORD}`): Promise<Answer> =>
    send(`${parts.join('')}--${BOUNDARY}--\r\n`, auth);
  const send = (body: string, auth = `anna:${PASSWORD}`): Promise<Answer> =>
    site.ask('POST', BULK, {
      body, auth,
      headers: { 'Content-Type': `multipart/related; boundary="${BOUNDARY}"` },
    });

  it('stores every file and answers by path what a client must know', async () => {
    const answer = await post([
      partOf('/Bücher/ä ☃.txt', 'snow'), partOf('/empty', ''), partOf('/plain.txt', 'plain'),
    ]);
    assert.equal(answer.status, 200, answer.text);
    const answers = JSON.parse(answer.text) as Answers;
    assert.deepEqual(Object.keys(answers).sort(), ['/Bücher/ä ☃.txt', '/empty', '/plain.txt']);
    const got = await site.ask('GET', `${FILES}/B%C3%BCcher/%C3%A4%20%E2%98%83.txt`);
    assert.equal(got.text, 'snow');
    const told = answers['/Bücher/ä ☃.txt'];
    assert.equal(told?.error, false);
    assert.equal(`"${told?.etag ?? ''}"`, got.headers.etag);
    assert.equal(told?.fileid, got.headers['oc-fileid']);
    assert.equal(told?.permissions, 'RGDNVW');
    assert.equal(got.headers['last-modified'], new Date(1700000000000).toUTCString());
  });

  it('refuses single files and stores the rest', async () => {
    const answer = await post([
      partOf('/good.txt', 'good'),
      partOf('/damaged.txt', 'damaged', { 'X-File-MD5': hash('md5', 'other') }),
      partOf('/wrong-sum.txt', 'x', { 'OC-Checksum': `SHA1:${hash('sha1', 'y')}` }),
      partOf('/both.txt', 'x', {
        'OC-Checksum': `SHA1:${hash('sha1', 'x')}`, 'X-File-MD5': hash('md5', 'y'),
      }),
      partOf('/no-parent/x.txt', 'x'), partOf('/../ben/x.txt', 'x'), partOf('/', 'x'),
      partOf('/late.txt', 'x', { 'X-File-Mtime': 'soon' }), partOf('__proto__', 'odd'),
    ]);
    assert.equal(answer.status, 200);
    const answers = JSON.parse(answer.text) as Answers;
    const stored = Object.keys(answers).filter((path) => answers[path]?.error === false);
    assert.deepEqual(stored.sort(), ['/good.txt', '__proto__']);
    assert.match(answers['/no-parent/x.txt']?.message ?? '', /does not exist/);
    for (const path of ['damaged.txt', 'wrong-sum.txt', 'both.txt', 'late.txt']) {
      assert.equal((await site.ask('GET', `${FILES}/${path}`)).status, 404, path);
    }
  });

  it('stores two contents of one path in the order in which they came', async () => {
    const { files } = site;
    const slow = Promise.withResolvers<void>();
    files.upload = async (...args) => {
      Reflect.deleteProperty(files, 'upload');
      for (let turn = 0; turn < 100; turn += 1) await setImmediate();
      return files.upload(...args).finally(slow.resolve);
    };
    await post([partOf('/twice.txt', 'slow'), partOf('/twice.txt', 'quick')]);
    await slow.promise;
    assert.equal((await site.ask('GET', `${FILES}/twice.txt`)).text, 'quick');
  });

  it('reads on in a body that is here as a whole while its first files are stored', async () => {
    // Ben's password is verified here for the first time: meanwhile all of the body arrives.
    const parts = Array.from({ length: 60 }, (_, at) => partOf(`/burst-${at}.txt`, ''));
    const answer = await post(parts, `ben:${PASSWORD}`);
    assert.equal(answer.status, 200);
    assert.equal(Object.keys(JSON.parse(answer.text) as Answers).length, 60);
  });

  it('takes hundreds of files in one request', async () => {
    const parts = Array.from({ length: 300 }, (_, at) => partOf(`/many-${at}.txt`, `number ${at}`));
    const answers = JSON.parse((await post(parts)).text) as Answers;
    assert.equal(Object.values(answers).filter(({ error }) => !error).length, 300);
  });

  it('refuses a malformed list, and says so in the form of DAV', async () => {
    for (const broken of [
      await send(partOf('/list-a.txt', 'a')),
      await post([partOf('/list-b.txt', 'b', { 'Content-Length': '100' })]),
      await post(['garbage']),
      await post([`--${BOUNDARY}\r\nContent-Length: 1\r\n\r\nx\r\n`]),
      await site.ask('POST', BULK, { body: 'x', headers: { 'Content-Type': 'text/plain' } }),
    ]) {
      assert.equal(broken.status, 400);
      assert.match(broken.text, /<s:exception>Sabre\\DAV\\Exception\\BadRequest/);
    }
    assert.equal((await site.ask('GET', `${FILES}/list-b.txt`)).status, 404);
  });

  it('stores no file of which the end did not arrive', async () => {
    const body = partOf('/whole.txt', 'whole') + partOf('/half.txt', 'half of it');
    const cut = body.slice(0, body.length - 8);
    const auth = Buffer.from(`anna:${PASSWORD}`).toString('base64');
    const socket = connect(site.server.port, '127.0.0.1');
    socket.end(`POST ${BULK} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${auth}\r\n`
      + `Content-Type: multipart/related; boundary="${BOUNDARY}"\r\n`
      + `Content-Length: ${body.length}\r\n\r\n${cut}`);
    await new Promise((resolve) => {
      socket.on('close', resolve);
      socket.on('error', resolve);
      socket.resume();
    });
    assert.equal((await site.ask('GET', `${FILES}/half.txt`)).status, 404);
  });

  it('wants a password, and POST', async () => {
    assert.equal((await site.ask('POST', BULK, { auth: undefined, body: 'x' })).status, 401);
    assert.equal((await site.ask('GET', BULK)).status, 405);
  });

  it('is advertised when it is on, and not there when it is off', async () => {
    const path = '/ocs/v1.php/cloud/capabilities?format=json';
    assert.match((await site.ocs(path)).text, /"bulkupload":"1.0"/);
    const plain = await CloudSite.open();
    try {
      assert.doesNotMatch((await plain.ocs(path)).text, /bulkupload/);
      assert.equal((await plain.ask('POST', BULK, { body: 'x' })).status, 404);
    } finally {
      await plain.close();
    }
  });
});
