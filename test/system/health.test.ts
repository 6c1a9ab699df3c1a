/** What machines ask, and what nobody must find in the answers or in the log. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { ask, basic } from '../support/dav-client.ts';
import { sendRaw } from '../support/raw-http.ts';
import { serverForTests } from '../support/server.ts';

const MARKER = 'XSECRETNAMEX';

describe('health and figures', { timeout: 600_000 }, () => {
  const servers = serverForTests();

  it('answers /healthz, /readyz and /metrics', async () => {
    const server = await servers.start();
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      const { status, text } = await ask('GET', server.url + path);
      assert.equal(status, 200, `${path}: ${text}`);
    }
    const { text } = await ask('GET', `${server.url}/metrics`);
    assert.match(text, /^# HELP /m);
    assert.match(text, /requests?_/);
  });

  it('tells neither names nor passwords nor content, whatever happens', async () => {
    const server = await servers.start({ env: { HOLDFAST_LOG_LEVEL: 'debug' } });
    const password = `${MARKER}-password`;
    const user = await server.addUser({ password });
    await user.makeFolder(`folder ${MARKER}`);
    await user.put(`folder ${MARKER}/file ${MARKER}.txt`, `content ${MARKER}`);
    await user.get(`folder ${MARKER}/file ${MARKER}.txt`);
    await user.get(`missing ${MARKER}`);
    await user.put(`no parent ${MARKER}/x`, MARKER);
    await user.put(`long ${MARKER}${'x'.repeat(300)}`, MARKER);
    await user.put('sum.txt', MARKER, { 'OC-Checksum': `SHA1:${'0'.repeat(40)}` });
    await user.file('PROPFIND', `folder ${MARKER}`, { body: `<broken ${MARKER}` });
    await user.file('PROPPATCH', `folder ${MARKER}`, {
      body: '<propertyupdate xmlns="DAV:"><set><prop>'
        + `<x xmlns="y">${MARKER}</x></prop></set></propertyupdate>`,
    });
    await user.move(`folder ${MARKER}`, `elsewhere ${MARKER}`);
    await user.remove(`elsewhere ${MARKER}`);
    await user.ask('GET', `/nowhere/${MARKER}?token=${MARKER}`);
    await server.client(`nobody-${MARKER}`, password).get('x');
    await server.client('ada', `wrong ${MARKER} password`).get('x');
    await sendRaw(server.port, `GET /dav/${MARKER}%ZZ HTTP/1.1\r\nHost: x\r\n`
      + `Authorization: ${basic(user.credentials)}\r\nConnection: close\r\n\r\n`);
    const { text } = await ask('GET', `${server.url}/metrics`);
    assert.ok(!text.includes(MARKER), 'a name is in /metrics');
    await server.stop();
    const encoded = Buffer.from(password).toString('base64').slice(0, -4);
    for (const secret of [MARKER, MARKER.toLowerCase(), encoded]) {
      const line = server.log.split('\n').find((one) => one.includes(secret));
      assert.equal(line, undefined, 'a name or a secret is in the log');
    }
    assert.ok(server.log.length > 50, 'an empty log proves nothing');
  });
});
