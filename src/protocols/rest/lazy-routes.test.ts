import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ActivityFeed, BlockUploads, FolderVerify, FolderZips } from '../../files/index.ts';
import { CloudSite } from '../nextcloud/testing/cloud-site.ts';
import { MemoryIdempotencyStore } from './idempotency/stores/memory/memory-idempotency-store.ts';
import { restRoutes } from './lazy-routes.ts';

describe('the API, loaded late', () => {
  let folder: string;
  let site: CloudSite;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-lazy-'));
    await writeFile(join(folder, 'part.ts'), 'as it was');
    site = await CloudSite.open({
      moreRoutes: (parts) => restRoutes({
        ...parts, idempotency: new MemoryIdempotencyStore(), zips: new FolderZips(parts),
        folderVerify: new FolderVerify(parts), activity: new ActivityFeed(parts),
        blocks: new BlockUploads(parts),
      }, [folder]),
    });
  });
  after(async () => {
    await site?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is refused while other files lie there than at the start', async () => {
    const address = `http://127.0.0.1:${site.server.port}/api/v1/openapi.json`;
    await writeFile(join(folder, 'new.ts'), 'of another version');
    const refused = await fetch(address);
    assert.equal(refused.status, 503);
    assert.equal((await refused.json() as { code: string }).code, 'program-replaced');
    await rm(join(folder, 'new.ts'));
    const answered = await fetch(address);
    assert.equal(answered.status, 200);
    assert.ok('paths' in (await answered.json() as object));
    await writeFile(join(folder, 'new.ts'), 'of another version');
    assert.equal((await fetch(address)).status, 200, 'what is loaded stays');
  });
});
