import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SeededRandom } from '../../platform/index.ts';
import { settleAssumptions } from './assumptions-table.ts';
import { summarizeDisks } from './fleet.ts';
import { fleetLoss } from './loss.ts';
import { disksIn, replicated, STILL } from './testing/sample-fleet.ts';

const YEAR_MS = 365.25 * 24 * 3600 * 1000;

interface World {
  readonly disks: number;
  readonly hosts: number;
  readonly copies: number;
  readonly volumes: number;
  readonly diskPerYear: number;
  readonly hostPerYear: number;
  readonly repairYears: number;
}

/** One year of a whole fleet, disk by disk. True: some volume lost all its copies. */
function yearWithLoss(world: World, random: SeededRandom): boolean {
  const chance = (): number => random.below(2 ** 32) / 2 ** 32;
  const { disks, hosts, copies } = world;
  const volumes = Array.from({ length: world.volumes }, () => {
    const chosen = new Set<number>();
    while (chosen.size < copies) chosen.add(random.below(hosts));
    return [...chosen].map((host) => host + hosts * random.below(disks / hosts));
  });
  const all = [...new Array(disks).keys()];
  /** What one event took is whole again at one time: when the last of it has been repaired. */
  const outages: (readonly number[])[] = [];
  for (let now = 0; ;) {
    const rates = [disks * world.diskPerYear, hosts * world.hostPerYear,
      outages.length / world.repairYears] as const;
    const total = rates[0] + rates[1] + rates[2];
    now -= Math.log(1 - chance()) / total;
    if (now > 1) return false;
    const which = chance() * total;
    if (which >= rates[0] + rates[1]) {
      outages.splice(random.below(outages.length), 1);
      continue;
    }
    const host = random.below(hosts);
    const isDisk = which < rates[0];
    outages.push(isDisk ? [random.below(disks)] : all.filter((disk) => disk % hosts === host));
    const down = new Set(outages.flat());
    if (volumes.some((places) => places.every((disk) => down.has(disk)))) return true;
  }
}

const BASE: World = {
  disks: 12, hosts: 6, copies: 2, volumes: 400, diskPerYear: 0.1, hostPerYear: 0,
  repairYears: 0.02,
};

describe('The loss of a fleet beside a simulated fleet', () => {
  for (const [name, world, overstatedMax] of [
    ['of disks that hold all pairs', BASE, 1.15],
    ['of disks with few volumes', { ...BASE, volumes: 8, diskPerYear: 0.3 }, 1.15],
    ['of hosts', { ...BASE, diskPerYear: 0, hostPerYear: 0.2 }, 1.15],
    ['of disks and hosts', { ...BASE, diskPerYear: 0.05, hostPerYear: 0.1 }, 2.5],
    ['of three copies', { ...BASE, copies: 3, diskPerYear: 0.5 }, 1.3],
  ] as const) {
    it(`is never understated, and not overstated by much: ${name}`, () => {
      const random = new SeededRandom(5);
      const runs = 3000;
      let lost = 0;
      for (let run = 0; run < runs; run++) if (yearWithLoss(world, random)) lost++;
      const seen = lost / runs;
      const assumptions = settleAssumptions({
        ...STILL,
        diskLossesPerYear: { value: world.diskPerYear, origin: 'given' },
        hostLossesPerYear: { value: world.hostPerYear, origin: 'given' },
        detectMs: { value: world.repairYears * YEAR_MS, origin: 'given' },
        repairBytesPerSecond: { value: 1e18, origin: 'given' },
      });
      const disks = summarizeDisks(disksIn(world.disks, { hosts: world.hosts }));
      const kept = replicated(world.copies, { volumes: world.volumes });
      const model = -Math.expm1(-fleetLoss(disks, [kept], assumptions).volumeLossesPerYear);
      const spread = 3 * Math.sqrt((seen * (1 - seen)) / runs);
      assert.ok(lost > 40, `only ${lost} losses prove nothing`);
      assert.ok(model > 0.97 * seen - spread, `${seen} seen, ${model} said: understated`);
      assert.ok(model < overstatedMax * seen + spread, `${seen} seen, ${model} said: overstated`);
    });
  }
});
