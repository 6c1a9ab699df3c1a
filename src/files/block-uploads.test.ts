import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import { parseBlockId } from '../base/ids.ts';
import type { BlockId, NodeId } from '../base/ids.ts';
import { BlockUploads } from './block-uploads.ts';
import { bodyOf } from './body.ts';
import { anna, ben, failsWith, pathOf, ShareSite } from './testing/share-site.ts';

const idOf = (text: string): BlockId => parseBlockId(hash('sha256', text, 'hex'));
const refOf = (text: string) => ({ id: idOf(text), sizeBytes: Buffer.byteLength(text) });

describe('files from blocks', { timeout: 60_000 }, () => {
  let site: ShareSite;
  let blocks: BlockUploads;
  beforeEach(() => {
    site = new ShareSite();
    blocks = new BlockUploads({ ...site, now: () => site.now });
  });

  const put = (text: string, by = anna): Promise<void> =>
    blocks.put(by, idOf(text), bodyOf(Buffer.from(text)));
  const nodeId = async (path: string, by = anna): Promise<NodeId> =>
    (await site.files.get(by, pathOf(path))).node.id;

  it('are made of what was sent, in the order that is asked for', async () => {
    for (const text of ['one ', 'two ']) await put(text);
    const order = ['two ', 'one ', 'two '].map(refOf);
    const { node } = await blocks.commit(anna, pathOf('file'), { blocks: order, modifiedAt: 5 });
    assert.deepEqual([node.sizeBytes, node.modifiedAt], [12, 5]);
    assert.equal(await site.read(anna, 'file'), 'two one two ');
    assert.deepEqual(await blocks.have(anna, [idOf('one ')]), [false], 'used up');
    assert.deepEqual(await blocks.have(anna, [idOf('one '), idOf('new')], [await nodeId('file')]),
      [true, false]);
    const changed = [refOf('one '), refOf('new')];
    await put('new');
    await blocks.commit(anna, pathOf('file'), { blocks: changed, bases: [await nodeId('file')] });
    assert.equal(await site.read(anna, 'file'), 'one new');
    await blocks.commit(anna, pathOf('empty'), { blocks: [] });
    assert.equal(await site.read(anna, 'empty'), '');
  });

  it('are not read back when they arrive: their hash is known', async () => {
    const { content, uploads } = site;
    const readBlock = content.readBlock.bind(content);
    let reads = 0;
    content.readBlock = (...args) => {
      reads += 1;
      return readBlock(...args);
    };
    await put('one ');
    await uploads.begin(anna, 'hashed', 3);
    assert.equal(reads, 0);
    await uploads.putPart(anna, { uploadId: 'hashed', name: '0' }, bodyOf(Buffer.from('two')));
    while (reads === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(reads, 1, 'only what a client will send a checksum for');
  });

  it('tell nobody of what others have, and give it to nobody', async () => {
    await site.write(ben, 'secret', 'known plain text');
    await put('sent by ben', ben);
    const wanted = ['known plain text', 'sent by ben'].map(refOf);
    assert.deepEqual(await blocks.have(anna, wanted.map(({ id }) => id)), [false, false]);
    for (const block of wanted) {
      await assert.rejects(blocks.commit(anna, pathOf('stolen'), { blocks: [block] }),
        failsWith('conflict', 'block-missing'));
    }
    const base = await nodeId('secret', ben);
    await assert.rejects(blocks.have(anna, [], [base]), failsWith('not-found'));
    await assert.rejects(blocks.commit(anna, pathOf('stolen'), { blocks: [], bases: [base] }),
      failsWith('not-found'));
    await site.grant(ben, 'secret', 'anna', 'viewer');
    assert.deepEqual(await blocks.have(anna, wanted.map(({ id }) => id), [base]), [true, false]);
    await blocks.commit(anna, pathOf('copy'), { blocks: wanted.slice(0, 1), bases: [base] });
    assert.equal(await site.read(anna, 'copy'), 'known plain text');
  });

  it('take no block under another hash, of another length, or too large', async () => {
    const wrong = blocks.put(anna, idOf('a'), bodyOf(Buffer.from('b')));
    await assert.rejects(wrong, failsWith('invalid', 'checksum-mismatch'));
    assert.deepEqual(await blocks.have(anna, [idOf('a')]), [false]);
    await assert.rejects(put(''), failsWith('too-large', 'block-size'));
    await put('abc');
    await assert.rejects(
      blocks.commit(anna, pathOf('x'), { blocks: [{ ...refOf('abc'), sizeBytes: 2 }] }),
      failsWith('conflict', 'block-missing'),
    );
    assert.equal(await site.files.find(anna, pathOf('x')), undefined);
  });
});
