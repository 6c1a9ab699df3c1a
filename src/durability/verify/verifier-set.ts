/** Puts the verifiers of one data directory together. */
import type { Clock, Logger, Metrics } from '../../platform/index.ts';
import { DiskScrubber } from './disk-scrubber.ts';
import { ExtentReferee } from './extent-referee.ts';
import { FindingDesk } from './finding-desk.ts';
import { JournalAuditor } from './journal-auditor.ts';
import type { JournalSource } from './journal-source.ts';
import { ledgerFile } from './ledger.ts';
import type { ManifestSource, Soon } from './manifest-source.ts';
import { MetadataScan } from './metadata-scan.ts';
import { Reconciler } from './reconciler.ts';
import type { ReconcilerParts } from './reconciler.ts';
import { findReferenced } from './reference-range.ts';
import { ReplicaComparison } from './replica-comparison.ts';
import type { ReplicaComparisonParts } from './replica-comparison.ts';
import { TrashInspector } from './trash-inspector.ts';
import type { Verifier } from './verifier.ts';
import type { VerifyStore } from './verify-store.ts';
import { blockReader } from './volume/volume-catalog.ts';
import { volumeInventory } from './volume-inventory.ts';
import type { Unseal } from './volume/volume-catalog.ts';
import type { VerifiedDisk } from './volume/volume-folder.ts';
import { WriteRereader } from './write-rereader.ts';
import type { WriteRereaderParts } from './write-rereader.ts';

export interface VerifierSetParts extends
  Pick<ReplicaComparisonParts, 'placement'>,
  Pick<ReconcilerParts, 'propose'> {
  store: VerifyStore;
  source: ManifestSource;
  journal: JournalSource;
  /** Asked anew by each run: disks come and go. */
  disks: () => readonly VerifiedDisk[];
  /** Of the ledger of volumes. */
  ledgerPath: string;
  /** Disks that have left for good, by id. Asked with each run. */
  goneIds?: () => readonly string[];
  /** How many threads may compute for the scrubber. */
  threadCount?: () => number;
  clock: Clock;
  log: Logger;
  metrics?: Metrics;
  /** How users read. Left out where no server runs: then samples wait. */
  read?: WriteRereaderParts['read'];
  /** Reads a block that verifiers cannot read themselves, because it is encrypted. */
  readBlock?: (id: string) => Promise<Buffer | undefined>;
  /** Opens an encrypted record, where there is no server to read the block. */
  unseal?: Unseal;
}

export function makeVerifiers(parts: VerifierSetParts): Verifier[] {
  const { store, source, disks, clock, log, metrics, ledgerPath, read } = parts;
  const desk = new FindingDesk({ store, clock, log, ...(metrics !== undefined && { metrics }) });
  const common = { store, desk, clock, disks };
  const reading = {
    ...(parts.readBlock !== undefined && { readBlock: parts.readBlock }),
    ...(parts.unseal !== undefined && { unseal: parts.unseal }),
  };
  const marks = (): Soon<ReadonlyMap<number, number>> => source.marks();
  const { placement, propose, goneIds, threadCount } = parts;
  return [
    new ExtentReferee({
      ...common, marks, ledger: ledgerFile(ledgerPath),
      ...(placement !== undefined && { placement }),
    }),
    new MetadataScan({ ...common, ...reading, source }),
    new Reconciler({
      store, desk, clock, source, inventory: volumeInventory({ disks, source, ...reading }),
      ...(propose !== undefined && { propose }),
    }),
    new TrashInspector({
      ...common,
      references: (ids, pace) => {
        const readBlock = blockReader({ disks, ...reading }, pace);
        return findReferenced(ids, { source, readBlock, pace });
      },
    }),
    ...(read === undefined ? [] : [new WriteRereader({ store, desk, clock, read })]),
    new ReplicaComparison({ ...common, marks, ...(placement !== undefined && { placement }) }),
    new JournalAuditor({ store, desk, clock, source: parts.journal }),
    new DiskScrubber({
      ...common, marks, ...(goneIds !== undefined && { goneIds }),
      ...(threadCount !== undefined && { threadCount }),
    }),
  ];
}
