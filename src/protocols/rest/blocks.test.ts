import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { PASSWORD, RestSite } from './testing/rest-site.ts';

const sha256 = (text: string): string => hash('sha256', text, 'hex');

describe('files from blocks in the API', { timeout: 120_000 }, () => {
  let site: RestSite;
  let root: string;
  before(async () => {
    site = await RestSite.open();
    root = await site.rootId();
  });
  after(() => site.close());

  it('are made of what is sent and of what lies in files that are named', async () => {
    const old = await site.put('old.txt', 'stored before');
    const ids = [sha256('stored before'), sha256('sent now')];
    const have = await site.ask('POST', '/blocks/have', {
      json: { blocks: ids, baseIds: [old.id] },
    });
    assert.deepEqual(have.json.have, [true, false]);
    assert.equal((await site.ask('PUT', `/blocks/${ids[1]}`, { body: 'sent now' })).status, 204);
    const other = await site.ask('PUT', `/blocks/${ids[1]}`, { body: 'something' });
    assert.equal(other.json.code, 'checksum-mismatch');
    const blocks = [
      { id: ids[1], sizeBytes: 8 }, { id: ids[0], sizeBytes: 13 },
    ];
    const json = { blocks, baseIds: [old.id], modifiedAt: '2020-01-01T00:00:00.000Z' };
    const commit = `/nodes/${root}/children/new.txt/commit`;
    const made = await site.ask('POST', commit, { json });
    assert.deepEqual([made.status, made.json.sizeBytes, made.json.modifiedAt],
      [201, 21, '2020-01-01T00:00:00.000Z']);
    const { text } = await site.ask('GET', `/nodes/${made.json.id}/content`);
    assert.equal(text, 'sent nowstored before');
    const lacking = await site.ask('POST', commit, { json: { blocks } });
    assert.deepEqual([lacking.status, lacking.json.code], [409, 'block-missing']);
    const ben = { auth: `ben:${PASSWORD}` };
    const asked = { json: { blocks: ids, baseIds: [old.id] } };
    assert.equal((await site.ask('POST', '/blocks/have', { ...ben, ...asked })).status, 404);
    const alone = await site.ask('POST', '/blocks/have', { ...ben, json: { blocks: ids } });
    assert.deepEqual(alone.json, { have: [false, false] });
  });

  it('tell a token that may only write nothing of what is in files', async () => {
    const file = await site.put('secret.txt', 'what is in it');
    const headers = await site.tokenFor('anna', ['files:write']);
    const blocks = [sha256('what is in it')];
    const asked = { auth: undefined, headers, json: { blocks, baseIds: [file.id] } };
    const have = await site.ask('POST', '/blocks/have', asked);
    assert.deepEqual([have.status, have.json.code], [403, 'scope']);
    const alone = await site.ask('POST', '/blocks/have', { ...asked, json: { blocks } });
    assert.deepEqual(alone.json, { have: [false] });
    const commit = await site.ask('POST', `/nodes/${root}/children/copy.txt/commit`, {
      ...asked, json: { blocks: [{ id: blocks[0], sizeBytes: 13 }], baseIds: [file.id] },
    });
    assert.deepEqual([commit.status, commit.json.code], [403, 'scope']);
  });

  it('go into the folder that was meant, or nowhere', async () => {
    const folder = await site.folder('meant');
    const id = sha256('pinned');
    await site.ask('PUT', `/blocks/${id}`, { body: 'pinned' });
    const commit = await site.whileReplaced(folder, () =>
      site.ask('POST', `/nodes/${folder.id}/children/f.txt/commit`, {
        json: { blocks: [{ id, sizeBytes: 6 }] },
      }));
    assert.deepEqual([commit.status, commit.json.code], [409, 'parent-missing']);
    const { json } = await site.ask('GET', '/nodes/by-path?path=/meant');
    assert.equal(json.sizeBytes, 0);
  });
});
