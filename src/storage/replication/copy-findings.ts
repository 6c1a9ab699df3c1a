/** What replication has found or done, for the log, the metrics and the operator. */
export interface CopyFinding {
  kind: CopyFindingKind;
  /** 0: it is about a disk as a whole. */
  volumeId: number;
  diskId?: string;
  offset?: number;
  lengthBytes?: number;
  /** The system's error code, or a word. */
  code?: string;
  /** For people: what is missing, what to do. */
  detail?: string;
}

export type CopyFindingKind =
  | 'copy-failed' // A write or sync of this copy failed: it is never written again as it is.
  | 'copy-short' // At the start it had less than another one, or other bytes in its torn end.
  | 'copy-damaged' // A read of it failed, or was wrong, where another copy was right.
  | 'copy-lost' // Its file has gone from a disk that answers.
  | 'copies-differ' // Two sound copies with different content. Nothing was overwritten.
  | 'copy-made' // A copy was made anew and verified.
  | 'copy-let-go' // A copy that was one too many, or bad, is in its disk's trash.
  | 'copy-not-made' // The repair of a volume failed; it is tried again.
  | 'disk-silent' // It does not answer; its volumes are read from other disks.
  | 'disk-missing' // For so long that its copies are made anew elsewhere.
  | 'disk-returned' // It answers again; its copies are compared before they count.
  | 'foreign-file'; // A volume on a disk that does not belong there.

export type OnCopyFinding = (finding: CopyFinding) => void;
