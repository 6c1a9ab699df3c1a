/** What repair and the erasure sets of one home say of themselves, for /metrics. */
import type { Metrics } from '../platform/index.ts';
import type { RepairStatus, SetStatus } from '../storage/index.ts';
import type { OpenedFleet } from './fleet.ts';

type Read<T> = readonly (readonly [name: string, help: string, read: (now: T) => number])[];

const REPAIR: Read<RepairStatus> = [
  ['repair_volumes_waiting', 'Volumes with fewer copies than they should have.',
    (now) => now.volumesWaiting],
  ['repair_waiting_bytes', 'What has to be copied for them.', (now) => now.toDoBytes],
  ['repair_copied_bytes', 'Copied for repairs since the start.', (now) => now.doneBytes],
  ['repair_bytes_per_second', 'How fast the latest repairs were; 0 before the first.',
    (now) => now.bytesPerSecond ?? 0],
  ['repair_blocked_volumes', 'Volumes that cannot be repaired at the moment.',
    (now) => now.blocked.length],
  ['repair_damaged_volumes', 'Volumes of which no copy is known to be whole.',
    (now) => now.damaged.length],
];

const SETS: Read<SetStatus> = [
  ['erasure_sets', 'Sets of old volumes that have parity in place of copies.', (now) => now.sets],
  ['erasure_sets_ending', 'Of those, sets whose volumes are getting their copies back.',
    (now) => now.ending],
  ['erasure_sets_blocked', 'Of those, sets for which nothing can be done at the moment.',
    (now) => now.blocked.length],
];

/** Read when somebody asks for the metrics. */
export function watchRepair(metrics: Metrics, { repair, sets }: OpenedFleet): void {
  watch(metrics, REPAIR, () => repair.status());
  watch(metrics, SETS, () => sets.status());
  metrics.gaugeOf({
    name: 'erasure_set_volumes', help: 'Volumes that are in live sets, without their parity.',
  }, () => sets.kinds().reduce((sum, { volumes }) => sum + volumes, 0));
}

function watch<T>(metrics: Metrics, figures: Read<T>, status: () => T): void {
  for (const [name, help, read] of figures) {
    metrics.gaugeOf({ name, help }, () => read(status()));
  }
}
