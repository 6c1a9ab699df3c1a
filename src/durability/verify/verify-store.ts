import type { Finding, FindingKind, FindingState, Report } from './finding.ts';
import type { VerifierId } from './verifier.ts';

/**
 * The notes of the verifiers: what was checked when, what was found, what is to be read again.
 *
 * All methods are quick and answer at once. What a call has written survives the end of the
 * process; a power cut may cost the last moments, since nothing is stored here that cannot be found
 * out anew. One process writes at a time in practice, several may; reading goes on meanwhile.
 * @throws unavailable, full, corrupt: the notes cannot be read or written.
 */
export interface VerifyStore {
  /** Notes a report, as a new finding or as one more sight of a known one. A finding that counted
   *  as fixed is open again; one that was explained stays explained. */
  report(report: Report, atMs: number): 'new' | 'again' | 'unlisted';
  /** Open findings of a scope that were not seen since `sinceMs` count as fixed. Without `scope`
   *  all of the verifier's. Answers how many. */
  settle(verifier: VerifierId, settled: { scope?: string; sinceMs: number; atMs: number }): number;
  /** Worst and newest first, at most `limit`. */
  listFindings(filter: { state?: FindingState; limit: number }): Finding[];
  countFindings(): FindingCount[];
  /** @throws not-found. */
  setState(findingId: number, state: FindingState, atMs: number): void;

  /** Parts of the data with a coverage clock each, by name. */
  listUnits(verifier: VerifierId): UnitRecord[];
  findUnit(verifier: VerifierId, name: string): UnitRecord | undefined;
  putUnit(verifier: VerifierId, unit: UnitRecord): void;
  dropUnit(verifier: VerifierId, name: string): void;

  /** Small values of a verifier, by key; JSON. */
  findNote(owner: NoteOwner, key: string): unknown;
  putNote(owner: NoteOwner, key: string, value: unknown): void;
  dropNotes(owner: NoteOwner, prefix: string): void;
  /** This one alone. Calm when there is none. */
  dropNote(owner: NoteOwner, key: string): void;
  /** By key, strictly after `after`, beginning with `prefix`, at most `limit`. */
  listNotes(
    owner: NoteOwner, page: { prefix: string; after?: string; limit: number },
  ): { key: string; value: unknown }[];

  addSamples(samples: readonly SampleRecord[]): void;
  /** Due at `atMs` or before, longest due first. */
  dueSamples(atMs: number, limit: number): SampleRecord[];
  /** The next reading of a sample; undefined: it has had its last one. */
  rescheduleSample(sampleId: string, next: { step: number; dueMs: number } | undefined): void;
  countSamples(): { count: number; oldestDueMs: number | undefined };

  /** Makes many writes one. */
  together<T>(act: () => T): T;
  close(): void;
}

/** `proof`: what is known of the last time that the verifiers were proved. `repair`: what was
 *  handed to whoever repairs. `explained`: why findings count no more, by number. */
export type NoteOwner = VerifierId | 'proof' | 'repair' | 'explained';

export interface UnitRecord {
  name: string;
  /** In the verifier's unit. */
  size: number;
  checked: number;
  /** When the check of all that counts as checked began; undefined: never. */
  checkedMs: number | undefined;
  /** Since when there has been something that was never checked; undefined: there is nothing. */
  waitingSinceMs: number | undefined;
  /** What the verifier needs to go on; JSON. */
  resume: unknown;
}

export interface FindingCount {
  verifier: VerifierId;
  kind: FindingKind;
  state: FindingState;
  count: number;
}

/** A write that is to be read again through the public way of reading. */
export interface SampleRecord {
  id: string;
  /** What the reader needs to find it: ids only. */
  address: string;
  sha256: string;
  sizeBytes: number;
  writtenMs: number;
  /** Which of the readings is next, from 0. */
  step: number;
  dueMs: number;
}
