import assert from 'node:assert/strict';
import { it } from 'node:test';
import { anna, ben, callerNamed, pathOf, ShareSite } from '../testing/share-site.ts';
import type { Caller } from '../../identity/index.ts';

/** Anna's folder of 60 bytes; 50 of them are in places that are closed to Ben. */
async function partlyClosed(): Promise<ShareSite> {
  const site = new ShareSite();
  for (const folder of ['work', 'work/open', 'work/open/closed', 'work/open/closed/inner']) {
    await site.folder(anna, folder);
  }
  await site.write(anna, 'work/open/seen.txt', 'x'.repeat(10));
  await site.write(anna, 'work/open/closed/inner/hidden.txt', 'x'.repeat(30));
  await site.write(anna, 'work/open/secret.txt', 'x'.repeat(20));
  await site.grant(anna, 'work', 'ben', 'owner');
  await site.grant(anna, 'work/open/closed', 'ben', 'none', { isShown: false });
  await site.grant(anna, 'work/open/closed/inner', 'ben', 'none', { isShown: false });
  await site.grant(anna, 'work/open/secret.txt', 'ben', 'none', { isShown: false });
  return site;
}

/** By PROPFIND of each, and in the listing of the one above. */
async function sizesOf(site: ShareSite, caller: Caller, paths: string[]): Promise<number[]> {
  const sizes: number[] = [];
  for (const raw of paths) {
    const path = pathOf(raw);
    const { node } = await site.files.get(caller, path);
    const { pages } = await site.files.list(caller, path.slice(0, -1));
    const entries = (await Array.fromAsync(pages)).flat();
    const listed = entries.find(({ name }) => name === path.at(-1));
    if (path.length > 0) assert.equal(listed?.sizeBytes, node.sizeBytes, raw);
    sizes.push(node.sizeBytes);
  }
  return sizes;
}

it('a folder is as large as what its viewer sees of it', async () => {
  const site = await partlyClosed();
  assert.deepEqual(await sizesOf(site, anna, ['work', 'work/open']), [60, 60]);
  assert.deepEqual(await sizesOf(site, ben, ['work', 'work/open']), [10, 10]);
  const [received] = await site.sharing.listReceived(ben);
  assert.equal(received?.node.sizeBytes, 10);
  await site.write(anna, 'work/open/closed/more.txt', 'x'.repeat(5));
  assert.deepEqual(await sizesOf(site, anna, ['work', 'work/open']), [65, 65]);
  assert.deepEqual(await sizesOf(site, ben, ['work', 'work/open']), [10, 10]);
});

it('a link shows sizes as its maker sees them, and none where files are only left', async () => {
  const site = await partlyClosed();
  const open = async (fileDrop: boolean): Promise<Caller> => {
    const { terms: { token = '' } } = await site.sharing.share(ben, pathOf('work'), {
      receiver: { kind: 'link' }, role: 'uploader', fileDrop,
    });
    return site.links.open({ token, password: undefined, address: '192.0.2.1' });
  };
  const visitor = await open(false);
  assert.deepEqual(await sizesOf(site, visitor, ['', 'open']), [10, 10]);
  const leaver = await open(true);
  assert.deepEqual((await site.files.get(leaver, [])).node.sizeBytes, 0);
});

it('whoever is not shut out of anything sees all sizes', async () => {
  const site = await partlyClosed();
  await site.grant(anna, 'work', 'dora', 'viewer');
  assert.deepEqual(await sizesOf(site, callerNamed('dora'), ['work', 'work/open']), [60, 60]);
});
