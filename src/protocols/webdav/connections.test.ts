/** What happens on the connection when requests are refused, cut, or wrong. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { beforeEach, describe, it } from 'node:test';
import { DavSite, FILES } from './testing/dav-site.ts';
import { headOf, RawClient } from './testing/raw-client.ts';

const MIB = 1024 * 1024;
const A = `${FILES}/a`;

let site: DavSite;
beforeEach(async (context) => {
  site = await DavSite.open();
  if ('after' in context) context.after(() => site.close());
});

async function connected(): Promise<RawClient> {
  return RawClient.open(site.server.port);
}

async function isThere(path: string): Promise<boolean> {
  return (await site.ask('HEAD', path)).status === 200;
}

/** Resolves when no request is under way any more. */
async function quiet(): Promise<void> {
  while (site.server.inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
}

describe('a refused upload', () => {
  it('with a short body keeps the connection', async () => {
    const client = await connected();
    client.send(headOf('PUT', `${FILES}/no/a`, { 'Content-Length': 1000 }) + 'x'.repeat(1000));
    const first = await client.until(/<\/d:error>/);
    assert.match(first, /^HTTP\/1\.1 409 /);
    assert.doesNotMatch(first, /Connection: close/i);
    client.send(headOf('PUT', A, { 'Content-Length': 1 }) + 'x');
    await client.until(/HTTP\/1\.1 201 /);
    client.close();
  });

  it('with a long body is answered before the body was sent, and closes', async () => {
    const client = await connected();
    client.send(headOf('PUT', `${FILES}/no/a`, { 'Content-Length': 100 * MIB }) + 'x'.repeat(1000));
    const answer = await client.until(/<\/d:error>/);
    assert.match(answer, /^HTTP\/1\.1 409 /);
    assert.match(answer, /Connection: close/i);
    client.close();
    await quiet();
  });

  it('of unknown length closes too', async () => {
    const client = await connected();
    const head = headOf('PUT', `${FILES}/no/a`, { 'Transfer-Encoding': 'chunked' });
    client.send(`${head}5\r\nhello\r\n`);
    assert.match(await client.until(/<\/d:error>/), /Connection: close/i);
    client.close();
    await quiet();
  });

  it('is read by clients that send all of it before they listen', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const body = Buffer.alloc(2 * MIB);
    const refused = await site.ask('PUT', `${FILES}/no/a`, { body, agent });
    assert.equal(refused.status, 409);
    assert.equal((await site.ask('PUT', A, { body: 'x', agent })).status, 201);
    agent.destroy();
  });
});

describe('Expect: 100-continue', () => {
  it('is answered when the body is wanted', async () => {
    const client = await connected();
    client.send(headOf('PUT', A, { 'Content-Length': 5, Expect: '100-continue' }));
    await client.until(/HTTP\/1\.1 100 Continue/);
    client.send('hello');
    await client.until(/HTTP\/1\.1 201 /);
    client.close();
    assert.equal((await site.ask('GET', A)).text, 'hello');
  });

  it('is spared when the request is refused anyway', async () => {
    const client = await connected();
    const headers = { 'Content-Length': 5 * MIB, Expect: '100-continue' };
    client.send(headOf('PUT', `${FILES}/no/a`, headers));
    const answer = await client.until(/<\/d:error>/);
    assert.match(answer, /^HTTP\/1\.1 409 /);
    client.close();
  });
});

describe('an upload that breaks off', () => {
  it('leaves nothing, wherever it breaks', async () => {
    for (const sentBytes of [0, 1, 70_000, 5 * MIB]) {
      const client = await connected();
      client.send(headOf('PUT', A, { 'Content-Length': 6 * MIB, Expect: '100-continue' }));
      await client.until(/100 Continue/);
      client.send(Buffer.alloc(sentBytes));
      await client.end();
      client.close();
      await quiet();
      assert.equal(await isThere(A), false, `${sentBytes} bytes`);
    }
  });

  it('leaves the old content where there was some', async () => {
    await site.ask('PUT', A, { body: 'old' });
    const client = await connected();
    client.send(headOf('PUT', A, { 'Transfer-Encoding': 'chunked', Expect: '100-continue' }));
    await client.until(/100 Continue/);
    client.send('3\r\nnew\r\n');
    await client.end();
    client.close();
    await quiet();
    assert.equal((await site.ask('GET', A)).text, 'old');
  });
});

describe('a body in chunks', () => {
  it('that is malformed leaves nothing', async () => {
    const client = await connected();
    client.send(headOf('PUT', A, { 'Transfer-Encoding': 'chunked' }) + 'zz\r\nhello\r\n');
    await client.untilEnd();
    await quiet();
    assert.equal(await isThere(A), false);
  });

  it('beside a length is no request at all', async () => {
    const client = await connected();
    const headers = { 'Content-Length': 5, 'Transfer-Encoding': 'chunked' };
    client.send(`${headOf('PUT', A, headers)}5\r\nhello\r\n0\r\n\r\n`);
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 400 /);
    assert.equal(await isThere(A), false);
  });
});

describe('a download that breaks off', () => {
  it('is given up without harm', async () => {
    await site.ask('PUT', A, { body: Buffer.alloc(20 * MIB) });
    const client = await connected();
    client.send(headOf('GET', A));
    await client.until(/HTTP\/1\.1 200 /);
    client.close();
    await quiet();
    assert.ok(await isThere(A));
  });
});

describe('raw requests', () => {
  it('may name a destination in UTF-8 without percent signs', async () => {
    await site.ask('PUT', A, { body: 'x' });
    const client = await connected();
    client.send(Buffer.from(headOf('MOVE', A, { Destination: `${FILES}/ä` })));
    await client.until(/HTTP\/1\.1 201 /);
    client.close();
    assert.equal((await site.ask('GET', `${FILES}/%C3%A4`)).text, 'x');
  });

  it('for a fragment are refused', async () => {
    await site.ask('MKCOL', `${FILES}/dir`);
    const client = await connected();
    client.send(headOf('DELETE', `${FILES}/dir#x`));
    assert.match(await client.until(/HTTP\/1\.1 \d\d\d /), /^HTTP\/1\.1 400 /);
    client.close();
    assert.ok(await isThere(`${FILES}/dir`));
  });
});

describe('everybody', () => {
  it('may ask for OPTIONS, and nothing else without a password', async () => {
    const wrong = { authorization: `Basic ${Buffer.from('anna:no').toString('base64')}` };
    const options = await site.ask('OPTIONS', A, { headers: wrong });
    assert.equal(options.status, 200);
    assert.equal(options.headers['dav'], '1, 2, 3');
    assert.equal(options.headers['ms-author-via'], 'DAV');
    assert.match(String(options.headers['allow']), /\bPROPFIND\b/);
    for (const method of ['GET', 'PUT', 'PROPFIND', 'DELETE', 'LOCK', 'POST']) {
      const answer = await site.ask(method, A, { headers: wrong, body: 'x' });
      assert.equal(answer.status, 401, method);
      assert.match(String(answer.headers['www-authenticate']), /^Basic realm="/);
    }
  });

  it('gets 405 and a list for methods that mean nothing here', async () => {
    for (const method of ['POST', 'REPORT', 'SEARCH', 'TRACE']) {
      const answer = await site.ask(method, A);
      assert.equal(answer.status, 405, method);
      assert.match(String(answer.headers['allow']), /\bPROPFIND\b/);
    }
  });
});
