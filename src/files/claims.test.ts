import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import { DEFAULT_TENANT, parseUserId } from '../base/ids.ts';
import { parsePath } from '../base/names.ts';
import type { Caller } from '../identity/index.ts';
import { MemoryMetadataStore } from '../metadata/stores/memory/memory-metadata-store.ts';
import { MemoryBlockStore } from '../storage/backends/memory/memory-block-store.ts';
import { Block, BLOCK_BYTES_MAX } from '../storage/index.ts';
import type { BodySource } from './body.ts';
import { bodyOf } from './body.ts';
import { ContentStore } from './content-store.ts';
import { FileService } from './file-service.ts';
import { encodeManifest } from './manifest.ts';
import { SpaceDirectory } from './space-directory.ts';
import { UPLOAD_TTL_MS, UploadService } from './upload-service.ts';

const anna: Caller = {
  user: parseUserId('anna'), tenant: DEFAULT_TENANT, displayName: 'Anna', admin: false,
  device: 'desk', credential: 'password', groups: [], groupsRev: 0,
};
const first = Buffer.alloc(BLOCK_BYTES_MAX, 'first');
const rest = Buffer.from('rest');
const path = parsePath(['f']);

describe('while content is on its way, the garbage collector', () => {
  let blocks: MemoryBlockStore;
  let files: FileService;
  let uploads: UploadService;
  let content: ContentStore;
  let now: number;

  beforeEach(() => {
    now = 1_700_000_000_000;
    blocks = new MemoryBlockStore();
    const metadata = new MemoryMetadataStore();
    const clock = (): number => now;
    content = new ContentStore({
      blocks, metadata, witness: () => [], claims: blocks.reclaim,
    });
    const defaults = { casePolicy: 'sensitive' as const, quotaBytes: undefined };
    const spaces = new SpaceDirectory({ metadata, defaults, now: clock });
    files = new FileService({ metadata, content, spaces, now: clock });
    uploads = new UploadService({ metadata, content, files, spaces, now: clock });
  });

  /** A census that is told of nothing, and condemns whatever it may. */
  async function condemnAll(): Promise<number> {
    const { reclaim } = blocks;
    const census = reclaim.beginCensus();
    let condemned = 0;
    for await (const page of reclaim.listUnneeded(census)) {
      condemned += reclaim.condemn(census, page.map(({ id }) => id)).length;
    }
    return condemned;
  }

  /** Its first block is stored when the collector looks; the rest comes later. */
  function collectedHalfway(seen: number[], end?: Error): BodySource {
    return {
      lengthBytes: undefined,
      async pour(take) {
        await take(first);
        await take(rest.subarray(0, 1));
        seen.push(await condemnAll());
        if (end !== undefined) throw end;
        await take(rest.subarray(1));
      },
    };
  }

  it('leaves the blocks of an upload alone, known ones too', async () => {
    const seen: number[] = [];
    await files.upload(anna, path, collectedHalfway(seen));
    await files.upload(anna, path, collectedHalfway(seen));
    assert.deepEqual(seen, [0, 1], 'all but the last block of the first one');
    assert.equal(blocks.reclaim.state().condemnedCount, 0, 'it was put again');
    assert.equal(blocks.reclaim.state().openClaims, 0);
    assert.equal(await condemnAll(), 2);
  });

  it('leaves the blocks of a part alone', async () => {
    const seen: number[] = [];
    await uploads.begin(anna, 'u1', undefined);
    await uploads.putPart(anna, { uploadId: 'u1', name: '1' }, collectedHalfway(seen));
    assert.deepEqual(seen, [0]);
    assert.equal(blocks.reclaim.state().openClaims, 0);
  });

  it('gets the blocks of an upload that has failed', async () => {
    const gone = new Error('the client has gone');
    const upload = files.upload(anna, path, collectedHalfway([], gone));
    await assert.rejects(upload, (error) => error === gone);
    assert.equal(blocks.reclaim.state().openClaims, 0);
    assert.equal(await condemnAll(), 1);
  });

  it('loses what it has condemned to whoever joins it', async () => {
    await uploads.begin(anna, 'u1', undefined);
    await uploads.putPart(anna, { uploadId: 'u1', name: '1' }, bodyOf(first));
    assert.equal(await condemnAll(), 1);
    await uploads.finish(anna, 'u1', path);
    assert.equal(blocks.reclaim.state().condemnedCount, 0);
    assert.equal(blocks.reclaim.state().openClaims, 0);
  });

  it('leaves the blocks of parts alone while they are joined', async () => {
    const { manifest } = await content.claimed((claim) =>
      content.receive(bodyOf(first), { claim }));
    await content.claimed(async (claim) => {
      await content.join([{ manifest }], claim);
      assert.equal(await condemnAll(), 0);
    });
    assert.equal(await condemnAll(), 1);
  });

  it('keeps nobody from noticing that a part to be joined has been collected', async () => {
    const blocksOfPart = [{ id: Block.of([rest]).id, sizeBytes: rest.length }];
    const manifest = encodeManifest({
      chunker: 'fixed-4m', sizeBytes: rest.length, indirect: false, blocks: blocksOfPart,
    });
    const join = content.claimed((claim) => content.join([{ manifest }], claim));
    await assert.rejects(join, (error) => isKind(error, 'conflict') && error.code === 'part-gone');
    assert.equal(blocks.reclaim.state().openClaims, 0);
  });

  it('gets uploads that nobody goes on with, however many there are', async () => {
    for (let at = 0; at < 900; at++) await uploads.begin(anna, `u${at}`, undefined);
    await uploads.putPart(anna, { uploadId: 'u1', name: '1' }, bodyOf(rest));
    now += UPLOAD_TTL_MS;
    assert.equal(await uploads.expire(), 0);
    now += 1;
    assert.equal(await uploads.expire(), 900);
    await assert.rejects(uploads.finish(anna, 'u1', path), (error) => isKind(error, 'not-found'));
    assert.equal(await condemnAll(), 1);
  });
});
