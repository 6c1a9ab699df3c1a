/** The verifiers that look at the disks themselves, and what follows from what they find. */
import { EagerBudget, type Finding, type VerifiedDisk } from '../../../src/durability/index.ts';
import { DiskScrubber } from '../../../src/durability/verify/disk-scrubber.ts';
import { FindingDesk } from '../../../src/durability/verify/finding-desk.ts';
import { ReplicaComparison } from '../../../src/durability/verify/replica-comparison.ts';
import { openVerifyDatabase }
  from '../../../src/durability/verify/stores/sqlite/open-verify-database.ts';
import { SqliteVerifyStore }
  from '../../../src/durability/verify/stores/sqlite/sqlite-verify-store.ts';
import { SlabShelf } from '../../../src/durability/verify/volume/slab.ts';
import { EAGER_PLAN } from '../../../src/durability/verify/volume/stretch-window.ts';
import { silentLog, type Clock } from '../../../src/platform/index.ts';

export interface DamagedCopy {
  readonly volumeId: number;
  readonly diskId: string;
}

/** Making memory and tables for each scrub would take a quarter of the time of a history. */
const shelf = new SlabShelf(EAGER_PLAN.slabsMax);
const emptied: Notes[] = [];

interface Notes {
  readonly store: SqliteVerifyStore;
  /** Forgets everything. */
  readonly empty: () => void;
}

function makeNotes(): Notes {
  const { database } = openVerifyDatabase(':memory:');
  const wipes = database.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .pluck().all().map((table) => database.prepare(`DELETE FROM "${table}"`));
  return {
    store: SqliteVerifyStore.on(database),
    empty: () => {
      for (const wipe of wipes) wipe.run();
    },
  };
}

/** Reads all of all disks, compares all copies, and answers which of them are damaged. */
export async function findDamage(
  disks: readonly VerifiedDisk[], clock: Clock, marks: ReadonlyMap<number, number>,
): Promise<DamagedCopy[]> {
  const notes = emptied.pop() ?? makeNotes();
  const { store } = notes;
  const desk = new FindingDesk({ store, clock, log: silentLog });
  const common = { disks: () => disks, store, desk, clock };
  const { signal } = new AbortController();
  const budget = new EagerBudget(64 * 1024);
  const verifiers = [
    new DiskScrubber({ ...common, confirmAfterMs: 0, marks: () => marks, shelf }),
    new ReplicaComparison(common),
  ];
  for (const verifier of verifiers) await verifier.run(budget, signal, { everything: true });
  const findings = store.listFindings({ state: 'open', limit: 1000 });
  // Those of a scrub that is never answered do not come back.
  notes.empty();
  emptied.push(notes);
  const damages = findings.filter(({ severity }) => severity === 'damage');
  // Between two copies the comparison cannot know which is right; the checksums do, if they can.
  const bySums = damages.filter(({ verifier }) => verifier === 'disk-scrubber').flatMap(damagedBy);
  const known = new Set(bySums.map(({ volumeId }) => volumeId));
  const others = damages.filter(({ verifier }) => verifier !== 'disk-scrubber').flatMap(damagedBy);
  return [...bySums, ...others.filter(({ volumeId }) => !known.has(volumeId))];
}

function damagedBy({ kind, where, facts }: Finding): DamagedCopy[] {
  const diskId = /^disk (\S+), volume/.exec(where)?.[1];
  const volumeId = Number(facts['volumeId']);
  if (diskId === undefined || kind === 'unreadable' || kind === 'replica-missing') return [];
  return [{ volumeId, diskId }];
}
