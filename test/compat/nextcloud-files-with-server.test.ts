/** The client library of Nextcloud's own web page (@nextcloud/files, with `webdav` below it), as it
 *  is published, against our server. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { openCloudPage } from './nextcloud-page.ts';
import type { CloudNode, CloudPage } from './nextcloud-page.ts';

/** All that the library knows: read, write, create, update, delete, share. */
const PERMISSIONS_ALL = 31;
/** More than one chunk of those the library makes. */
const LARGE_BYTES = 12_000_000;
const FAVORITE = '<?xml version="1.0"?><d:propertyupdate xmlns:d="DAV:" '
  + 'xmlns:oc="http://owncloud.org/ns"><d:set><d:prop><oc:favorite>1</oc:favorite></d:prop>'
  + '</d:set></d:propertyupdate>';

describe('@nextcloud/files', { timeout: 300_000 }, () => {
  const servers = serverForTests();
  let server: TestServer;
  let user: DavClient;
  let page: CloudPage;
  let root: string;

  before(async () => {
    server = await servers.start();
    user = await server.addUser();
    page = await openCloudPage(server, user);
    root = page.dav.getRootPath();
  });

  async function list(folder: string): Promise<CloudNode[]> {
    const { dav, client } = page;
    const { data } = await client.getDirectoryContents(`${root}${folder}`, {
      details: true, data: dav.getDefaultPropfind(), includeSelf: true,
    });
    return data.map((one) => dav.resultToNode(one));
  }

  it('finds its way, lists folders, and knows what it sees of each node', async () => {
    const { client, dav } = page;
    assert.equal(root, `/files/${user.name}`);
    assert.equal(dav.getRemoteURL(), `${server.url}/remote.php/dav`);
    await client.createDirectory(`${root}/work`);
    assert.equal(await client.putFileContents(`${root}/work/Größe & mehr.txt`, 'hello'), true);
    const [self, file] = await list('/work');
    assert.deepEqual([self?.type, self?.path, self?.size], ['folder', '/work', 5]);
    assert.ok(file !== undefined);
    const { type, path, size, mime, owner, permissions, fileid, mtime } = file;
    assert.deepEqual({ type, path, size, mime, owner, permissions }, {
      type: 'file', path: '/work/Größe & mehr.txt', size: 5, mime: 'text/plain',
      owner: user.name, permissions: PERMISSIONS_ALL,
    });
    assert.ok(fileid > 0 && Math.abs(mtime.getTime() - Date.now()) < 600_000);
    const { etag } = await client.stat(`${root}/work/Größe & mehr.txt`);
    assert.equal(String(file.attributes['etag']), etag.replaceAll('"', ''));
  });

  it('moves, copies, marks and removes', async () => {
    const { client } = page;
    const [, before] = await list('/work');
    await client.moveFile(`${root}/work/Größe & mehr.txt`, `${root}/work/b.txt`);
    await client.copyFile(`${root}/work/b.txt`, `${root}/work/c.txt`);
    assert.equal(await client.getFileContents(`${root}/work/c.txt`, { format: 'text' }), 'hello');
    const marked = await client.customRequest(`${root}/work/b.txt`, {
      method: 'PROPPATCH', data: FAVORITE,
    });
    assert.equal(marked.status, 207);
    const [, b, c] = await list('/work');
    assert.deepEqual([b?.fileid, b?.attributes['favorite'], c?.attributes['favorite']],
      [before?.fileid, 1, 0]);
    await client.deleteFile(`${root}/work/c.txt`);
    assert.equal(await client.exists(`${root}/work/c.txt`), false);
  });

  it('uploads a large file in chunks, with its time', async () => {
    const { upload, client } = page;
    const lastModified = 1_600_000_000_000;
    const file = new File(['x'.repeat(LARGE_BYTES)], 'large.bin', { lastModified });
    const done = await upload.getUploader().upload('work/large.bin', file);
    assert.equal(done.isChunked, true);
    const at = `${root}/work/large.bin`;
    // The library goes on with putting the chunks together by itself.
    await eventually(60_000, 'the chunks are one file', () => client.exists(at));
    const { size, lastmod } = await client.stat(at);
    assert.deepEqual([size, Date.parse(lastmod)], [LARGE_BYTES, lastModified]);
  });

  it('is told clearly what is not offered: searching, and listing favorites', async () => {
    const { dav, client } = page;
    const isRefused = (error: unknown): boolean => (error as { status?: number }).status === 405;
    await assert.rejects(dav.getFavoriteNodes({ client }), isRefused);
    const data = dav.getRecentSearch(0);
    await assert.rejects(client.search('/', { details: true, data }), isRefused);
  });
});
