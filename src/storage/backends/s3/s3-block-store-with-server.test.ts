import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import { Block } from '../../block.ts';
import { testBlockStore } from '../../block-store.conformance.ts';
import { BlockSealer } from '../../sealing/block-sealer.ts';
import { KeyRing } from '../../sealing/key-ring.ts';
import { testObjectTrash } from '../testing/object-trash.ts';
import { STAND_IN_CERTIFICATE } from '../testing/stand-in-certificate.ts';
import { StandInService, STAND_IN_BUCKET, STAND_IN_KEY } from '../testing/stand-in-service.ts';
import { openS3BlockStore } from './s3-block-store.ts';
import { QUICK_LIMITS, storeOptions } from './testing/store-options.ts';
import { S3rver, S3RVER_BUCKET, S3RVER_KEY } from './testing/s3rver.ts';

describe('with s3rver', () => {
  let server: S3rver;
  before(async () => {
    server = await S3rver.start();
  });
  after(() => server.stop());

  const at = () => ({ endpoint: server.url, bucket: S3RVER_BUCKET, credentials: S3RVER_KEY });

  testBlockStore('S3BlockStore', () => openS3BlockStore(storeOptions(at())));

  testObjectTrash('S3BlockStore', () => openS3BlockStore(storeOptions(at())));

  testObjectTrash('S3BlockStore that seals', () => openS3BlockStore(storeOptions(at(), {
    openSealer: async () => new BlockSealer({
      compression: 'auto', keys: KeyRing.create(Buffer.alloc(32), 'default', 1),
    }),
  })));
});

for (const flavour of ['amazon', 'plain', 'opaque'] as const) {
  describe(`with a stand-in for a service of the kind "${flavour}"`, () => {
    let server: StandInService;
    before(async () => {
      server = await StandInService.start(flavour);
    });
    after(() => server.stop());

    const at = () => {
      return { endpoint: server.url, bucket: STAND_IN_BUCKET, credentials: STAND_IN_KEY };
    };

    const more = { checksumHeaders: flavour !== 'plain' };

    testBlockStore('S3BlockStore', () => openS3BlockStore(storeOptions(at(), more)));

    it('finds nothing under the name of a block whose stored bytes are others', async () => {
      const options = storeOptions(at(), more);
      const store = await openS3BlockStore(options);
      const block = Block.of([Buffer.from('right')]);
      await store.put(block);
      const stored = server.objects.get(`${options.prefix}blocks/${block.id}`);
      assert.ok(stored !== undefined);
      stored.bytes = Buffer.from('wrong');
      assert.equal(await store.find(block.id), undefined);
      await assert.rejects(store.get(block.id), (error) => isKind(error, 'corrupt'));
      await assert.rejects(store.read(block.id, 1, 2), (error) => isKind(error, 'corrupt'));
      assert.equal(store.state().damagedCount, 1);
      await store.put(block);
      assert.equal((await store.read(block.id, 1, 2)).toString(), 'ig');
      assert.equal(store.state().damagedCount, 0);
      await store.close();
    });

    it('reads a block whose label another tool has lost, and parts of it', async () => {
      const options = storeOptions(at(), more);
      const store = await openS3BlockStore(options);
      const block = Block.of([Buffer.alloc(600_000, 'copied by hand')]);
      await store.put(block);
      const stored = server.objects.get(`${options.prefix}blocks/${block.id}`);
      assert.ok(stored !== undefined);
      for (const label of [undefined, 'nonsense', stored.label?.replace('1 600000', '1 600001')]) {
        stored.label = label;
        assert.deepEqual(await store.find(block.id), { sizeBytes: 600_000 });
        assert.equal((await store.read(block.id, 14 * 30_000, 6)).toString(), 'copied');
      }
      await store.close();
    });
  });
}

it('S3BlockStore says which setting a service needs that refuses checksum headers', async () => {
  const server = await StandInService.start('plain');
  const at = { endpoint: server.url, bucket: STAND_IN_BUCKET, credentials: STAND_IN_KEY };
  try {
    const open = openS3BlockStore(storeOptions(at));
    await assert.rejects(open, (error) => {
      return isKind(error, 'unavailable') && /checksum_headers = false/.test(error.message);
    });
    assert.equal(server.objects.size, 0);
  } finally {
    await server.stop();
  }
});

it('S3BlockStore speaks TLS with a service of its own authority, and no other', async () => {
  const server = await StandInService.start('amazon', true);
  const at = { endpoint: server.url, bucket: STAND_IN_BUCKET, credentials: STAND_IN_KEY };
  try {
    const trusting = storeOptions(at, { ca: STAND_IN_CERTIFICATE.cert });
    const store = await openS3BlockStore(trusting);
    const block = Block.of([Buffer.from('sealed on the way')]);
    await store.put(block);
    assert.equal((await store.get(block.id)).toString(), 'sealed on the way');
    await store.close();
    const strange = openS3BlockStore(storeOptions(at, { limits: QUICK_LIMITS }));
    await assert.rejects(strange, (error) => isKind(error, 'unavailable'));
  } finally {
    await server.stop();
  }
});
