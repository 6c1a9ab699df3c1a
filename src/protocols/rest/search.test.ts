import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { RestSite } from './testing/rest-site.ts';
import type { Json } from './testing/rest-site.ts';

describe('The search of the API', () => {
  let site: RestSite;
  let trip: Json;
  before(async () => {
    site = await RestSite.open();
    trip = await site.folder('Trip');
    for (let at = 0; at < 5; at += 1) await site.put(`Picture ${at}.jpg`, 'x', trip.id);
    await site.put('picture of none.txt', 'x');
  });
  after(() => site.close());

  const search = (query: string): Promise<{ status: number; json: Json }> =>
    site.ask('GET', `/search?${query}`);

  it('finds nodes by words in their names, with their places, page by page', async () => {
    const found: string[] = [];
    let cursor = '';
    for (let page = 0; page < 10; page += 1) {
      const { status, json } = await search(`query=PICTURE&limit=2${cursor}`);
      assert.equal(status, 200);
      assert.ok(json.items.length <= 2);
      found.push(...json.items.map(({ path }: Json) => path));
      if (json.nextCursor === undefined) break;
      cursor = `&cursor=${json.nextCursor}`;
    }
    assert.deepEqual(found, [
      ...Array.from({ length: 5 }, (_, at) => `/Trip/Picture ${at}.jpg`), '/picture of none.txt',
    ]);
  });

  it('looks below one folder when told to', async () => {
    const { json } = await search(`query=picture+3&folderId=${trip.id}`);
    assert.deepEqual(json.items.map(({ name }: Json) => name), ['Picture 3.jpg']);
    assert.equal(json.lookedCount, 5);
    assert.equal(json.nextCursor, undefined);
  });

  it('refuses searches without words, foreign cursors, and folders of nobody', async () => {
    const refused = async (query: string, status: number, code: string): Promise<void> => {
      const answer = await search(query);
      assert.equal(answer.status, status);
      assert.equal(answer.json.code, code);
    };
    await refused('query=+', 400, 'no-words');
    const { json } = await search('query=picture&limit=1');
    await refused(`query=trip&cursor=${json.nextCursor}`, 400, 'cursor');
    await refused('query=a&folderId=999999', 404, 'node-missing');
  });
});
