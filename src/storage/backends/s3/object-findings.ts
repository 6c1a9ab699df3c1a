/** What the store has found wrong, for the log, the metrics and the verifiers. */
export interface ObjectFinding {
  kind: ObjectFindingKind;
  blockId?: string;
  /** The service's own word for it. */
  code?: string;
}

export type ObjectFindingKind =
  | 'damaged-block' // What is stored under a block's name is not the block.
  | 'damaged-on-the-way' // Wrong bytes came, though those stored are right.
  | 'put-not-kept' // The service acknowledged a block and then did not have it whole.
  | 'foreign-object' // Something among the blocks is not a block.
  | 'store-replaced' // The marker is gone or has become another store's: writing has stopped.
  | 'count-failed'; // The blocks could not be counted; the figures are those of this process.

export type OnObjectFinding = (finding: ObjectFinding) => void;
