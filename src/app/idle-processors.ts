import { cpus } from 'node:os';
import type { Clock } from '../platform/index.ts';

const LOOK_MS = 100;

/** How many processors of this machine have nothing to do just now; at least one: who works at
 *  somebody's order takes his turn. */
export async function idleProcessors(clock: Clock): Promise<number> {
  const before = timesOf();
  await new Promise<void>((resolve) => {
    clock.after(LOOK_MS, resolve);
  });
  const after = timesOf();
  const share = (after.idleMs - before.idleMs) / Math.max(1, after.allMs - before.allMs);
  return Math.max(1, Math.round(share * after.count));
}

function timesOf(): { idleMs: number; allMs: number; count: number } {
  const known = cpus();
  let [idleMs, allMs] = [0, 0];
  for (const { times } of known) {
    idleMs += times.idle;
    allMs += Object.values(times).reduce((sum, timeMs) => sum + timeMs, 0);
  }
  return { idleMs, allMs, count: known.length };
}
