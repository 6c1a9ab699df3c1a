import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import { Block } from '../../block.ts';
import { testBlockStore } from '../../block-store.conformance.ts';
import { BlockSealer } from '../../sealing/block-sealer.ts';
import { KeyRing } from '../../sealing/key-ring.ts';
import { prose } from '../../sealing/testing/prose.ts';
import { openGcsBlockStore } from '../gcs/gcs-block-store.ts';
import { testObjectTrash, trashAllBut } from '../testing/object-trash.ts';
import { StandInService, STAND_IN_BUCKET, STAND_IN_KEY } from '../testing/stand-in-service.ts';
import type { Flavour } from '../testing/stand-in-service.ts';
import type { ObjectFinding } from './object-findings.ts';
import { openS3BlockStore } from './s3-block-store.ts';
import type { S3Options } from './s3-options.ts';
import { storeOptions } from './testing/store-options.ts';

const MASTER = Buffer.alloc(32, 'master');
const RING = KeyRing.create(MASTER, 'default', 1);
const SEALER = new BlockSealer({ compression: 'auto', keys: RING });
/** Pauses are short, deadlines as ever: the machine may be slow. */
const LIMITS = { backoffFirstMs: 2, backoffMaxMs: 10 };
const PLAIN = new BlockSealer({ compression: 'off' });

const sealedBy = (sealer: BlockSealer): Partial<S3Options> =>
  ({ openSealer: () => Promise.resolve(sealer), limits: LIMITS });
const shreddedRing = (): KeyRing => RING.withoutTenant('default', 2);
const code = (wanted: string) => (error: unknown): boolean =>
  error instanceof HoldfastError && error.code === wanted;

for (const flavour of ['amazon', 'gcs', 'plain', 'opaque'] as const satisfies Flavour[]) {
  describe(`sealed blocks at a service of the kind "${flavour}"`, () => {
    let server: StandInService;
    before(async () => {
      server = await StandInService.start(flavour);
    });
    after(() => server.stop());

    const optionsOf = (sealer: BlockSealer): S3Options => storeOptions(
      { endpoint: server.url, bucket: STAND_IN_BUCKET, credentials: STAND_IN_KEY },
      { ...sealedBy(sealer), checksumHeaders: flavour !== 'plain' },
    );
    const opened = (options: S3Options) =>
      (flavour === 'gcs' ? openGcsBlockStore(options) : openS3BlockStore(options));
    const objectOf = ({ prefix }: S3Options, { id }: Block) => {
      const stored = server.objects.get(`${prefix}blocks/${id}`);
      assert.ok(stored !== undefined);
      return stored;
    };

    if (flavour === 'amazon') {
      testBlockStore('S3BlockStore that seals', () => opened(optionsOf(SEALER)));
    }
    testObjectTrash('S3BlockStore that seals', () => opened(optionsOf(SEALER)));

    it('leave no byte of the content in the bucket, and get smaller where they can', async () => {
      const options = optionsOf(SEALER);
      const store = await opened(options);
      const text = Block.of([prose(300_000)]);
      const noise = Block.of([randomBytes(300_000)]);
      for (const block of [text, noise]) await store.put(block);
      assert.ok(objectOf(options, text).bytes.length < 100_000);
      assert.equal(objectOf(options, noise).bytes.length, 300_000 + 28 + 64);
      for (const { bytes } of server.objects.values()) {
        assert.equal(bytes.includes(prose(300_000).subarray(0, 60)), false);
      }
      const part = await store.read(text.id, 200_001, 7);
      assert.ok(part.equals(prose(300_000).subarray(200_001, 200_008)));
      await store.close();
      const again = await opened({ ...options, whenEmpty: 'refuse' });
      assert.deepEqual(await again.find(text.id), { sizeBytes: 300_000 });
      assert.equal(hash('sha256', await again.get(noise.id)), noise.id);
      await again.close();
    });

    it('are told from damage without a key, with a label and without one', async () => {
      const options = optionsOf(SEALER);
      const findings: ObjectFinding[] = [];
      const store = await opened({
        ...options, onFinding: (finding) => findings.push(finding),
      });
      const block = Block.of([prose(9_000)]);
      await store.put(block);
      const stored = objectOf(options, block);
      const { bytes, label } = stored;
      for (const text of [label, undefined, label?.replace('2 9000', '2 9001')]) {
        stored.label = text;
        stored.bytes = bytes;
        assert.deepEqual(await store.find(block.id), { sizeBytes: 9_000 });
        stored.bytes = Buffer.from(bytes);
        stored.bytes[100] = (stored.bytes[100] as number) ^ 1;
        if (flavour !== 'plain' || text !== label) {
          assert.equal(await store.find(block.id), undefined, `label ${text}`);
        }
        await assert.rejects(store.get(block.id), (error) => isKind(error, 'corrupt'));
        await assert.rejects(store.read(block.id, 1, 2), (error) => isKind(error, 'corrupt'));
      }
      assert.ok(findings.some(({ kind }) => kind === 'damaged-block'));
      await store.put(block);
      assert.equal(hash('sha256', await store.get(block.id)), block.id);
      await store.close();
    });

    it('are unreadable once their keys are destroyed, are put anew and collected', async () => {
      const options = optionsOf(SEALER);
      const store = await opened(options);
      const [kept, gone] = [Block.of([prose(9_000)]), Block.of([randomBytes(9_000)])];
      for (const block of [kept, gone]) await store.put(block);
      await store.close();
      const ring = shreddedRing();
      const shredded = await opened({
        ...options, ...sealedBy(new BlockSealer({ compression: 'off', keys: ring })),
      });
      await shredded.ready();
      for (const { id } of [kept, gone]) {
        await assert.rejects(shredded.get(id), code('shredded'));
        await assert.rejects(shredded.read(id, 0, 1), code('shredded'));
        assert.equal(await shredded.find(id), undefined);
      }
      await assert.rejects(shredded.put(kept), code('tenant-shredded'));
      await shredded.close();
      const renewed = await opened({
        ...options,
        ...sealedBy(new BlockSealer({
          compression: 'off', keys: ring.withNewDataKey('default', 3),
        })),
      });
      await renewed.ready();
      await renewed.put(kept);
      assert.equal(hash('sha256', await renewed.get(kept.id)), kept.id);
      // What nobody can read leaves like everything else, as it is.
      const before = objectOf(options, gone).bytes;
      const batch = await trashAllBut(renewed, [kept.id]);
      const folder = String(batch).padStart(10, '0');
      const trashed = server.objects.get(`${options.prefix}trash/${folder}/${gone.id}`);
      assert.ok(trashed?.bytes.equals(before));
      await renewed.close();
    });
  });
}

