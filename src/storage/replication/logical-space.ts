import type { DiskSpace } from '../backends/local/volume-files.ts';

export interface DomainSpace extends DiskSpace {
  /** What may not hold two copies of a volume. */
  readonly domain: string;
}

/** How many bytes can be stored in `copies` copies, each in another domain: the greatest x for
 *  which the domains, each counted up to x, hold `copies` times x. */
export function logicalSpace(spaces: readonly DomainSpace[], copies: number): DiskSpace {
  const sum = (of: (space: DomainSpace) => number): number => {
    const domains = new Map<string, number>();
    for (const space of spaces) {
      domains.set(space.domain, (domains.get(space.domain) ?? 0) + of(space));
    }
    return evenly([...domains.values()], copies);
  };
  return { freeBytes: sum(({ freeBytes }) => freeBytes), totalBytes: sum((one) => one.totalBytes) };
}

function evenly(rooms: readonly number[], copies: number): number {
  const ascending = [...rooms].sort((a, b) => a - b);
  if (ascending.length < copies) return 0;
  // With the k biggest domains cut at x, the rest must hold (copies - k) times x.
  let below = ascending.reduce((sum, room) => sum + room, 0);
  for (let cut = 0; cut < copies; cut++) {
    const x = below / (copies - cut);
    const biggest = ascending[ascending.length - 1 - cut] as number;
    if (biggest <= x) return Math.floor(x);
    below -= biggest;
  }
  return 0;
}
