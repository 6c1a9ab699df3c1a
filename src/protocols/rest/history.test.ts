import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { RestSite } from './testing/rest-site.ts';
import type { Json } from './testing/rest-site.ts';

const MINUTE_MS = 60_000;

describe('What was, in the API', () => {
  let site: RestSite;
  before(async () => {
    site = await RestSite.open();
  });
  after(() => site.close());

  const tick = (): string => {
    site.cloud.clock.advance(MINUTE_MS);
    const at = new Date(site.cloud.clock.now()).toISOString();
    site.cloud.clock.advance(MINUTE_MS);
    return at;
  };

  it('shows, sends and brings back versions', async () => {
    const file = await site.put('v.txt', 'one');
    await site.ask('PUT', `/nodes/${file.id}/content`, { body: 'two!' });
    const { json } = await site.ask('GET', `/nodes/${file.id}/versions`);
    assert.deepEqual(json.items.map(({ sizeBytes }: Json) => sizeBytes), [4, 3]);
    assert.deepEqual(json.items.map(({ isCurrent }: Json) => isCurrent), [true, false]);
    assert.deepEqual(json.items.map(({ byName }: Json) => byName), ['Anna', 'Anna']);
    const path = `/nodes/${file.id}/versions/${json.items[1].id}`;
    assert.equal((await site.ask('GET', `${path}/content`)).text, 'one');
    assert.equal((await site.ask('POST', `${path}/restore`)).status, 200);
    assert.equal((await site.ask('GET', `/nodes/${file.id}/content`)).text, 'one');
    assert.equal((await site.ask('GET', `/nodes/${file.id}/versions/nope/content`)).status, 404);
  });

  it('lists the trash, gives back from it, and empties it', async () => {
    const folder = await site.folder('of trash');
    for (const name of ['t1', 't2', 't3']) {
      const { id } = await site.put(name, name, folder.id);
      await site.ask('DELETE', `/nodes/${id}`);
    }
    const first = await site.ask('GET', '/trash?limit=2');
    assert.deepEqual(first.json.items.map(({ name }: Json) => name), ['t3', 't2']);
    assert.equal(first.json.items[0].deletedByName, 'Anna');
    const rest = await site.ask('GET', `/trash?limit=2&cursor=${first.json.nextCursor}`);
    assert.deepEqual(rest.json.items.map(({ originalPath }: Json) => originalPath),
      ['/of trash/t1']);
    const [t3, t2] = first.json.items;
    const back = await site.ask('POST', `/trash/${t3.id}/restore`);
    assert.equal(back.json.path, '/of trash/t3');
    assert.equal((await site.ask('POST', `/trash/${t3.id}/restore`)).status, 404);
    assert.equal((await site.ask('DELETE', `/trash/${t2.id}`)).status, 204);
    assert.deepEqual((await site.ask('DELETE', '/trash')).json, { count: 1 });
    assert.equal((await site.ask('DELETE', '/trash/1-2')).status, 404);
  });

  it('shows a folder and a file as they were, tells what is different, and brings them back',
    async () => {
      const folder = await site.folder('past');
      await site.put('a.txt', 'old', folder.id);
      const b = await site.put('b.txt', 'b', folder.id);
      const at = tick();
      await site.put('a.txt', 'newer', folder.id);
      await site.ask('DELETE', `/nodes/${b.id}`);
      await site.put('c.txt', 'c', folder.id);
      tick();
      const page = await site.ask('GET', `/past/nodes?path=/past&at=${at}&limit=1`);
      assert.deepEqual(page.json.items.map(({ name }: Json) => name), ['a.txt']);
      const { nextCursor } = page.json;
      const rest = await site.ask('GET',
        `/past/nodes?path=/past&at=${at}&limit=1&cursor=${nextCursor}`);
      assert.deepEqual(rest.json.items.map(({ name }: Json) => name), ['b.txt']);
      assert.equal(rest.json.nextCursor, undefined);
      const old = await site.ask('GET', `/past/content?path=/past/a.txt&at=${at}`);
      assert.equal(old.text, 'old');
      const diff = await site.ask('GET', `/nodes/${folder.id}/diff?from=${at}`);
      const told = diff.json.items.map(({ change, path }: Json) => `${change} ${path}`);
      assert.deepEqual(told.toSorted(),
        ['added /past/c.txt', 'changed /past/a.txt', 'deleted /past/b.txt']);
      const restore = await site.ask('POST', '/restores', { json: { nodeId: folder.id, at } });
      assert.equal(restore.status, 202, restore.text);
      await site.cloud.settled();
      const batch = await site.ask('GET', `/batches/${restore.json.id}`);
      assert.equal(batch.json.state, 'done');
      const names = async (): Promise<string[]> => (await site.ask(
        'GET', `/nodes/${folder.id}/children`,
      )).json.items.map(({ name }: Json) => name);
      assert.deepEqual(await names(), ['a.txt', 'b.txt']);
      assert.equal((await site.ask('POST', `/batches/${restore.json.id}/undo`)).status, 202);
      await site.cloud.settled();
      assert.deepEqual(await names(), ['a.txt', 'c.txt']);
      assert.ok((await site.ask('GET', '/batches')).json.items.length >= 2);
      const ahead = await site.ask('GET', '/past/nodes?path=/&at=2999-01-01T00:00:00Z');
      assert.equal(ahead.json.code, 'moment-ahead');
    });

  it('counts what happened below a folder, and not beside it', async () => {
    const folder = await site.folder('busy');
    const from = tick();
    const a = await site.put('a', 'a', folder.id);
    await site.put('a', 'aa', folder.id);
    await site.put('beside', 'x');
    const middle = tick();
    await site.ask('PATCH', `/nodes/${a.id}`, { json: { name: 'b' } });
    await site.ask('DELETE', `/nodes/${a.id}`);
    const to = tick();
    const { json } = await site.ask(
      'GET', `/nodes/${folder.id}/activity?from=${from}&to=${to}&buckets=2`,
    );
    assert.equal(json.isComplete, true);
    const counts = json.buckets.map(({ added, changed, moved, deleted }: Json) =>
      [added, changed, moved, deleted]);
    assert.deepEqual(counts, [[1, 1, 0, 0], [0, 0, 1, 1]]);
    assert.ok(json.buckets[1].at <= middle);
    const whole = await site.ask(
      'GET', `/nodes/${await site.rootId()}/activity?from=${from}&to=${to}&buckets=1`,
    );
    assert.equal(whole.json.buckets[0].added, 2);
    const bad = await site.ask('GET', `/nodes/${folder.id}/activity?from=${to}&to=${from}`);
    assert.equal(bad.json.code, 'span');
  });

  it('tells what happened, newest first, by whom and where', async () => {
    const folder = await site.folder('told');
    const { id } = await site.put('a.txt', 'one', folder.id);
    tick();
    await site.ask('PATCH', `/nodes/${id}`, { json: { name: 'b.txt' } });
    await site.ask('DELETE', `/nodes/${id}`);
    const first = await site.ask('GET', `/activity?nodeId=${folder.id}&limit=2`);
    const shown = ({ byName, change, path, nodeId }: Json): string =>
      `${byName} ${change} ${path} ${nodeId === undefined ? 'gone' : 'there'}`;
    assert.deepEqual(first.json.items.map(shown), [
      'Anna deleted /told/b.txt gone', 'Anna renamed /told/b.txt gone',
    ]);
    const { nextCursor } = first.json;
    const rest = await site.ask('GET', `/activity?nodeId=${folder.id}&cursor=${nextCursor}`);
    assert.deepEqual(rest.json.items.map(shown), [
      'Anna added /told/a.txt gone', 'Anna added /told there',
    ]);
    const wrong = await site.ask('GET', `/activity?cursor=${nextCursor}`);
    assert.equal(wrong.json.code, 'cursor');
    assert.equal((await site.ask('GET', '/activity?nodeId=999999')).status, 404);
  });

  it('brings back by the path of then what is not there any more', async () => {
    const { id } = await site.put('lost.txt', 'lost');
    const at = tick();
    await site.ask('DELETE', `/nodes/${id}`);
    tick();
    const wrong = await site.ask('POST', '/restores', { json: { at } });
    assert.equal(wrong.json.code, 'restore-what');
    const begun = await site.ask('POST', '/restores', { json: { path: '/lost.txt', at } });
    assert.equal(begun.status, 202, begun.text);
    await site.cloud.settled();
    assert.equal((await site.ask('GET', `/nodes/${id}/content`)).text, 'lost');
  });
});
