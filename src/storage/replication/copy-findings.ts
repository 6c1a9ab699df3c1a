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
  | 'set-made' // An erasure set of cold volumes: its parity is there and proven.
  | 'set-not-made' // That did not work; it is tried again.
  | 'set-not-kept' // A set needs something that does not work now; it is tried again.
  | 'set-ends' // Its volumes are getting their copies back.
  | 'set-ended' // They have them; its parity goes to the trash.
  | 'parity-made' // A parity file was made anew and compared.
  | 'parity-damaged' // Its bytes are not what was stored.
  | 'parity-lost' // Its file has gone from a disk that answers.
  | 'trash-erased' // What a set had put into the trash long ago; the set was proven again before.
  | 'parity-let-go' // It is one too many, or bad: in its disk's trash.
  | 'disk-silent' // It does not answer; its volumes are read from other disks.
  | 'disk-missing' // For so long that its copies are made anew elsewhere.
  | 'disk-returned' // It answers again; its copies are compared before they count.
  | 'foreign-file'; // A volume on a disk that does not belong there.

export type OnCopyFinding = (finding: CopyFinding) => void;
