import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../base/errors.ts';
import { ErasureSet } from './erasure-set.ts';
import { encodeErasureSet } from './set-encoder.ts';
import { proveErasureSet } from './set-proof.ts';
import { rebuildShard } from './set-rebuild.ts';
import { parityName, parseParityName } from './set-layout.ts';
import {
  contentOf, drop, encodedSet, flip, MIB, openHandles, sampleSet,
} from './testing/sample-set.ts';
import type { SampleSet } from './testing/sample-set.ts';

function parityFiles({ disks }: SampleSet): string[] {
  return disks.flatMap((disk) => disk.names()).filter((name) => name.includes('.hx'));
}

describe('Encoding a set', () => {
  it('leaves the volumes as they are and answers with a proof', async () => {
    const sample = await encodedSet([MIB + 3, 2 * MIB], 2);
    const { facts, proof } = sample.encoded;
    assert.equal(proof.sound, true);
    assert.equal(proof.patterns, 6);
    assert.deepEqual(facts.shards.map(({ lengthBytes }) => lengthBytes), [
      MIB + 3, 2 * MIB, 2 * MIB, 2 * MIB,
    ]);
    for (const shard of [0, 1]) {
      assert.ok(contentOf(sample, shard).equals(sample.contents[shard] as Buffer));
    }
    assert.deepEqual(parityFiles(sample), ['e00000007.2.hx', 'e00000007.3.hx']);
    assert.equal(openHandles(sample), 0);
  });

  it('is durable when it has resolved', async () => {
    const sample = await encodedSet([MIB + 3, 2 * MIB], 2);
    const disks = sample.disks.map((disk) => disk.crash());
    const place = (shard: number) => {
      return { files: disks[shard] as (typeof disks)[number], name: sample.names[shard] as string };
    };
    const places = { data: [0, 1].map(place), parity: [2, 3].map(place) };
    assert.equal((await proveErasureSet(places)).sound, true);
  });

  it('refuses a volume that differs from its other replicas', async () => {
    const sample = sampleSet([500, 400], 1);
    const data = sample.plan.data.map((volume) => ({ ...volume, hashes: Buffer.alloc(32) }));
    const encoding = encodeErasureSet({ ...sample.plan, data });
    await assert.rejects(encoding, (error) => isKind(error, 'corrupt'));
    assert.deepEqual(parityFiles(sample), []);
  });

  it('refuses to overwrite a parity file', async () => {
    const sample = await encodedSet([500, 400], 1);
    await assert.rejects(encodeErasureSet(sample.plan), (error) => isKind(error, 'exists'));
    assert.ok(contentOf(sample, 2).equals(sample.contents[2] as Buffer));
  });

  it('takes up where an attempt was cut off', async () => {
    const sample = sampleSet([500, 400], 1);
    sample.disks[2]?.setContent('e00000007.2.hx.new', Buffer.from('half'));
    await encodeErasureSet(sample.plan);
    assert.deepEqual(parityFiles(sample), ['e00000007.2.hx']);
  });

  it('refuses plans that make no set', async () => {
    const { plan } = sampleSet([500, 400], 1);
    const [first] = plan.data;
    assert.ok(first);
    for (const wrong of [
      { data: [] }, { parity: [] }, { data: [first, first] }, { id: Buffer.alloc(15) },
      { number: 0 }, { parity: [first.place] },
    ]) {
      const encoding = encodeErasureSet({ ...plan, ...wrong });
      await assert.rejects(encoding, (error) => isKind(error, 'invalid'));
    }
    const empty = sampleSet([500, 0], 1);
    await assert.rejects(encodeErasureSet(empty.plan), (error) => isKind(error, 'invalid'));
    assert.equal(openHandles(empty), 0);
  });

  it('stops for a signal and leaves nothing behind', async () => {
    const sample = sampleSet([3 * MIB, 400], 1);
    const stop = new AbortController();
    const paced: number[] = [];
    const pace = async (bytes: number): Promise<void> => {
      paced.push(bytes);
      stop.abort(new Error('enough'));
    };
    const encoding = encodeErasureSet(sample.plan, { signal: stop.signal, pace });
    await assert.rejects(encoding, /enough/);
    assert.deepEqual(paced, [2 * MIB + 400]);
    assert.deepEqual(parityFiles(sample), []);
    assert.equal(openHandles(sample), 0);
  });

  it('never lets replicas go when the disk gives back other bytes than it took', async () => {
    const sample = sampleSet([MIB + 3, 2 * MIB], 2);
    const [, , third] = sample.disks;
    assert.ok(third);
    const draft = 'e00000007.2.hx.new';
    let opened = 0;
    third.plan = ({ what, name }) => {
      if (what !== 'open' || name !== draft) return undefined;
      // The second time it is opened to be read: by then another byte is on the disk.
      if (++opened === 2) {
        const bytes = Buffer.from(third.content(draft));
        bytes[12_345] = (bytes[12_345] as number) ^ 64;
        third.setContent(draft, bytes);
      }
      return undefined;
    };
    await assert.rejects(encodeErasureSet(sample.plan), (error) => isKind(error, 'corrupt'));
    assert.equal(opened, 2);
    assert.deepEqual(parityFiles(sample), []);
    assert.equal(openHandles(sample), 0);
  });

  // Method: the k-th call of a disk fails, for every k, until none is left to fail.
  it('fails cleanly wherever a disk fails', async () => {
    for (const disk of [0, 2]) {
      let failures = 0;
      for (let at = 1; ; at++) {
        const sample = sampleSet([600, 400], 2);
        const files = sample.disks[disk];
        assert.ok(files);
        files.plan = ({ number }) => (number === at ? 'EIO' : undefined);
        try {
          await encodeErasureSet(sample.plan);
          if (files.calls < at) break;
        } catch (error) {
          failures++;
          assert.ok(error instanceof HoldfastError, String(error));
          assert.equal(isKind(error, 'unavailable') || isKind(error, 'corrupt'), true);
        }
        assert.equal(openHandles(sample), 0, `call ${at}`);
        for (const shard of [0, 1]) {
          assert.ok(contentOf(sample, shard).equals(sample.contents[shard] as Buffer));
        }
        const drafts = parityFiles(sample).filter((name) => name.endsWith('.new'));
        assert.deepEqual(drafts, [], `call ${at}`);
      }
      assert.ok(failures > 3, `${failures} failures`);
    }
  });

  it('says that the disk is full when it is', async () => {
    const sample = sampleSet([600, 400], 1);
    const [, , third] = sample.disks;
    assert.ok(third);
    third.plan = ({ what }) => (what === 'write' ? 'ENOSPC' : undefined);
    await assert.rejects(encodeErasureSet(sample.plan), (error) => isKind(error, 'full'));
  });

  // Method: the power fails at the k-th call of a parity disk, for every k. A parity file that has
  // its name then is whole.
  it('never names a parity file that is not whole, wherever the power fails', async () => {
    let named = 0;
    for (let at = 1; ; at++) {
      const sample = sampleSet([600, 400], 1, at);
      const files = sample.disks[2];
      assert.ok(files);
      files.plan = ({ number }) => (number === at ? 'CRASH' : undefined);
      const ended = await Promise.race([
        encodeErasureSet(sample.plan).then(() => true),
        untilCalled(() => files.calls >= at),
      ]);
      const survivor = files.crash();
      if (survivor.names().includes('e00000007.2.hx')) {
        named++;
        const { data } = sample.places;
        const parity = [{ files: survivor, name: 'e00000007.2.hx' }];
        assert.equal((await proveErasureSet({ data, parity })).sound, true, `call ${at}`);
      }
      if (ended) break;
    }
    assert.ok(named > 0);
  });
});

