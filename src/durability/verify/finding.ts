/** What verifiers report: a closed list of kinds, and the durable list that operators see. */
import type { VerifierId } from './verifier.ts';

/** Damage means that stored data is wrong or not protected as it should be. A notice asks for a
 *  look: nothing is lost. */
export type Severity = 'damage' | 'notice';

interface KindText {
  severity: Severity;
  says: string;
}

export const FINDING_KINDS = {
  'superblock-damaged': { severity: 'damage', says: 'the beginning of a volume is damaged' },
  'header-damaged': { severity: 'damage', says: 'a record header is damaged' },
  'payload-damaged': { severity: 'damage', says: 'stored bytes do not fit their checksum' },
  'hash-differs': { severity: 'damage', says: 'stored bytes do not hash to their block id' },
  'commit-damaged': { severity: 'damage', says: 'a commit record is damaged or out of order' },
  'footer-damaged': { severity: 'damage', says: 'the footer of a sealed volume is damaged' },
  'footer-differs': { severity: 'damage', says: 'a footer lists other blocks than are there' },
  'volume-cut': { severity: 'damage', says: 'a volume is shorter than what was stored in it' },
  'unreadable': { severity: 'damage', says: 'the disk refuses to read' },
  'unsteady-read': { severity: 'notice', says: 'reading twice gave different bytes' },
  'format-newer': { severity: 'notice', says: 'a volume has a format that is not known here' },
  'manifest-unreadable': { severity: 'damage', says: 'a list of blocks cannot be understood' },
  'block-missing': { severity: 'damage', says: 'a block that a file needs is not in the store' },
  'length-differs': { severity: 'damage', says: 'a block has another length than a file says' },
  'size-differs': { severity: 'damage', says: 'store and metadata differ on a block’s length' },
  'orphan': { severity: 'notice', says: 'a stored block is needed by no file' },
  'cap-reached': { severity: 'damage', says: 'so much is to be put right that nothing was' },
  'replica-differs': { severity: 'damage', says: 'copies of a volume differ' },
  'replica-undecided': {
    severity: 'damage', says: 'copies of a volume differ, and nothing tells which one is right',
  },
  'replica-missing': { severity: 'damage', says: 'a disk lacks its copy of a volume' },
  'replica-length-differs': { severity: 'damage', says: 'copies of a volume differ in length' },
  'trash-still-needed': {
    severity: 'damage', says: 'the trash holds the last copy of a block that a file needs',
  },
  'trash-unreadable': { severity: 'notice', says: 'a volume in the trash cannot be judged' },
  'file-missing': { severity: 'damage', says: 'a volume file is gone and no entry says why' },
  'file-renamed': { severity: 'damage', says: 'a volume file bears another name than its own' },
  'file-unknown': { severity: 'damage', says: 'a volume file appeared and no entry says why' },
  'file-foreign': { severity: 'damage', says: 'a volume file belongs to another store' },
  'ledger-broken': { severity: 'damage', says: 'the ledger’s chain of hashes is broken' },
  'ledger-shorter': { severity: 'damage', says: 'entries of the ledger have vanished' },
  'unlink-unjustified': {
    severity: 'damage', says: 'a volume was unlinked without the inspections that allow it',
  },
  'sample-differs': { severity: 'damage', says: 'a written file reads back with other bytes' },
  'sample-missing': { severity: 'damage', says: 'a written file is no longer found' },
  'sample-unreadable': { severity: 'damage', says: 'a written file cannot be read back' },
  'tree-differs': { severity: 'damage', says: 'the journal gives another tree than is shown' },
  'past-differs': {
    severity: 'damage', says: 'the journal gives another past than is shown',
  },
  'journal-gap': { severity: 'damage', says: 'a revision is missing in the journal' },
  'size-sum-differs': { severity: 'damage', says: 'sizes of folders are not their files’ sum' },
} as const satisfies Readonly<Record<string, KindText>>;

export type FindingKind = keyof typeof FINDING_KINDS;

/** One observation. The same verifier, kind and place again is the same finding seen again. */
export interface Report {
  verifier: VerifierId;
  kind: FindingKind;
  /** The part of the data that the verifier settles as a whole, such as a volume on one disk: when
   *  it has been checked again and this was not seen again, the finding counts as fixed. */
  scope: string;
  /** Where exactly, in ids and numbers: never a name that a user gave, never content. */
  where: string;
  /** More numbers for the operator. */
  facts?: Readonly<Record<string, string | number>>;
}

export type FindingState = 'open' | 'fixed' | 'explained';

export interface Finding extends Required<Report> {
  id: number;
  severity: Severity;
  state: FindingState;
  firstSeenMs: number;
  lastSeenMs: number;
  /** When it got its present state. */
  changedMs: number;
  /** How often it was seen. */
  times: number;
}

/** Open findings kept of one verifier and kind. What is beyond it is counted, not listed. */
export const OPEN_PER_KIND_MAX = 1_000;

export function severityOf(kind: FindingKind): Severity {
  return FINDING_KINDS[kind].severity;
}
