import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { CloudSite } from './testing/cloud-site.ts';
import type { Answer } from './testing/cloud-site.ts';

const UPLOADS = '/remote.php/dav/uploads/anna';
const FILES = '/remote.php/dav/files/anna';

describe('uploads in pieces', () => {
  let site: CloudSite;
  let uploadId = 1000;
  let at = '';
  before(async () => {
    site = await CloudSite.open({ quotaBytes: 1_000_000 });
  });
  after(() => site.close());
  beforeEach(() => {
    uploadId += 1;
    at = `${UPLOADS}/${uploadId}`;
  });

  async function putParts(parts: Readonly<Record<string, string>>): Promise<void> {
    assert.equal((await site.ask('MKCOL', at)).status, 201);
    for (const [name, body] of Object.entries(parts)) {
      const { status, headers } = await site.ask('PUT', `${at}/${name}`, { body });
      assert.equal(status, 201);
      assert.match(headers.etag ?? '', /^"[0-9a-f]{32}"$/);
    }
  }

  const move = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    site.ask('MOVE', `${at}/.file`, { headers: { Destination: `${FILES}/${path}`, ...headers } });

  it('joins parts named by index, from 0, in 16 digits, whatever their order', async () => {
    await putParts({
      '0000000000000002': 'cc', '0000000000000000': 'aa', '0000000000000010': 'dd',
      '0000000000000001': 'bb',
    });
    const sha1 = hash('sha1', 'aabbccdd');
    const made = await move('index.txt', {
      'OC-Total-Length': '8', 'OC-Checksum': `SHA1:${sha1}`, 'X-OC-Mtime': '1700000000',
    });
    assert.equal(made.status, 201);
    assert.match(made.headers.etag ?? '', /^"/);
    assert.equal(made.headers['oc-etag'], made.headers.etag);
    assert.match(String(made.headers['oc-fileid']), /^[0-9]{8}hftest$/);
    assert.equal(made.headers['x-oc-mtime'], 'accepted');
    const got = await site.ask('GET', `${FILES}/index.txt`);
    assert.equal(got.text, 'aabbccdd');
    assert.equal(got.headers.etag, made.headers.etag);
    assert.equal(got.headers['oc-checksum'], `SHA1:${sha1}`);
    assert.equal(got.headers['last-modified'], new Date(1700000000000).toUTCString());
  });

  it('joins parts named by the offset of their first byte', async () => {
    await putParts({ '0000000000000000': 'aaaa', '0000000000000004': 'bb', '000006': 'c' });
    const made = await move('offset.txt', { 'OC-Total-File-Length': '7' });
    assert.equal(made.status, 201);
    assert.equal((await site.ask('GET', `${FILES}/offset.txt`)).text, 'aaaabbc');
  });

  it('lists what is here, so that a client can go on after a break', async () => {
    await putParts({ '0000000000000000': 'aaaa', '0000000000000001': 'bb' });
    const listing = await site.ask('PROPFIND', at, { headers: { Depth: '1' } });
    assert.equal(listing.status, 207);
    const hrefs = [...listing.text.matchAll(/<d:href>([^<]*)<\/d:href>/g)].map(([, href]) => href);
    assert.deepEqual(hrefs, [`${at}/`, `${at}/0000000000000000`, `${at}/0000000000000001`]);
    const lengths = [...listing.text.matchAll(/getcontentlength>(\d+)</g)];
    assert.deepEqual(lengths.map(([, bytes]) => bytes), ['4', '2']);
    const self = await site.ask('PROPFIND', at, { headers: { Depth: '0' } });
    assert.equal(self.text.match(/<d:response>/g)?.length, 1);
    assert.equal((await site.ask('PROPFIND', `${UPLOADS}/none`)).status, 404);
  });

  it('answers a repeated end as the first one, though its condition is false by now', async () => {
    const old = await site.ask('PUT', `${FILES}/again.txt`, { body: 'old' });
    await putParts({ 1: 'new' });
    const tagged = { If: `<${FILES}/again.txt> ([${String(old.headers.etag)}])` };
    const first = await move('again.txt', tagged);
    assert.equal(first.status, 204);
    const second = await move('again.txt', tagged);
    assert.equal(second.status, 204);
    assert.equal(second.headers['oc-fileid'], first.headers['oc-fileid']);
    assert.equal(second.headers.etag, first.headers.etag);
    assert.equal((await site.ask('GET', `${FILES}/again.txt`)).text, 'new');
  });

  it('gives one answer to ends that come at the same time', async () => {
    await putParts({ 1: 'once' });
    const answers = await Promise.all([move('same.txt'), move('same.txt'), move('same.txt')]);
    assert.deepEqual(answers.map(({ status }) => status), [201, 201, 201]);
    assert.equal(new Set(answers.map(({ headers }) => headers.etag)).size, 1);
  });

  /** Lets something happen between the judgement of a request and its end. */
  function meanwhile(method: 'listParts' | 'finish', act: () => Promise<unknown>): void {
    const { uploads } = site;
    const once = async (): Promise<void> => {
      Reflect.deleteProperty(uploads, method);
      await act();
    };
    if (method === 'finish') {
      uploads.finish = async (...args) => {
        await once();
        return uploads.finish(...args);
      };
      return;
    }
    uploads.listParts = async (...args) => {
      Reflect.deleteProperty(uploads, method);
      const parts = await uploads.listParts(...args);
      await act();
      return parts;
    };
  }

  it('takes its own change for no conflict when the same end overtakes it', async () => {
    const old = await site.ask('PUT', `${FILES}/race.txt`, { body: 'old' });
    const tagged = { If: `<${FILES}/race.txt> ([${String(old.headers.etag)}])` };
    await putParts({ 1: 'new' });
    meanwhile('listParts', () => move('race.txt', tagged));
    const late = await move('race.txt', tagged);
    assert.equal(late.status, 204);
    assert.equal((await site.ask('GET', `${FILES}/race.txt`)).headers.etag, late.headers.etag);
  });

  it('refuses when somebody else changes the file at the last moment', async () => {
    const old = await site.ask('PUT', `${FILES}/theirs.txt`, { body: 'old' });
    const tagged = { If: `<${FILES}/theirs.txt> ([${String(old.headers.etag)}])` };
    await putParts({ 1: 'mine' });
    meanwhile('finish', () => site.ask('PUT', `${FILES}/theirs.txt`, { body: 'theirs' }));
    assert.equal((await move('theirs.txt', tagged)).status, 412);
    assert.equal((await site.ask('GET', `${FILES}/theirs.txt`)).text, 'theirs');
  });

  it('judges the If header at the destination, and keeps the parts when it is false', async () => {
    await site.ask('PUT', `${FILES}/judged.txt`, { body: 'theirs' });
    await putParts({ 1: 'mine' });
    const refused = await move('judged.txt', { If: `<${FILES}/judged.txt> (["stale"])` });
    assert.equal(refused.status, 412);
    assert.equal((await site.ask('GET', `${FILES}/judged.txt`)).text, 'theirs');
    const overwrite = await move('judged.txt', { Overwrite: 'F' });
    assert.equal(overwrite.status, 412);
    assert.equal((await move('judged.txt')).status, 204);
    assert.equal((await site.ask('GET', `${FILES}/judged.txt`)).text, 'mine');
  });

  it('asks for the token of a lock at the destination, and takes it', async () => {
    const lock = await site.ask('LOCK', `${FILES}/locked.txt`, {
      body: '<d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope>'
        + '<d:locktype><d:write/></d:locktype></d:lockinfo>',
    });
    assert.equal(lock.status, 201);
    await putParts({ 1: 'locked' });
    assert.equal((await move('locked.txt')).status, 423);
    const token = String(lock.headers['lock-token']);
    const shown = { If: `<${FILES}/locked.txt> (${token})` };
    assert.equal((await move('locked.txt', shown)).status, 204);
  });

  it('refuses wrong lengths and checksums, and stores nothing then', async () => {
    await putParts({ 1: 'abc' });
    assert.equal((await move('bad.txt', { 'OC-Total-Length': '4' })).status, 400);
    assert.equal((await move('bad.txt', { 'OC-Total-Length': 'x' })).status, 400);
    const checksum = `SHA1:${hash('sha1', 'abd')}`;
    assert.equal((await move('bad.txt', { 'OC-Checksum': checksum })).status, 400);
    assert.equal((await move('nowhere/bad.txt')).status, 409);
    assert.equal((await site.ask('GET', `${FILES}/bad.txt`)).status, 404);
    const part = await site.ask('PUT', `${at}/2`, {
      body: 'x', headers: { 'OC-Checksum': checksum },
    });
    assert.equal(part.status, 400);
    assert.equal((await move('bad.txt', { 'OC-Total-Length': '3' })).status, 201);
  });

  it('refuses what cannot fit into the quota at once, and at the end', async () => {
    const early = await site.ask('MKCOL', at, { headers: { 'OC-Total-Length': '2000000' } });
    assert.equal(early.status, 507);
    const big = 'x'.repeat(600_000);
    await putParts({ 1: big, 2: big });
    assert.equal((await move('big.bin')).status, 507);
  });

  it('forgets an upload on DELETE, calmly also twice, and after a day', async () => {
    await putParts({ 1: 'abc' });
    assert.equal((await site.ask('DELETE', at)).status, 204);
    assert.equal((await site.ask('DELETE', at)).status, 204);
    assert.equal((await site.ask('PUT', `${at}/2`, { body: 'x' })).status, 404);
    assert.equal((await move('gone.txt')).status, 404);
    await putParts({ 1: 'abc' });
    site.clock.advance(25 * 60 * 60 * 1000);
    assert.ok(await site.uploads.expire() > 0);
    assert.equal((await site.ask('PROPFIND', at)).status, 404);
  });

  it('keeps users apart, and destinations inside the caller\'s files', async () => {
    await putParts({ 1: 'secret' });
    for (const method of ['MKCOL', 'PROPFIND', 'DELETE']) {
      assert.equal((await site.ask(method, at, { auth: 'ben:correct horse battery' })).status, 403);
    }
    assert.equal((await site.ask('MKCOL', at, { auth: undefined })).status, 401);
    const destinations = {
      '/remote.php/dav/files/ben/x': 403, 'https://elsewhere.example/x': 502,
      '/remote.php/dav/uploads/anna/1/x': 403, '/remote.php/dav/files/anna/../ben/x': 400,
      '/remote.php/dav/files/anna/a%2Fb': 400, '': 400,
    };
    for (const [destination, status] of Object.entries(destinations)) {
      const headers = { Destination: destination };
      const answer = await site.ask('MOVE', `${at}/.file`, { headers });
      assert.equal(answer.status, status, destination);
    }
  });

  it('refuses names and methods that have no place here', async () => {
    await putParts({ 1: 'abc' });
    const wrong: [string, string, number][] = [
      ['PUT', `${at}/.file`, 405], ['PUT', `${at}/abc`, 400], ['PUT', `${at}/1/2`, 404],
      ['PUT', `${at}/-1`, 400], ['PUT', `${at}/99999999999999999999`, 400], ['PUT', at, 405],
      ['GET', `${at}/1`, 405], ['MOVE', `${at}/1`, 405], ['MKCOL', `${at}/1`, 405],
      ['MKCOL', `${UPLOADS}/%2e%2e`, 400], ['MKCOL', `${UPLOADS}/a%20b`, 400],
      ['MKCOL', `${UPLOADS}/${'1'.repeat(129)}`, 400],
      ['PROPFIND', '/remote.php/dav/uploads/', 404],
      ['DELETE', `${at}/1`, 405], ['PUT', `${at}/%zz`, 400],
    ];
    for (const [method, path, status] of wrong) {
      const body = method === 'PUT' ? { body: 'x' } : {};
      assert.equal((await site.ask(method, path, body)).status, status, `${method} ${path}`);
    }
    const listing = await site.ask('PROPFIND', at);
    assert.ok(!listing.text.includes('.file'));
    assert.equal((await site.ask('MKCOL', at, { body: '<x/>' })).status, 415);
    assert.equal((await site.ask('OPTIONS', at, { auth: undefined })).headers['dav'], '1, 2, 3');
  });
});
