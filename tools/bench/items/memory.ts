/** Memory peaks: not measured anew, but the highest of what the other items saw. */
import type { Measurement, Outcome } from '../measurement.ts';

export interface MemoryItem {
  readonly id: string;
  readonly title: string;
  readonly group: string;
  /** The items under which the memory counts. */
  readonly from: readonly string[];
}

export const MEMORY_ITEMS: readonly MemoryItem[] = [
  { id: 'memory-up-1g', title: 'memory: 1 GiB upload', group: 'memory', from: ['up-1g'] },
  {
    id: 'memory-list', title: 'memory: listing of 10,000', group: 'memory',
    from: ['list-5', 'list-15'],
  },
  {
    id: 'memory-32', title: 'memory: 32 clients, 1 KiB', group: 'memory',
    from: ['put-1k', 'get-1k'],
  },
];

/** The peak over every round of the given outcomes; undefined when none has one. */
export function memoryPeak(outcomes: readonly Outcome[]): Outcome | undefined {
  const seen = outcomes.flatMap((outcome) => (outcome.kind === 'measured' ? outcome.all : []));
  const peaks = seen.flatMap(({ peakRssMiB }) => (peakRssMiB === undefined ? [] : [peakRssMiB]));
  if (peaks.length === 0) {
    return outcomes.find(({ kind }) => kind !== 'measured');
  }
  const isPartial = seen.some((measured) => measured.isPartial === true);
  const value = Math.max(...peaks);
  const median: Measurement = { value, unit: 'MiB', ...(isPartial && { isPartial }) };
  return { kind: 'measured', median, all: [median] };
}
