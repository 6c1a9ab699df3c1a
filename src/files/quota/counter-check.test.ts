import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_TENANT, parseUserId } from '../../base/ids.ts';
import type { SpaceId } from '../../base/ids.ts';
import { MemoryMetadataStore } from '../../metadata/stores/memory/memory-metadata-store.ts';
import { CounterCheck } from './counter-check.ts';

async function spaces(count: number): Promise<MemoryMetadataStore> {
  const metadata = new MemoryMetadataStore();
  for (let n = 0; n < count; n += 1) {
    await metadata.ensureSpace({
      tenant: DEFAULT_TENANT, owner: parseUserId(`u${n}`), casePolicy: 'sensitive',
      quotaBytes: undefined, at: 0,
    });
  }
  return metadata;
}

describe('CounterCheck', () => {
  it('counts all spaces, with a rest after each, and begins anew behind the last', async () => {
    const counted: SpaceId[] = [];
    let rests = 0;
    const metadata = await spaces(3);
    const check = new CounterCheck({
      metadata: {
        listSpaces: (limit, after) => metadata.listSpaces(limit, after),
        commit: (change) => {
          assert.ok(change.op === 'recount');
          counted.push(change.spaceId);
          return metadata.commit(change);
        },
      },
      now: () => 7, pause: async () => { rests += 1; },
      onHealed: () => assert.fail('nothing was wrong'),
    });
    for (let round = 0; round < 2; round += 1) {
      assert.deepEqual(await check.run(),
        { spaceCount: 3, folderCount: 3, healedCount: 0, isWhole: true });
    }
    assert.deepEqual([new Set(counted).size, counted.length, rests], [3, 6, 6]);
  });

  it('goes on behind a space at which it was stopped, and tells what it healed', async () => {
    const metadata = await spaces(2);
    const seen: string[] = [];
    const stop = new AbortController();
    const check = new CounterCheck({
      metadata: {
        listSpaces: (limit, after) => metadata.listSpaces(limit, after),
        commit: async (change) => {
          const done = await metadata.commit(change);
          const recount = { folderCount: 4, healedCount: 1, storedBytes: 9, countedBytes: 5 };
          return { ...done, recount };
        },
      },
      now: () => 7,
      pause: async () => stop.abort(new Error('stopped')),
      onHealed: ({ spaceId, storedBytes, countedBytes }) => {
        seen.push(`${spaceId}: ${storedBytes} was ${countedBytes}`);
      },
    });
    await assert.rejects(check.run(stop.signal), /stopped/);
    assert.deepEqual(seen, ['1: 9 was 5']);
    await check.run();
    assert.deepEqual(seen, ['1: 9 was 5', '2: 9 was 5']);
  });
});
