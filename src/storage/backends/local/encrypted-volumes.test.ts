import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BlockSealer } from '../../sealing/block-sealer.ts';
import { KeyRing } from '../../sealing/key-ring.ts';
import { prose } from '../../sealing/testing/prose.ts';
import { Block } from '../../block.ts';
import { holdEncrypted, type SampledVolumes } from './encrypted-volumes.ts';
import { StoreTrial } from './testing/store-trial.ts';

const keys = KeyRing.create(Buffer.alloc(32, 5), 'default', 1000);
const encrypting = (): BlockSealer => new BlockSealer({ compression: 'off', keys });
const packing = (): BlockSealer => new BlockSealer({ compression: 'auto' });

function look({ files }: StoreTrial): SampledVolumes {
  return { list: () => files.list(), open: (name) => files.open(name, 'read') };
}

async function opened(seed: number, sealer?: BlockSealer): Promise<StoreTrial> {
  const trial = new StoreTrial(seed);
  trial.sealer = sealer;
  await trial.open();
  return trial;
}

describe('encrypted blocks are noticed', () => {
  it('in no volume where nothing is encrypted, compressed or not', async () => {
    for (const sealer of [undefined, packing()]) {
      const trial = await opened(1, sealer);
      assert.equal(await holdEncrypted(look(trial)), false);
      await trial.work(60);
      await trial.store.put(Block.of([prose(20_000)]));
      assert.equal(await holdEncrypted(look(trial)), false);
    }
  });

  it('in a volume that is being written, from the first one on', async () => {
    const trial = await opened(2, encrypting());
    await trial.store.put(trial.block(100));
    assert.equal(await holdEncrypted(look(trial)), true);
  });

  it('in a volume that began without encryption', async () => {
    const trial = await opened(3, packing());
    await trial.store.put(trial.block(100));
    await trial.store.close();
    trial.sealer = encrypting();
    await trial.open();
    await trial.store.put(trial.block(100));
    assert.equal(await holdEncrypted(look(trial)), true);
    const open = await trial.store.keeper.useOfOpen();
    await trial.store.keeper.sealOpen(open?.volumeId ?? 0);
    assert.equal(await holdEncrypted(look(trial)), true);
  });

  it('in a sealed volume, and in the trash', async () => {
    const trial = await opened(4, encrypting());
    await trial.store.put(trial.block(100));
    const { keeper } = trial.store;
    await keeper.sealOpen(1);
    trial.sealer = undefined;
    assert.equal(await holdEncrypted(look(trial)), true);
    await keeper.compact(1);
    await keeper.moveToTrash(1);
    for (const name of trial.files.names()) if (name.endsWith('.hv')) trial.files.drop(name);
    assert.equal(await holdEncrypted(look(trial)), true);
  });
});
