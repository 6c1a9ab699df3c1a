import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metrics, silentLog } from '../../platform/index.ts';
import { VerifyWorld } from './testing/verify-world.ts';
import { TRAITS } from './verifier.ts';
import type { Verifier, VerifierId } from './verifier.ts';
import { VerifierSchedule } from './verifier-schedule.ts';
import { readStatus } from './coverage.ts';

async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await new Promise(setImmediate);
}

function make(world: VerifyWorld, id: VerifierId, run: Verifier['run']): Verifier {
  const { unit, cycleMs } = TRAITS[id];
  const status = () => readStatus(world.store, id, { nowMs: world.clock.now() });
  return { id, unit, cycleMs, run, status };
}

function scheduleOf(world: VerifyWorld, verifiers: readonly Verifier[]) {
  const metrics = new Metrics();
  const { store, clock } = world;
  const schedule = new VerifierSchedule({
    verifiers, store, clock, metrics, log: silentLog, isLoaded: () => false,
  });
  return { schedule, metrics };
}

describe('VerifierSchedule', () => {
  it('runs each verifier again and again, one that fails too', async () => {
    const world = new VerifyWorld();
    let good = 0;
    let bad = 0;
    const { schedule } = scheduleOf(world, [
      make(world, 'disk-scrubber', async (budget, signal) => {
        await budget.take(1, signal);
        good++;
        return { result: 'checked', checked: 1, reports: 0 };
      }),
      make(world, 'reconciler', async () => {
        bad++;
        throw new Error('broken');
      }),
    ]);
    schedule.start();
    for (let step = 0; step < 4; step++) {
      await settled();
      world.clock.advance(10 * 60 * 1000);
    }
    await settled();
    assert.ok(good >= 3 && bad >= 3, `${good} and ${bad} times`);
    await schedule.stop();
  });

  it('stops a verifier that waits for its turn or its rate', async () => {
    const world = new VerifyWorld();
    let ended = false;
    const { schedule } = scheduleOf(world, [
      make(world, 'disk-scrubber', async (budget, signal) => {
        try {
          for (;;) await budget.take(10 ** 12, signal);
        } finally {
          ended = true;
        }
      }),
    ]);
    schedule.start();
    await settled();
    world.clock.advance(60_000);
    await settled();
    await schedule.stop();
    assert.equal(ended, true);
  });

  it('publishes how old the oldest unchecked thing is, and what is open', async () => {
    const world = new VerifyWorld();
    const { metrics } = scheduleOf(world, [
      make(world, 'disk-scrubber', async () => ({ result: 'checked', checked: 0, reports: 0 })),
    ]);
    const nothing = await metrics.text();
    assert.match(nothing, /verify_watched\{verifier="disk-scrubber",unit="bytes"\} 0\n/);
    assert.doesNotMatch(nothing, /verify_covered_ratio\{/, 'it has checked nothing');
    assert.doesNotMatch(nothing, /verify_oldest_unchecked_seconds\{/);
    world.store.putUnit('disk-scrubber', {
      name: 'local/v', size: 100, checked: 100, checkedMs: world.clock.now() - 5_000,
      waitingSinceMs: undefined, resume: undefined,
    });
    world.desk.report({ verifier: 'disk-scrubber', kind: 'unreadable', scope: 's', where: 'w' });
    const text = await metrics.text();
    assert.match(text, /verify_oldest_unchecked_seconds\{verifier="disk-scrubber"\} 5\n/);
    assert.match(text, /verify_covered_ratio\{verifier="disk-scrubber"\} 1\n/);
    assert.match(text,
      /verify_findings_open\{verifier="disk-scrubber",kind="unreadable"\} 1\n/);
    world.store.dropUnit('disk-scrubber', 'local/v');
    assert.doesNotMatch(await metrics.text(), /verify_covered_ratio\{/);
  });
});
