import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CloudSite, PASSWORD } from './testing/cloud-site.ts';

const MIB = 1024 * 1024;
const BEN = `ben:${PASSWORD}`;

describe('the quota of what others share', () => {
  let site: CloudSite;
  before(async () => {
    site = await CloudSite.open({ quotaBytes: 10 * MIB });
    await site.ask('MKCOL', '/dav/plans');
    await site.ask('PUT', '/dav/plans/a', { body: Buffer.alloc(MIB) });
    await site.ask('PUT', '/dav/own', { body: Buffer.alloc(2 * MIB), auth: BEN });
    const share = 'path=/plans&shareType=0&shareWith=ben&permissions=15';
    await site.ask('POST', '/ocs/v2.php/apps/files_sharing/api/v1/shares', {
      body: share,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'OCS-APIRequest': 'true' },
    });
  });
  after(() => site.close());

  /** By address; of folders only. */
  async function rooms(path: string, depth: '0' | '1'): Promise<Record<string, number>> {
    const { text } = await site.ask('PROPFIND', `/dav${path}`, {
      auth: BEN, headers: { Depth: depth },
      body: '<propfind xmlns="DAV:"><prop><quota-available-bytes/></prop></propfind>',
    });
    const found = text.matchAll(/<d:href>([^<]*)<(?:(?!<d:href>).)*?available-bytes>(\d+)</gs);
    return Object.fromEntries([...found].map(([, href = '', bytes]) => [href, Number(bytes)]));
  }

  it('is that of the space where it lives, in a listing and by itself', async () => {
    assert.deepEqual(await rooms('/', '1'), { '/dav/': 8 * MIB, '/dav/plans/': 9 * MIB });
    assert.deepEqual(await rooms('/', '0'), { '/dav/': 8 * MIB });
    assert.deepEqual(await rooms('/plans/', '1'), { '/dav/plans/': 9 * MIB });
  });

  it('is less by what an upload in pieces into it has announced', async () => {
    const { text, status } = await site.ask('MKCOL', '/remote.php/dav/uploads/ben/u', {
      auth: BEN,
      headers: {
        'OC-Total-Length': String(4 * MIB), Destination: '/remote.php/dav/files/ben/plans/new',
      },
    });
    assert.equal(status, 201, text);
    assert.deepEqual(await rooms('/', '1'), { '/dav/': 8 * MIB, '/dav/plans/': 5 * MIB });
    await site.ask('DELETE', '/remote.php/dav/uploads/ben/u', { auth: BEN });
    assert.deepEqual(await rooms('/', '1'), { '/dav/': 8 * MIB, '/dav/plans/': 9 * MIB });
  });
});
