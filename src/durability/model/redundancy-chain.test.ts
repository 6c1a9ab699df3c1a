import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lossWithin } from './absorbing-chain.ts';
import { chainOf, choose } from './redundancy-chain.ts';
import type { RedundantSet } from './redundancy-chain.ts';

/** The same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

interface World {
  readonly shards: number;
  readonly tolerated: number;
  readonly diskPerYear: number;
  /** Which host each shard is in, and how often a host is lost. */
  readonly hosts: readonly number[];
  readonly hostPerYear: number;
  readonly repairYears: number;
  readonly places: number;
  readonly damagePerYear: number;
  readonly exposureYears: number;
}

/** One year of shards that fail, rot, are scrubbed and repaired one by one. True: data was lost. */
function livesThroughLoss(world: World, random: () => number): boolean {
  const { shards, places, tolerated } = world;
  const down = new Array<boolean>(shards).fill(false);
  const damaged = new Set<number>(); // shard * places + place
  const isLost = (): boolean => {
    const gone = down.filter(Boolean).length;
    if (gone > tolerated) return true;
    for (const spot of damaged) {
      const place = spot % places;
      let bad = 0;
      for (let shard = 0; shard < shards; shard++) {
        if (down[shard] === true || damaged.has(shard * places + place)) bad++;
      }
      if (bad > tolerated) return true;
    }
    return false;
  };
  const lose = (shard: number): void => {
    down[shard] = true;
    for (let place = 0; place < places; place++) damaged.delete(shard * places + place);
  };
  const hostCount = new Set(world.hosts).size;
  const pick = (count: number): number => Math.floor(random() * count);
  const events: readonly (readonly [() => number, () => void])[] = [
    [() => shards * world.diskPerYear, () => lose(pick(shards))],
    [() => hostCount * world.hostPerYear, () => {
      const host = pick(hostCount);
      for (const [shard, at] of world.hosts.entries()) if (at === host) lose(shard);
    }],
    [() => down.filter(Boolean).length / world.repairYears, () => {
      const gone = [...down.keys()].filter((shard) => down[shard]);
      down[gone[pick(gone.length)] as number] = false;
    }],
    [() => shards * places * world.damagePerYear, () => {
      const shard = pick(shards);
      if (down[shard] === false) damaged.add(shard * places + pick(places));
    }],
    [() => damaged.size / world.exposureYears, () => {
      damaged.delete([...damaged][pick(damaged.size)] as number);
    }],
  ];
  for (let now = 0; ;) {
    const rates = events.map(([rate]) => rate());
    const total = rates.reduce((sum, rate) => sum + rate, 0);
    now -= Math.log(1 - random()) / total;
    if (now > 1) return false;
    let which = random() * total;
    const at = rates.findIndex((rate) => (which -= rate) < 0);
    (events[Math.max(0, at)] as (typeof events)[number])[1]();
    if (isLost()) return true;
  }
}

function modelOf(world: World): RedundantSet {
  const hosts = new Map<number, number>();
  for (const host of world.hosts) hosts.set(host, (hosts.get(host) ?? 0) + 1);
  const { shards, tolerated, repairYears, places, exposureYears } = world;
  return {
    shards, tolerated, repairYears,
    causes: [
      { perYear: world.diskPerYear, sources: shards, takes: 1 },
      ...[...hosts.values()].map((takes) => ({ perYear: world.hostPerYear, sources: 1, takes })),
    ],
    damage: { places, perPlaceYear: world.damagePerYear, exposureYears },
  };
}

const QUIET: World = {
  shards: 3, tolerated: 2, diskPerYear: 1, hosts: [0, 1, 2], hostPerYear: 0, repairYears: 0.1,
  places: 5, damagePerYear: 0, exposureYears: 0.02,
};

const WORLDS: readonly (readonly [string, World])[] = [
  ['one copy', { ...QUIET, shards: 1, tolerated: 0, hosts: [0], diskPerYear: 0.2 }],
  ['two copies', { ...QUIET, shards: 2, tolerated: 1, hosts: [0, 1] }],
  ['three copies', QUIET],
  ['three copies in hosts that fail', { ...QUIET, hostPerYear: 0.5 }],
  ['three copies in one host', { ...QUIET, hosts: [0, 0, 0], hostPerYear: 0.1 }],
  ['three copies in two hosts', { ...QUIET, hosts: [0, 0, 1], hostPerYear: 1 }],
  ['one copy that rots', {
    ...QUIET, shards: 1, tolerated: 0, hosts: [0], diskPerYear: 0.05, damagePerYear: 0.02,
  }],
  ['two copies that rot', { ...QUIET, shards: 2, tolerated: 1, hosts: [0, 1], damagePerYear: 0.5 }],
  ['three copies that rot', { ...QUIET, damagePerYear: 2 }],
  ['six and three shards', {
    ...QUIET, shards: 9, tolerated: 3, hosts: [0, 1, 2, 3, 4, 5, 6, 7, 8], repairYears: 0.03,
  }],
  ['six and three shards in hosts of two, that rot', {
    ...QUIET, shards: 9, tolerated: 3, hosts: [0, 0, 1, 1, 2, 2, 3, 3, 4], hostPerYear: 0.2,
    diskPerYear: 0.7, repairYears: 0.04, damagePerYear: 0.3,
  }],
];

describe('The chain of a redundant set', () => {
  // Disks, hosts and places one by one against the chain that only counts, at rates so high that
  // losses are common.
  for (const [name, world] of WORLDS) {
    it(`loses as often as a simulated world: ${name}`, () => {
      const random = seeded(7);
      const runs = 6000;
      let lost = 0;
      for (let run = 0; run < runs; run++) if (livesThroughLoss(world, random)) lost++;
      const seen = lost / runs;
      const model = lossWithin(chainOf(modelOf(world)), 1);
      const spread = 4 * Math.sqrt((model * (1 - model)) / runs);
      assert.ok(lost > 50, `only ${lost} losses prove nothing`);
      assert.ok(Math.abs(seen - model) < spread + 0.06 * model, `${seen} seen, ${model} expected`);
    });
  }

  it('hands the whole rate on, whatever a cause takes', () => {
    for (const takes of [1, 2, 3]) {
      const causes = [{ perYear: 0.25, sources: 1, takes }];
      const chain = chainOf({ shards: 5, tolerated: 2, causes, repairYears: 1 });
      const first = chain[0] as readonly number[];
      assert.equal(first.reduce((sum, rate) => sum + rate, 0), 0.25);
      assert.equal(first[takes], 0.25);
    }
  });

  it('loses the same by a host that holds all as by nothing else', () => {
    const causes = [{ perYear: 0.001, sources: 1, takes: 3 }];
    const chain = chainOf({ shards: 3, tolerated: 2, causes, repairYears: 0.01 });
    assert.ok(Math.abs(lossWithin(chain, 1) / -Math.expm1(-0.001) - 1) < 1e-9);
  });
});

it('The binomial coefficient is right, and 0 when there is no way', () => {
  assert.deepEqual([choose(9, 3), choose(3, 0), choose(3, 4), choose(3, -1)], [84, 1, 0, 0]);
});
