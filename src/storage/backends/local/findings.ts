/** What the store has found wrong, for the log, the metrics and the verifiers. */
export interface VolumeFinding {
  kind: VolumeFindingKind;
  volumeId: number;
  /** From the start of the volume. */
  offset?: number;
  /** How many bytes the finding is about. */
  lengthBytes?: number;
  /** Of the block that was lost, where its header still names it. */
  blockId?: string;
  /** How many acknowledged blocks are lost, as far as they can be counted. */
  lostCount?: number;
  /** The system's error code. */
  code?: string;
}

export type VolumeFindingKind =
  | 'torn-tail' // Harmless: bytes that nobody was told were safe were cut off after a crash.
  | 'damaged-range' // Acknowledged bytes changed; the volume is kept as it is, for reading only.
  | 'damaged-block' // A block that was read is not what was stored.
  | 'read-failed' // The disk refused to read.
  | 'write-failed' // The disk refused to write or sync: the volume takes no more blocks.
  | 'seal-failed' // The volume works, but a restart must read it whole.
  | 'volume-gap' // A volume number is missing between others.
  | 'writes-stopped'; // No volume could be written: the store refuses blocks until a restart.

export type OnFinding = (finding: VolumeFinding) => void;