/** Resolves with false once the condition holds and all that can go on without it has. */
async function untilCalled(condition: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < 100_000; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    if (condition()) break;
  }
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  return false;
}

describe('Rebuilding a shard', () => {
  for (const shard of [0, 1, 2, 3, 4]) {
    it(`makes shard ${shard} anew, byte for byte`, async () => {
      const sample = await encodedSet([2 * MIB + 5, 300, MIB], 2);
      drop(sample, shard);
      drop(sample, shard === 3 ? 0 : (shard + 1) % 5); // One parity file must be left.
      const set = await ErasureSet.open(sample.places);
      const files = sample.disks[shard];
      const name = sample.names[shard];
      assert.ok(files !== undefined && name !== undefined);
      await rebuildShard(set, shard, { files, name });
      await set.close();
      assert.ok(contentOf(sample, shard).equals(sample.contents[shard] as Buffer));
      assert.ok(files.crash().content(name).equals(sample.contents[shard] as Buffer));
      assert.equal(openHandles(sample), 0);
    });
  }

  it('uses what is sound of the damaged file itself', async () => {
    const sample = await encodedSet([3 * MIB, 3 * MIB], 1);
    flip(sample, 0, 5);
    flip(sample, 1, MIB + 5);
    flip(sample, 2, 8192 + 2 * MIB + 5);
    const set = await ErasureSet.open(sample.places);
    const [files] = sample.disks;
    assert.ok(files);
    await rebuildShard(set, 0, { files, name: 'again' });
    assert.ok(files.content('again').equals(sample.contents[0] as Buffer));
    await set.close();
  });

  it('refuses to overwrite, and leaves nothing of an attempt that failed', async () => {
    const sample = await encodedSet([500, 400], 1);
    const set = await ErasureSet.open(sample.places);
    const [files] = sample.disks;
    assert.ok(files);
    const over = rebuildShard(set, 0, { files, name: sample.names[0] as string });
    await assert.rejects(over, (error) => isKind(error, 'exists'));
    flip(sample, 0, 1);
    flip(sample, 1, 1);
    const hopeless = rebuildShard(set, 0, { files, name: 'again' });
    await assert.rejects(hopeless, (error) => isKind(error, 'corrupt'));
    assert.deepEqual(files.names(), [sample.names[0]]);
    await assert.rejects(rebuildShard(set, 9, { files, name: 'x' }), (error) => {
      return isKind(error, 'invalid');
    });
    await set.close();
    assert.equal(openHandles(sample), 0);
  });

  it('gives no name to a file that the disk does not give back as written', async () => {
    const sample = await encodedSet([500, 400], 1);
    drop(sample, 1);
    const set = await ErasureSet.open(sample.places);
    const files = sample.disks[1];
    assert.ok(files);
    files.plan = ({ what, name }) => {
      if (what === 'read') files.setContent(name, Buffer.alloc(400, 1));
      return undefined;
    };
    const rebuilding = rebuildShard(set, 1, { files, name: 'again' });
    await assert.rejects(rebuilding, (error) => isKind(error, 'corrupt'));
    assert.deepEqual(files.names(), []);
    await set.close();
  });
});

it('The name of a parity file says its set and shard', () => {
  assert.equal(parityName(12, 6), 'e00000012.6.hx');
  assert.deepEqual(parseParityName('e00000012.6.hx'), { number: 12, shard: 6 });
  for (const name of ['e00000012.06.hx', 'e12.6.hx', 'v00000012.1.hv', 'e00000012.6.hx.new']) {
    assert.equal(parseParityName(name), undefined);
  }
});
