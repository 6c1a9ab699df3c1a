import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import {
  MemoryNodeRegistry,
} from '../platform/cluster/stores/memory/memory-node-registry.ts';
import { ManualClock, silentLog } from '../platform/index.ts';
import { NodePresence } from './node-presence.ts';

describe('NodePresence', () => {
  it('is there until it is closed, and comes back when it was forgotten', async () => {
    const clock = new ManualClock(1_000_000);
    const registry = new MemoryNodeRegistry(clock);
    const presence = await NodePresence.enter({
      registry, root: '/srv/data', version: '1.2.3', clock, log: silentLog,
    });
    const [entered] = await registry.list();
    assert.ok(entered !== undefined);
    assert.equal(entered.version, '1.2.3');
    assert.match(entered.place, /:\/srv\/data$/);
    clock.advance(2_000);
    assert.equal((await registry.list())[0]?.silentMs, 0);
    await turn();
    await registry.leave(entered);
    clock.advance(2_000);
    await turn();
    assert.equal((await registry.list()).length, 1);
    const isGone = registry.list.bind(registry);
    let left: unknown;
    registry.close = async () => {
      left = await isGone();
    };
    await presence.close();
    assert.deepEqual(left, []);
    clock.advance(10_000);
    assert.deepEqual(await registry.list(), []);
  });
});
