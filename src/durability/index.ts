export { parseAssumption } from './model/assumed-figure.ts';
export { measuredRepairRate } from './model/assumptions-table.ts';
export type { AssumptionName, Assumptions, Figure, Origin } from './model/assumptions-table.ts';
export type { Evidence } from './model/evidence.ts';
export type { Fleet, FleetDisk, Redundancy, StorageClass } from './model/fleet.ts';
export { durabilityReport } from './model/report.ts';
export type { DurabilityInput, DurabilityReport } from './model/report.ts';
export { durabilityText } from './model/report-text.ts';
export type {
  CanaryBackends, CanaryBlocks, CanaryMetadata,
} from './verify/prove/canary-backends.ts';
export { explainFinding, reopenFinding } from './verify/explanation.ts';
export { EagerBudget } from './verify/budget.ts';
export { FINDING_KINDS } from './verify/finding.ts';
export { FindingDesk } from './verify/finding-desk.ts';
export { JournalAuditor } from './verify/journal-auditor.ts';
export type { JournalSource } from './verify/journal-source.ts';
export type { Finding, FindingKind, FindingState } from './verify/finding.ts';
export type { ManifestSource } from './verify/manifest-source.ts';
export { proveVerifiers } from './verify/prove/prove.ts';
export type { Proof, ProofLine, ProveOptions } from './verify/prove/prove.ts';
export { RepairDispatch } from './verify/repair-dispatch.ts';
export type { RepairDispatchParts } from './verify/repair-dispatch.ts';
export { repairVolume } from './verify/repair-volume.ts';
export type { RepairFolder, RepairOrder } from './verify/repair-volume.ts';
export { TRAITS, VERIFIER_IDS } from './verify/verifier.ts';
export type { RunOutcome, Verifier, VerifierId, VerifierStatus } from './verify/verifier.ts';
export { noteRun, VerifierSchedule } from './verify/verifier-schedule.ts';
export { makeObjectVerifiers, noteAbsent } from './verify/objects/object-verifiers.ts';
export type { StoredObject, StoredObjects } from './verify/objects/stored-objects.ts';
export { makeVerifiers } from './verify/verifier-set.ts';
export type { VerifierSetParts } from './verify/verifier-set.ts';
export { table, verifyReport, verifyReportText } from './verify/verify-report.ts';
export type { VerifyReport } from './verify/verify-report.ts';
export type { VerifyStore } from './verify/verify-store.ts';
export { LocalFolder } from './verify/volume/local-folder.ts';
export type { VerifiedDisk } from './verify/volume/volume-folder.ts';
export type { SealedRecord } from './verify/volume/volume-catalog.ts';
export type { ReadBack } from './verify/write-rereader.ts';
export { WriteSampler } from './verify/write-sampler.ts';
export { GarbageCollector } from './gc/collector.ts';
export type {
  CollectorLimits, CollectorParts, CollectorPlan, CollectorReport, CollectorTrouble, HeldReason,
  RunOptions,
} from './gc/collector.ts';
export type { CensusRecord, GcStore, LedgerHead, SuspectCounts } from './gc/gc-store.ts';
export type { LedgerEntry } from './gc/ledger/ledger-entry.ts';
export { readLedger } from './gc/ledger/read-ledger.ts';
export type { LedgerContent } from './gc/ledger/read-ledger.ts';
export { VolumeLedger } from './gc/ledger/volume-ledger.ts';
export { paceOf } from './gc/pace.ts';
export { listReferences } from './gc/references.ts';
export type { ManifestHome } from './gc/references.ts';
export { gcSlice } from './gc/settings.ts';
export { readGcStatus } from './gc/status.ts';
export type { GcStatus } from './gc/status.ts';
export type { TrashRecord, TrashStage } from './gc/volume-trash.ts';
