import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { place, type PlacementDisk, type PlacementRequest } from './placement.ts';
import { DISK_STATES, DOMAIN_LEVELS } from './volume-disk.ts';

const anyDisk = fc.record({
  host: fc.nat(6), rack: fc.nat(3), zone: fc.nat(2),
  state: fc.constantFrom(...DISK_STATES, 'active' as const, 'active' as const),
  answers: fc.boolean(), freeBytes: fc.nat(1000),
});
const anyRequest: fc.Arbitrary<PlacementRequest> = fc.record({
  volumeId: fc.nat(1000), copies: fc.integer({ min: 1, max: 4 }),
  domain: fc.constantFrom(...DOMAIN_LEVELS), roomBytes: fc.nat(600),
  disks: fc.array(anyDisk, { maxLength: 14 }).map((all) => all.map(numbered)),
  holders: fc.subarray(['d0', 'd1', 'd2', 'd3'], { maxLength: 2 }),
});

function numbered(
  { host, rack, zone, ...disk }: { host: number; rack: number; zone: number }
    & Omit<PlacementDisk, 'id' | 'labels'>,
  at: number,
): PlacementDisk {
  const labels = { disk: `d${at}`, host: `h${host}`, rack: `r${rack}`, zone: `z${zone}` };
  return { ...disk, id: `d${at}`, labels };
}

const READY = { state: 'active', answers: true, freeBytes: 1000 } as const;

function plain(count: number, change: Partial<PlacementDisk> = {}): PlacementDisk[] {
  return Array.from({ length: count }, (_, at) => ({
    ...numbered({ host: at, rack: 0, zone: 0, ...READY }, at), ...change,
  }));
}

describe('place', () => {
  it('never puts two copies into one failure domain, nor one where it may not go', () => {
    fc.assert(fc.property(anyRequest, (request) => {
      const placement = place(request);
      if (!placement.placed) return;
      const { domain, disks, holders = [], roomBytes, copies } = request;
      const chosen = placement.diskIds.map((id) => disks.find((disk) => disk.id === id));
      const held = disks.filter(({ id }) => holders.includes(id));
      const heldDomains = new Set(held.map(({ labels }) => labels[domain]));
      const domains = new Set(chosen.map((disk) => disk?.labels[domain] ?? ''));
      assert.equal(chosen.length, copies);
      assert.equal(domains.size, copies);
      for (const disk of chosen) {
        assert.ok(disk?.state === 'active' && disk.answers && disk.freeBytes >= roomBytes);
        assert.ok(!heldDomains.has(disk.labels[domain]));
      }
    }), { numRuns: 2000 });
  });

  it('finds a place whenever there is one, and says what is missing when there is none', () => {
    fc.assert(fc.property(anyRequest, (request) => {
      const { domain, disks, holders = [], roomBytes, copies } = request;
      const held = new Set(disks.filter(({ id }) => holders.includes(id))
        .map(({ labels }) => labels[domain]));
      const roomy = disks.filter(({ state, answers, freeBytes }) =>
        state === 'active' && answers && freeBytes >= Math.max(1, roomBytes));
      const domains = new Set(roomy.map(({ labels }) => labels[domain]));
      for (const one of held) domains.delete(one);
      const placement = place(request);
      assert.equal(placement.placed, domains.size >= copies);
      if (placement.placed) return;
      const start = new RegExp(`^${copies} .*cop(y|ies) needs? ${copies} .*${domain}`);
      assert.match(placement.reason, start);
      const has = domains.size === 0 ? `no ${domain} has room` : `only ${domains.size} ${domain}`;
      assert.ok(placement.reason.includes(has), placement.reason);
    }), { numRuns: 2000 });
  });

  it('answers the same question in the same way, in whatever order the disks come', () => {
    fc.assert(fc.property(anyRequest, (request) => {
      const turned = { ...request, disks: [...request.disks].reverse() };
      assert.deepEqual(place(turned), place(request));
    }), { numRuns: 500 });
  });

  it('gives emptier disks more, in proportion', () => {
    const disks = plain(3);
    disks[2] = { ...(disks[2] as PlacementDisk), freeBytes: 4000 };
    const counts = new Map<string, number>();
    for (let volumeId = 1; volumeId <= 6000; volumeId++) {
      const placement = place({ volumeId, copies: 1, domain: 'disk', roomBytes: 0, disks });
      assert.ok(placement.placed);
      for (const id of placement.diskIds) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    const share = (counts.get('d2') ?? 0) / 6000;
    assert.ok(Math.abs(share - 4 / 6) < 0.03, `${share} of the volumes are on the emptiest disk`);
  });

  it('moves only what it must when a disk is added', () => {
    let moved = 0;
    for (let volumeId = 1; volumeId <= 1000; volumeId++) {
      const request = { volumeId, copies: 2, domain: 'disk', roomBytes: 0 } as const;
      const [before, after] = [5, 6].map((count) => place({ ...request, disks: plain(count) }));
      assert.ok(before?.placed && after?.placed);
      const fresh = after.diskIds.filter((id) => !before.diskIds.includes(id));
      moved += fresh.filter((id) => id !== 'd5').length;
    }
    assert.equal(moved, 0);
  });

  it('says it in words that an operator can use', () => {
    const reason = (request: Partial<PlacementRequest>): string => {
      const whole = { volumeId: 1, copies: 2, domain: 'host', roomBytes: 10, disks: [] } as const;
      const placement = place({ ...whole, ...request });
      return placement.placed ? 'placed' : `${placement.why}: ${placement.reason}`;
    };
    const [one, two] = plain(2) as [PlacementDisk, PlacementDisk];
    assert.equal(reason({ disks: [one, { ...two, freeBytes: 5 }] }),
      'full: 2 copies need 2 hosts; only 1 host has room (1 disk is full)');
    assert.equal(reason({ disks: [one, { ...two, state: 'missing', answers: false }] }),
      'too-few: 2 copies need 2 hosts; only 1 host has room (1 disk is missing)');
    assert.equal(reason({ disks: [one, { ...two, answers: false }] }),
      'too-few: 2 copies need 2 hosts; only 1 host has room (1 disk is not answering)');
    assert.equal(reason({ copies: 1, disks: [one], holders: ['d0'] }),
      'too-few: 1 more copy needs 1 more host; no host has room (1 host has a copy already)');
  });
});
