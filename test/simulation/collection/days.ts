/** How the days go by in a GcWorld. */
import { DAY_MS, HOUR_MS, type GcWorld } from './world.ts';

export interface Weather {
  /** The process or the machine dies now and then. */
  crashes: boolean;
  /** Share of writes, syncs and renames that the disk refuses. */
  faultShare: number;
}

/** Some hours in which people work while the collector runs, or somebody pulls the plug. */
async function live(world: GcWorld, { crashes, faultShare }: Weather): Promise<void> {
  const { random, disk } = world;
  const crashAt = crashes && random.chance(0.5) ? disk.calls + 1 + random.below(900) : Infinity;
  disk.plan = ({ number, what }) => {
    if (number >= crashAt) return 'CRASH';
    const mayFail = what === 'write' || what === 'sync' || what === 'rename' || what === 'folder';
    return mayFail && random.chance(faultShare) ? 'EIO' : undefined;
  };
  const work: Promise<void>[] = [];
  for (let deeds = 10 + random.below(40); deeds > 0; deeds--) {
    work.push(world.act());
    if (random.chance(0.1)) work.push(world.collect());
    if (random.chance(0.3)) await world.settle(Promise.race(work));
  }
  const settled = await world.settle(Promise.all(work));
  disk.plan = () => undefined;
  if (!settled || random.chance(0.2) || world.life.store.state().refusesWrites === 'failed') {
    await world.die(random.chance(0.6));
    await world.open();
  }
  world.clock.advance(random.below(50) * HOUR_MS);
}

/** @throws AssertionError: something that is needed cannot be read. */
export async function simulate(world: GcWorld, rounds: number, weather: Weather): Promise<void> {
  await world.open();
  for (let round = 0; round < rounds; round++) {
    await live(world, weather);
    await world.checkReadable();
  }
}

/** Everybody has gone home: the collector alone, after so many days each time. A suspicion takes
 *  one, the trash 14 and another one. */
export async function rest(world: GcWorld, days: readonly number[]): Promise<void> {
  for (const count of days) {
    world.clock.advance(count * DAY_MS);
    await world.collect();
  }
}
