import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PASSWORD, RestSite } from './testing/rest-site.ts';
import type { Json } from './testing/rest-site.ts';

describe('sharing in the API', { timeout: 120_000 }, () => {
  let site: RestSite;
  let work: Json;
  const ben = { auth: `ben:${PASSWORD}` };
  before(async () => {
    site = await RestSite.open();
    work = await site.folder('work');
    await site.put('plan.txt', 'the plan', work.id);
  });
  after(() => site.close());

  const share = (json: Json, options = {}) =>
    site.ask('POST', `/nodes/${work.id}/shares`, { json, ...options });

  it('shares with a person, shows it on both sides, changes it and ends it', async () => {
    const { status, json: made } = await share({
      receiver: { kind: 'user', id: 'ben' }, role: 'viewer', note: 'for you',
    });
    assert.equal(status, 201);
    assert.deepEqual(
      [made.kind, made.receiver, made.role, made.note, made.mayChange, made.path],
      ['user', { id: 'ben', displayName: 'ben' }, 'viewer', 'for you', true, '/work'],
    );
    const received = await site.ask('GET', '/shares?direction=with-me', ben);
    assert.deepEqual(received.json.items.map((one: Json) => [one.id, one.mayChange]), [
      [made.id, false],
    ]);
    assert.deepEqual(received.json.items[0].owner, { id: 'anna', displayName: 'Anna' });
    const changed = await site.ask('PATCH', `/shares/${made.id}`, {
      json: { role: 'editor', expiresAt: '2030-01-01T00:00:00.000Z' },
    });
    assert.deepEqual([changed.json.role, changed.json.expiresAt],
      ['editor', '2030-01-01T00:00:00.000Z']);
    const forever = await site.ask('PATCH', `/shares/${made.id}`, { json: { expiresAt: null } });
    assert.equal(forever.json.expiresAt, undefined);
    assert.equal((await site.ask('PATCH', `/shares/${made.id}`, {
      ...ben, json: { role: 'owner' },
    })).status, 403);
    assert.equal((await site.ask('DELETE', `/shares/${made.id}`)).status, 204);
    assert.equal((await site.ask('GET', `/shares/${made.id}`)).status, 404);
    assert.deepEqual((await site.ask('GET', '/shares?direction=with-me', ben)).json.items, []);
  });

  it('makes links, and never tells their passwords', async () => {
    const { json: made } = await share({
      receiver: { kind: 'link' }, role: 'viewer', password: 'pass-word-1', label: 'for all',
      downloadsMax: 3,
    });
    assert.match(made.url, /^http:\/\/localhost:\d+\/s\/[A-Za-z0-9]{20}$/);
    assert.deepEqual([made.hasPassword, made.label, made.downloadsMax, made.downloads],
      [true, 'for all', 3, 0]);
    const { text } = await site.ask('GET', `/nodes/${work.id}/shares`);
    assert.doesNotMatch(text, /pass-word-1|argon2|phc/);
    const open = await site.ask('PATCH', `/shares/${made.id}`, { json: { password: '' } });
    assert.equal(open.json.hasPassword, false);
    await site.ask('DELETE', `/shares/${made.id}`);
  });

  it('shows whoever works in a folder what he removed there, and nobody else that it is there',
    async () => {
      const { json: { spaceId } } = await site.ask('GET', `/nodes/${work.id}`);
      const path = `/trash?spaceId=${spaceId}`;
      for (const other of [path, '/trash?spaceId=99999', '/trash?spaceId=x']) {
        const refused = await site.ask('GET', other, ben);
        assert.deepEqual([refused.status, refused.json.code], [404, 'space-missing'], other);
      }
      const { json: made } = await share({ receiver: { kind: 'user', id: 'ben' }, role: 'editor' });
      assert.deepEqual((await site.ask('GET', path, ben)).json, { items: [], mayDrop: false });
      for (const [name, by] of [['hers', {}], ['his', ben]] as const) {
        const file = await site.put(name, name, work.id);
        await site.ask('DELETE', `/nodes/${file.id}`, by);
      }
      const ofBen = (await site.ask('GET', path, ben)).json;
      assert.deepEqual(ofBen.items.map(({ name }: Json) => name), ['his']);
      const ofAnna = (await site.ask('GET', path)).json;
      assert.deepEqual(ofAnna.items.map(({ name }: Json) => name), ['his', 'hers']);
      assert.equal(ofAnna.mayDrop, true);
      assert.deepEqual((await site.ask('DELETE', path, ben)).json, { count: 0 });
      const back = await site.ask('POST', `/trash/${ofBen.items[0].id}/restore`, ben);
      assert.equal(back.json.path, '/work/his');
      assert.deepEqual((await site.ask('DELETE', path)).json, { count: 1 });
      await site.ask('DELETE', `/nodes/${back.json.id}`);
      await site.ask('DELETE', '/trash');
      await site.ask('DELETE', `/shares/${made.id}`);
    });

  it('lists page by page', async () => {
    for (let n = 0; n < 3; n += 1) await share({ receiver: { kind: 'link' }, role: 'viewer' });
    const ids: string[] = [];
    let cursor = '';
    for (let pages = 1; ; pages += 1) {
      const { json } = await site.ask('GET', `/shares?direction=by-me&limit=2${cursor}`);
      ids.push(...json.items.map((one: Json) => one.id));
      if (json.nextCursor === undefined) {
        assert.equal(pages, 2);
        break;
      }
      cursor = `&cursor=${json.nextCursor}`;
      const other = await site.ask('GET', `/shares?direction=with-me${cursor}`);
      assert.equal(other.json.code, 'cursor');
    }
    assert.equal(new Set(ids).size, 3);
    for (const id of ids) await site.ask('DELETE', `/shares/${id}`);
  });

  it('says who can see a node and why, to its owner alone', async () => {
    const { json: made } = await share({ receiver: { kind: 'user', id: 'ben' }, role: 'editor' });
    const plan = await site.ask('GET', '/nodes/by-path?path=/work/plan.txt');
    const { json } = await site.ask('GET', `/nodes/${plan.json.id}/access`);
    const rows = json.items.map((one: Json) => (
      [one.kind, one.receiver?.id, one.role, one.at.path]));
    assert.deepEqual(rows, [['owner', 'anna', 'owner', '/'], ['user', 'ben', 'editor', '/work']]);
    assert.equal(json.items[1].shareId, made.id);
    const { json: link } = await share({
      receiver: { kind: 'link' }, role: 'viewer', label: 'for the press',
    });
    const again = await site.ask('GET', `/nodes/${plan.json.id}/access`);
    assert.deepEqual(again.json.items.at(-1), {
      kind: 'link', role: 'viewer', at: { nodeId: work.id, path: '/work' }, shareId: link.id,
      label: 'for the press',
    });
    await site.ask('DELETE', `/shares/${link.id}`);
    assert.equal((await site.ask('GET', `/nodes/${plan.json.id}/access`, ben)).status, 403);
    await site.ask('DELETE', `/shares/${made.id}`);
    assert.equal((await site.ask('GET', `/nodes/${plan.json.id}/access`, ben)).status, 404);
  });

  it('finds people and groups by the beginning of a word', async () => {
    const { json } = await site.ask('GET', '/sharees?query=be');
    assert.deepEqual(json, {
      items: [{ kind: 'user', id: 'ben', displayName: 'ben' }], canInvite: false,
    });
  });

  it('refuses what cannot be, with a stable code', async () => {
    const wrong = [
      { receiver: { kind: 'user', id: 'nobody' }, role: 'viewer' },
      { receiver: { kind: 'user', id: 'anna' }, role: 'viewer' },
      { receiver: { kind: 'user', id: 'ben' }, role: 'viewer', password: 'x' },
    ];
    for (const one of wrong) assert.equal((await share(one)).json.code, 'share-refused');
    assert.equal((await share({ receiver: { kind: 'link' } })).json.code, 'request-shape');
    assert.equal((await share({ receiver: { kind: 'link' }, role: 'viewer' }, ben)).status, 404);
    assert.equal((await site.ask('GET', '/shares/../1')).status, 404);
    assert.equal((await site.ask('GET', '/shares/999')).status, 404);
  });
});

