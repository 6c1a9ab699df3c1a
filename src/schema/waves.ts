/** In which order and how many at once: a change that breaks something breaks little. */

const SHARES = [0.01, 0.1, 1];
const AT_ONCE_SHARE = 0.05;
/** So many failures end a run. */
export const FAILURES_MAX = 2;

/** Where each wave ends: after one shard, 1 %, 10 %, all. Waves that would be empty are left
 *  out. */
export function wavesOf(shardCount: number): number[] {
  const ends = [Math.min(1, shardCount), ...SHARES.map((share) => Math.ceil(shardCount * share))];
  return ends.filter((end, at) => end > (ends[at - 1] ?? 0));
}

/** How many shards are altered at the same time. */
export function atOnce(shardCount: number): number {
  return Math.max(1, Math.floor(shardCount * AT_ONCE_SHARE));
}