describe('a store that begins to seal', () => {
  let server: StandInService;
  before(async () => {
    server = await StandInService.start('amazon');
  });
  after(() => server.stop());

  const at = () => ({ endpoint: server.url, bucket: STAND_IN_BUCKET, credentials: STAND_IN_KEY });
  const markerOf = ({ prefix }: S3Options): string =>
    String(server.objects.get(`${prefix}holdfast-store.json`)?.bytes);

  it('keeps what lies there as it is, and says in its marker what may come', async () => {
    const options = storeOptions(at(), { limits: LIMITS });
    const plain = await openS3BlockStore(options);
    const old = Block.of([prose(9_000)]);
    await plain.put(old);
    await plain.close();
    assert.match(markerOf(options), /"version":1/);
    const compressing = new BlockSealer({ compression: 'auto' });
    const second = await openS3BlockStore({ ...options, ...sealedBy(compressing) });
    assert.match(markerOf(options), /"version":2,.*"blocks":"compressed"/);
    const fresh = Block.of([prose(9_000, 77)]);
    for (const block of [old, fresh]) await second.put(block);
    assert.equal(server.objects.get(`${options.prefix}blocks/${old.id}`)?.bytes.length, 9_000);
    await second.close();
    // Without any setting: what is compressed is still read.
    const third = await openS3BlockStore({ ...options, ...sealedBy(PLAIN) });
    for (const block of [old, fresh]) {
      assert.equal(hash('sha256', await third.get(block.id)), block.id);
    }
    await third.close();
    const fourth = await openS3BlockStore({ ...options, ...sealedBy(SEALER) });
    assert.match(markerOf(options), /"blocks":"encrypted"/);
    await fourth.close();
  });

  it('asks whether encrypted blocks are there, and is not opened against that', async () => {
    const options = storeOptions(at(), { limits: LIMITS });
    await (await openS3BlockStore({ ...options, ...sealedBy(SEALER) })).close();
    const lost = new HoldfastError('conflict', 'test', 'the ring is lost');
    const opened = openS3BlockStore({
      ...options,
      openSealer: async (holdEncrypted) => {
        if (await holdEncrypted()) throw lost;
        return undefined;
      },
    });
    await assert.rejects(opened, (error) => error === lost);
  });

  it('does not take an old object for the one that it has just written', async () => {
    const options = storeOptions(at(), { ...sealedBy(SEALER) });
    const store = await openS3BlockStore(options);
    const block = Block.of([prose(9_000)]);
    await store.put(block);
    const key = `${options.prefix}blocks/${block.id}`;
    const old = server.objects.get(key);
    assert.ok(old !== undefined);
    await store.close();
    // The keys are gone, so the block is written anew; the service says so and keeps the old one.
    const ring = shreddedRing().withNewDataKey('default', 3);
    const keys = new BlockSealer({ compression: 'auto', keys: ring });
    const again = await openS3BlockStore({ ...options, ...sealedBy(keys) });
    const set = server.objects.set.bind(server.objects);
    server.objects.set = (name, value) => set(name, name === key ? old : value);
    await assert.rejects(again.put(block), code('put-not-kept'));
    server.objects.set = set;
    await again.put(block);
    assert.equal(hash('sha256', await again.get(block.id)), block.id);
    await again.close();
  });
});
