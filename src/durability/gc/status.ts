/** What the collector has noted, read without disturbing it: for people who want to know. */
import type { CensusRecord, GcStore, SuspectCounts } from './gc-store.ts';
import { readLedger } from './ledger/read-ledger.ts';
import { stageOf, VolumeTrash, type TrashRecord, type TrashStage } from './volume-trash.ts';

const CENSUSES_SHOWN = 10;

export interface GcStatus {
  /** Newest first. */
  censuses: CensusRecord[];
  suspects: SuspectCounts;
  trash: (TrashRecord & { stage: TrashStage })[];
  /** Since the ledger was begun. */
  unlinkedCount: number;
  unlinkedBytes: number;
  ledgerEntries: number;
}

/** @throws corrupt: the ledger is damaged; unavailable. */
export async function readGcStatus(
  notes: Pick<GcStore, 'listCensuses' | 'countSuspects' | 'findLedgerHead'>,
  { ledgerPath, now }: { ledgerPath: string; now: number },
): Promise<GcStatus> {
  // The head first: the ledger may grow meanwhile, and is then longer than the head says.
  const { entries } = await readLedger(ledgerPath, notes.findLedgerHead());
  const unlinked = entries.filter((entry) => entry.act === 'unlink');
  const trash = new VolumeTrash(entries).list();
  return {
    censuses: notes.listCensuses(CENSUSES_SHOWN),
    suspects: notes.countSuspects(now),
    trash: trash.map((record) => ({ ...record, stage: stageOf(record, now) })),
    unlinkedCount: unlinked.length,
    unlinkedBytes: unlinked.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    ledgerEntries: entries.length,
  };
}