describe('whole folders in the API', { timeout: 120_000 }, () => {
  let site: RestSite;
  let work: Json;
  before(async () => {
    site = await RestSite.open();
    work = await site.folder('work');
    await site.put('plan.txt', 'the plan', work.id);
    await site.put('more "x".txt', 'y'.repeat(100_000), work.id);
  });
  after(() => site.close());

  it('come as a zip of known length, in ranges, unless the client has it', async () => {
    const path = `/nodes/${work.id}/zip`;
    const whole = await site.ask('GET', path);
    assert.equal(whole.status, 200);
    assert.equal(whole.headers['content-type'], 'application/zip');
    assert.match(String(whole.headers['content-disposition']), /^attachment; filename="work.zip"/);
    const sizeBytes = Number(whole.headers['content-length']);
    const head = await site.ask('HEAD', path);
    assert.deepEqual([head.status, head.headers['content-length']], [200, String(sizeBytes)]);
    const etag = String(whole.headers['etag']);
    const ranged = async (range: string, ifRange = etag) => {
      const { status, headers, text } = await site.ask('GET', path, {
        headers: { 'Range': range, 'If-Range': ifRange },
      });
      return [status, headers['content-range'], text.length > 0];
    };
    assert.deepEqual(await ranged('bytes=-22'),
      [206, `bytes ${sizeBytes - 22}-${sizeBytes - 1}/${sizeBytes}`, true]);
    assert.deepEqual(await ranged('bytes=0-3', '"other"'), [200, undefined, true]);
    assert.equal((await ranged(`bytes=${sizeBytes}-`))[0], 416);
    const unchanged = await site.ask('GET', path, { headers: { 'If-None-Match': etag } });
    assert.equal(unchanged.status, 304);
    await site.put('new.txt', '1', work.id);
    assert.deepEqual(await ranged('bytes=0-3'), [200, undefined, true]);
    const old = await site.ask('GET', path, { headers: { 'If-Match': etag } });
    assert.equal(old.status, 412);
  });

  it('are counted, with a digest that changes with them', async () => {
    const first = await site.ask('GET', `/nodes/${work.id}/verify`);
    assert.match(first.json.digest, /^hfd1-[0-9a-f]{64}$/);
    const read = await site.ask('GET', `/nodes/${work.id}/verify?bytes=read`);
    assert.deepEqual(read.json, first.json);
    await site.put('newer.txt', '', work.id);
    const second = await site.ask('GET', `/nodes/${work.id}/verify`);
    assert.equal(second.json.files, first.json.files + 1);
    assert.notEqual(second.json.digest, first.json.digest);
    const plan = await site.ask('GET', '/nodes/by-path?path=/work/plan.txt');
    for (const what of ['zip', 'verify']) {
      const { status, json } = await site.ask('GET', `/nodes/${plan.json.id}/${what}`);
      assert.deepEqual([status, json.code], [409, 'not-folder']);
    }
  });
});
