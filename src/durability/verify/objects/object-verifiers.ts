/** The verifiers of a server whose blocks lie in an object store. */
import type { Clock, Logger, Metrics } from '../../../platform/index.ts';
import { FindingDesk } from '../finding-desk.ts';
import { JournalAuditor } from '../journal-auditor.ts';
import type { JournalSource } from '../journal-source.ts';
import { ledgerFile } from '../ledger.ts';
import { Reconciler } from '../reconciler.ts';
import { findReferenced } from '../reference-range.ts';
import type { ManifestSource } from '../manifest-source.ts';
import { VERIFIER_IDS } from '../verifier.ts';
import type { Verifier } from '../verifier.ts';
import type { RunNote } from '../coverage.ts';
import type { VerifyStore } from '../verify-store.ts';
import { WriteRereader } from '../write-rereader.ts';
import type { WriteRereaderParts } from '../write-rereader.ts';
import { LedgerReferee } from './ledger-referee.ts';
import { objectInventory } from './object-inventory.ts';
import { ObjectMetadataScan } from './object-metadata-scan.ts';
import { ObjectScrubber } from './object-scrubber.ts';
import { ObjectTrashInspector } from './object-trash-inspector.ts';
import { objectReader } from './stored-objects.ts';
import type { ObjectSource } from './stored-objects.ts';

export interface ObjectVerifierParts extends ObjectSource {
  store: VerifyStore;
  source: ManifestSource;
  journal: JournalSource;
  /** Of the ledger of what left for the trash, and for ever. */
  ledgerPath: string;
  clock: Clock;
  log: Logger;
  metrics?: Metrics;
  read?: WriteRereaderParts['read'];
}

export function makeObjectVerifiers(parts: ObjectVerifierParts): Verifier[] {
  const { objects, store, source, journal, ledgerPath, clock, log, metrics, read } = parts;
  const { readBlock } = parts;
  const blocks: ObjectSource = { objects, ...(readBlock !== undefined && { readBlock }) };
  const desk = new FindingDesk({ store, clock, log, ...(metrics !== undefined && { metrics }) });
  return [
    new LedgerReferee({ store, desk, clock, ledger: ledgerFile(ledgerPath) }),
    new ObjectMetadataScan({ ...blocks, source, store, desk, clock }),
    new Reconciler({ source, store, desk, clock, inventory: objectInventory(blocks) }),
    new ObjectTrashInspector({
      objects, store, desk, clock,
      references: (ids, pace) => (
        findReferenced(ids, { source, readBlock: objectReader(blocks, pace), pace })),
    }),
    ...(read === undefined ? [] : [new WriteRereader({ store, desk, clock, read })]),
    new JournalAuditor({ store, desk, clock, source: journal }),
    new ObjectScrubber({ objects, store, desk, clock }),
  ];
}

/** Says in the status of all the others that there is nothing for them here, and why: a verifier
 *  that never runs must not look like one that is content. */
export function noteAbsent(
  verifiers: readonly Verifier[], { store, clock, reason }: {
    store: VerifyStore; clock: Clock; reason: string;
  },
): void {
  const present = new Set(verifiers.map(({ id }) => id));
  for (const id of VERIFIER_IDS) {
    // Samples are read where a server runs, and wait elsewhere.
    if (present.has(id) || id === 'write-rereader') continue;
    const nowMs = clock.now();
    const note: RunNote = { begunMs: nowMs, endedMs: nowMs, idleReason: reason };
    store.putNote(id, 'run', note);
  }
}
