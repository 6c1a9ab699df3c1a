import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PASSWORD, CloudSite } from '../nextcloud/testing/cloud-site.ts';
import { Browser } from './testing/browser.ts';

const WINDOW_MS = 60_000;
const DAV = '/remote.php/dav/files/ben';

describe('the page of somebody whose device is held back', () => {
  let site: CloudSite;
  before(async () => {
    site = await CloudSite.open({
      brake: { limit: 1, windowMs: WINDOW_MS }, webPage: '/app/',
    });
  });
  after(() => site.close());

  async function dav(method: string, path: string, auth: string): Promise<number> {
    const body = method === 'PUT' ? { body: path } : {};
    return (await site.ask(method, `${DAV}/${path}`, { auth, ...body })).status;
  }

  it('asks once, and does what was decided', async () => {
    const own = `ben:${PASSWORD}`;
    const { password } = await site.identity.appPasswords.create('ben' as never, 'Laptop');
    const laptop = `ben:${password}`;
    const [bens, annas] = [new Browser(site), new Browser(site)];
    await bens.signIn('ben', PASSWORD);
    await annas.signIn('anna', PASSWORD);
    for (const decision of ['undo', 'keep']) {
      for (const name of ['a', 'b', 'c']) await dav('PUT', name, own);
      site.clock.advance(2 * WINDOW_MS);
      assert.ok(!(await bens.get('/account')).text.includes('id="held"'));
      assert.equal((await bens.get('/')).headers.location, '/app/');
      for (const name of ['a', 'b', 'c']) assert.equal(await dav('DELETE', name, laptop), 204);
      assert.deepEqual([await dav('GET', 'c', laptop), await dav('GET', 'c', own)], [404, 200]);
      assert.equal((await bens.get('/')).headers.location, '/account#held', 'asked first');
      const page = await bens.get('/account');
      assert.match(page.text, /Laptop<\/strong>.*2 files and folders wait/s);
      const annasPage = await annas.get('/account');
      assert.match(annasPage.text, /Laptop<\/strong> of ben/, 'an administrator too');
      const decided = await bens.submit(page, '/held', { decision });
      assert.equal(decided.headers.location, `/account?done=held-${decision}`);
      assert.match((await bens.get(`/account?done=held-${decision}`)).text, /role="status"/);
      await site.settled();
      const wanted = decision === 'keep' ? 404 : 200;
      assert.deepEqual([await dav('GET', 'c', laptop), await dav('GET', 'c', own)],
        [wanted, wanted]);
    }
  });

  it('lets nobody else decide, and nobody by a device', async () => {
    const { password } = await site.identity.appPasswords.create('anna' as never, 'Phone');
    const anna = new Browser(site);
    await anna.signIn('anna', PASSWORD);
    const auth = `anna:${password}`;
    for (const name of ['d', 'e']) await site.ask('PUT', `/dav/${name}`, { auth, body: 'x' });
    site.clock.advance(2 * WINDOW_MS);
    for (const name of ['d', 'e']) await site.ask('DELETE', `/dav/${name}`, { auth });
    const page = await anna.get('/account');
    assert.match(page.text, /Phone/);
    const ben = new Browser(site);
    await ben.signIn('ben', PASSWORD);
    const bens = await ben.get('/account');
    assert.ok(!bens.text.includes('id="held"'));
    const token = /name="([^"]+)" value="([^"]+)"/.exec(bens.text) ?? [];
    const fields = { [token[1] ?? '']: token[2] ?? '', id: '3', decision: 'keep' };
    assert.equal((await ben.post('/held', fields)).status, 403);
    assert.equal((await ben.post('/held', { id: '3', decision: 'keep' })).status, 403);
    assert.equal((await anna.submit(page, '/held', { decision: 'what' })).status, 400);
    assert.match((await anna.get('/account')).text, /Phone/);
  });
});
