import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PlacementDisk } from '../placement.ts';
import { chooseSet, type SetRequest } from './set-choice.ts';

function diskOn(id: string, host: string): PlacementDisk {
  const labels = { disk: id, host, rack: 'r', zone: 'z' };
  return { id, labels, state: 'active', answers: true, freeBytes: 1000 };
}

const DISKS = [1, 2, 3, 4].map((at) => diskOn(`d${at}`, `h${at}`));

function request(copies: readonly (readonly string[])[], change: Partial<SetRequest> = {}) {
  const candidates = copies.map((diskIds, at) => ({ volumeId: at + 1, sizeBytes: 10, diskIds }));
  return {
    shape: { data: 2, parity: 2 }, domain: 'host' as const, roomBytes: 0, candidates,
    disks: DISKS, ...change,
  };
}

describe('the choice of a set', () => {
  it('moves a volume to another of its copies when that makes place for a second one', () => {
    const choice = chooseSet(request([['d1', 'd2'], ['d1']]));
    assert.ok(choice.chosen);
    assert.deepEqual(choice.volumes, [
      { volumeId: 1, diskId: 'd2' }, { volumeId: 2, diskId: 'd1' },
    ]);
    assert.deepEqual([...choice.parityDiskIds].sort(), ['d3', 'd4']);
  });

  it('leaves out a volume that fits with no other, and takes the next', () => {
    const choice = chooseSet(request([['d1'], ['d1'], ['d2']]));
    assert.ok(choice.chosen);
    assert.deepEqual(choice.volumes.map(({ volumeId }) => volumeId), [1, 3]);
  });

  it('puts no parity where there is no room, and says so', () => {
    const disks = DISKS.map((disk) => (disk.id === 'd4' ? disk : { ...disk, freeBytes: 5 }));
    const choice = chooseSet(request([['d1'], ['d2']], { disks }));
    assert.ok(!choice.chosen);
    assert.match(choice.reason, /needs room for parity on 2 hosts; 1 have it/);
  });

  it('never puts two shards into one domain, nor a volume where it has no copy', () => {
    const hosts = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 4, maxLength: 9 });
    const copies = fc.array(fc.uniqueArray(fc.nat(8), { minLength: 1, maxLength: 3 }), {
      minLength: 2, maxLength: 8,
    });
    fc.assert(fc.property(hosts, copies, (hostOf, held) => {
      const disks = hostOf.map((host, at) => diskOn(`d${at}`, `h${host}`));
      const wanted = request(held.map((ids) => ids.map((id) => `d${id}`)), { disks });
      const choice = chooseSet(wanted);
      if (!choice.chosen) return;
      const ids = [...choice.volumes.map(({ diskId }) => diskId), ...choice.parityDiskIds];
      const domains = ids.map((id) => disks.find((disk) => disk.id === id)?.labels.host);
      assert.equal(new Set(domains).size, 4);
      assert.ok(!domains.includes(undefined));
      for (const { volumeId, diskId } of choice.volumes) {
        assert.ok(wanted.candidates[volumeId - 1]?.diskIds.includes(diskId));
      }
    }));
  });
});
