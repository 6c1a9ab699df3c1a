import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseUserId } from '../../base/ids.ts';
import { CloudSite, PASSWORD } from './testing/cloud-site.ts';
import type { Answer } from './testing/cloud-site.ts';

interface Ocs {
  meta: { status: string; statuscode: number; message: string };
  data: Record<string, unknown>;
}

function ocsOf(answer: Answer): Ocs {
  return (JSON.parse(answer.text) as { ocs: Ocs }).ocs;
}

describe('the status page and the OCS interface', () => {
  let site: CloudSite;
  before(async () => {
    site = await CloudSite.open({ quotaBytes: 1000 });
  });
  after(() => site.close());

  it('tells everybody that it is installed and which version it speaks', async () => {
    for (const path of ['/status.php', '/index.php/status.php']) {
      const { status, headers, text } = await site.ask('GET', path, { auth: undefined });
      assert.equal(status, 200);
      assert.match(headers['content-type'] ?? '', /^application\/json/);
      assert.deepEqual(JSON.parse(text), {
        installed: true, maintenance: false, needsDbUpgrade: false, version: '25.0.4.1',
        versionstring: '25.0.4', edition: '', productname: 'Holdfast', extendedSupport: false,
      });
    }
  });

  it('names what it can do in the envelope of version 1', async () => {
    const answer = await site.ocs('/ocs/v1.php/cloud/capabilities?format=json');
    assert.equal(answer.status, 200);
    const { meta, data } = ocsOf(answer);
    assert.deepEqual(meta, { status: 'ok', statuscode: 100, message: 'OK' });
    const capabilities = data['capabilities'] as Record<string, Record<string, unknown>>;
    assert.deepEqual(capabilities['dav'], { chunking: '1.0' });
    assert.equal(capabilities['files_sharing']?.['api_enabled'], true);
    for (const name of ['undelete', 'versioning', 'api-feature-lock-type']) {
      assert.equal(capabilities['files']?.[name], true, name);
    }
    assert.equal(capabilities['files']?.['locking'], '1.0');
    assert.equal(capabilities['core']?.['webdav-root'], 'remote.php/webdav');
  });

  it('shows its capabilities before anybody signs in, but to no wrong password', async () => {
    const path = '/ocs/v2.php/cloud/capabilities?format=json';
    const open = await site.ocs(path, { auth: undefined });
    assert.equal(open.status, 200);
    assert.equal(ocsOf(open).meta.statuscode, 200);
    const wrong = await site.ocs(path, { auth: 'anna:wrong password' });
    assert.equal(wrong.status, 401);
    assert.equal(ocsOf(wrong).meta.statuscode, 997);
    assert.match(wrong.headers['www-authenticate'] ?? '', /^Basic realm="/);
  });

  it('answers 304 to a client that knows the capabilities', async () => {
    const path = '/ocs/v2.php/cloud/capabilities?format=json';
    const { headers } = await site.ocs(path);
    const again = await site.ocs(path, { headers: { 'If-None-Match': headers.etag } });
    assert.equal(again.status, 304);
    assert.equal(again.text, '');
  });

  it('tells users who they are, and how much room is left', async () => {
    const { data } = ocsOf(await site.ocs('/ocs/v1.php/cloud/user?format=json'));
    assert.deepEqual(data, {
      id: 'anna', enabled: true, 'display-name': 'Anna', displayname: 'Anna', email: '',
      language: 'en', groups: [],
      quota: { free: 1000, used: 0, total: 1000, relative: 0, quota: 1000 },
    });
    const named = await site.ocs('/ocs/v2.php/cloud/users/anna?format=json');
    assert.deepEqual(ocsOf(named).data, data);
  });

  it('speaks XML unless asked for JSON, by the address or by the Accept header', async () => {
    const xml = await site.ocs('/ocs/v1.php/cloud/user');
    assert.match(xml.headers['content-type'] ?? '', /^text\/xml/);
    assert.match(xml.text, /<ocs><meta><status>ok<\/status><statuscode>100<\/statuscode>/);
    assert.match(xml.text, /<enabled>1<\/enabled>.*<groups><\/groups>/);
    const json = await site.ocs('/ocs/v1.php/cloud/user', {
      headers: { Accept: 'application/json' },
    });
    assert.equal(ocsOf(json).data['id'], 'anna');
  });

  it('says nothing about other users, there or not', async () => {
    for (const other of ['ben', 'nobody', 'Anna%2f', 'ann%61x']) {
      const { status, text } = await site.ocs(`/ocs/v2.php/cloud/users/${other}?format=json`);
      assert.equal(status, 404);
      assert.ok(!text.includes('quota'));
    }
    const same = await site.ocs('/ocs/v2.php/cloud/users/ann%61?format=json');
    assert.equal(same.status, 200);
  });

  it('answers an unknown address with 998, or with 404 in version 2', async () => {
    const path = 'apps/notifications/api/v2/notifications?format=json';
    const first = await site.ocs(`/ocs/v1.php/${path}`);
    assert.deepEqual([first.status, ocsOf(first).meta.statuscode], [200, 998]);
    const second = await site.ocs(`/ocs/v2.php/${path}`);
    assert.deepEqual([second.status, ocsOf(second).meta.statuscode], [404, 404]);
    const wrong = await site.ocs(`/ocs/v1.php/${path}`, { auth: 'ben:wrong password' });
    assert.equal(wrong.status, 401);
  });

  it('refuses a request without the header that other sites cannot send', async () => {
    const { status } = await site.ask('GET', '/ocs/v2.php/cloud/user?format=json');
    assert.equal(status, 412);
  });

  it('makes an app password, and forgets it when the device asks for it', async () => {
    const path = '/ocs/v2.php/core/getapppassword?format=json';
    const made = await site.ocs(path, { headers: { 'User-Agent': 'A phone' } });
    const password = String(ocsOf(made).data['apppassword']);
    const listed = await site.identity.appPasswords.list(parseUserId('anna'));
    assert.deepEqual(listed.map(({ device }) => device), ['A phone']);
    const auth = `anna:${password}`;
    assert.equal((await site.ocs('/ocs/v2.php/cloud/user', { auth })).status, 200);
    assert.equal((await site.ocs(path, { auth })).status, 403);
    const drop = (who: string): Promise<Answer> =>
      site.ask('DELETE', '/ocs/v2.php/core/apppassword', {
        auth: who, headers: { 'OCS-APIRequest': 'true' },
      });
    assert.equal((await drop(`anna:${PASSWORD}`)).status, 403);
    assert.equal((await drop(auth)).status, 200);
    assert.equal((await site.ocs('/ocs/v2.php/cloud/user', { auth })).status, 401);
  });

  it('never wants a device erased', async () => {
    for (const path of ['/index.php/core/wipe/check', '/core/wipe/success']) {
      const { status } = await site.ask('POST', path, { auth: undefined, body: 'token=x' });
      assert.equal(status, 404);
    }
  });

  it('says 401 to Bearer, to half a header and to garbage, with the Basic challenge', async () => {
    const long = `Basic ${'A'.repeat(9000)}`;
    const headers = ['Bearer abc', 'Basic', 'Basic !!!', 'Basic YW5uYQ==', long];
    for (const authorization of headers) {
      const { status, headers: answered } = await site.ask('PROPFIND', '/remote.php/webdav/', {
        auth: undefined, headers: { authorization, depth: '0' },
      });
      assert.equal(status, 401, authorization.slice(0, 20));
      assert.match(answered['www-authenticate'] ?? '', /^Basic /);
    }
  });
});
