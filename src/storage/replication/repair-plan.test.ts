import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { CopyState } from './copy-table.ts';
import type { PlacementDisk } from './placement.ts';
import { countCopies, planRepair, type RepairSubject } from './repair-plan.ts';

const STATES: readonly CopyState[] = ['good', 'damaged', 'stale', 'unchecked', 'differs'];
const IDS = ['d0', 'd1', 'd2', 'd3', 'd4', 'd5'];

const anyWorld = fc.record({
  copies: fc.integer({ min: 1, max: 3 }),
  hosts: fc.array(fc.nat(4), { minLength: 6, maxLength: 6 }),
  diskStates: fc.array(
    fc.constantFrom('active', 'active', 'active', 'readonly', 'draining', 'missing'),
    { minLength: 6, maxLength: 6 },
  ),
  answers: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  found: fc.array(fc.option(fc.constantFrom(...STATES)), { minLength: 6, maxLength: 6 }),
  members: fc.subarray(IDS, { minLength: 1, maxLength: 3 }),
  beingWritten: fc.boolean(),
  isMarkExact: fc.boolean(),
});

describe('planRepair', () => {
  it('lets go of nothing that counts, copies only from whole to free domains, and ends', () => {
    fc.assert(fc.property(anyWorld, (world) => {
      const disks = IDS.map((id, at): PlacementDisk => {
        const state = world.diskStates[at] as PlacementDisk['state'];
        return {
          id, state, freeBytes: 1000, answers: state !== 'missing' && world.answers[at] === true,
          labels: { disk: id, host: `h${world.hosts[at]}`, rack: 'r', zone: 'z' },
        };
      });
      const states = new Map<string, CopyState>();
      world.found.forEach((state, at) => state !== null && states.set(`d${at}`, state));
      const policy = { copies: world.copies, acksMin: 1, domain: 'host' } as const;
      const around = { disks, policy, roomBytes: 0 };
      const list = { volumeId: 1, generation: 1, copies: 1, acksMin: 1, diskIds: world.members };
      const subject: RepairSubject = {
        volumeId: 1, list, states, beingWritten: world.beingWritten, sizeBytes: 10,
        isMarkExact: world.isMarkExact,
      };
      for (let steps = 0; ; steps++) {
        assert.ok(steps < 30, 'it never ends');
        const step = planRepair(subject, around);
        const { counted, wanted } = countCopies(subject, around);
        const hosts = counted.map((id) => disks.find((disk) => disk.id === id)?.labels.host);
        assert.equal(new Set(hosts).size, counted.length, 'two copies in one domain count twice');
        if (step.act === 'nothing') {
          assert.ok(counted.length >= wanted);
          return;
        }
        if (step.act === 'wait' || step.act === 'close') {
          assert.ok(counted.length < wanted);
          return;
        }
        assert.equal(world.beingWritten, false);
        if (step.act === 'let-go') {
          assert.ok(!counted.includes(step.diskId) && counted.length >= wanted);
          assert.notEqual(states.get(step.diskId), 'differs');
          states.delete(step.diskId);
        } else if (step.act === 'compare') {
          assert.equal(states.get(step.diskId), 'unchecked');
          states.set(step.diskId, steps % 2 === 0 ? 'good' : 'stale');
        } else {
          const hostOf = (id: string): unknown => disks.find((disk) => disk.id === id)?.labels.host;
          assert.ok(!counted.some((id) => hostOf(id) === hostOf(step.target)));
          assert.notEqual(states.get(step.target), 'differs');
          const whole = [...states].some(([id, state]) => state === 'good'
            && disks.some((disk) => disk.id === id && disk.answers));
          const hasStale = step.sources.some((id) => states.get(id) === 'stale');
          assert.ok(!hasStale || (world.isMarkExact && !whole), 'a shorter one may be copied');
          if (whole) assert.equal(states.get(step.sources[0] as string), 'good');
          states.set(step.target, 'good');
        }
      }
    }), { numRuns: 3000 });
  });
});
