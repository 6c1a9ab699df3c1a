/**
 * Quarantines: deletions and overwrites by one device in one space that are kept aside instead of
 * being made, until somebody decides. The tree, its journal and its past know nothing of them.
 */
import type { NodeId, SpaceId, TenantId, UserId } from '../base/ids.ts';
import type { Actor, Expectation, NewContent } from './changes.ts';
import type { Instant, NodeKind } from './records.ts';
import type { Witness } from '../base/witness.ts';

/** `open`: it holds what the device does, and waits for a decision. `keeping`: what it holds is
 *  being made by a batch; it still holds what comes. `kept`, `undone`: over; what was held of one
 *  that is undone stays, for nobody's eyes, until it is dropped or kept after all. */
export type QuarantineState = 'open' | 'keeping' | 'kept' | 'undone';

/** Whether the device sees what is held, and what comes is held too. */
export function isLiveQuarantine(state: QuarantineState): boolean {
  return state === 'open' || state === 'keeping';
}

export interface QuarantineRecord {
  id: number;
  spaceId: SpaceId;
  user: UserId;
  /** Tells the devices of a user apart. */
  deviceKey: string;
  /** Its name, for people. */
  device: string;
  state: QuarantineState;
  openedAt: Instant;
  /** The space's revision when it was opened. */
  openedRev: number;
  /** Grows with every change of what the device sees by way of it; never the same for two views. */
  viewRev: number;
  heldCount: number;
  /** Sum of the sizes of held contents. They count as reserved, like room promised to uploads, as
   *  long as it is not undone: then they are past, like versions and trash. */
  heldBytes: number;
  /** The batch that makes what was held. */
  batchId: number | undefined;
  decidedBy: UserId | undefined;
  decidedAt: Instant | undefined;
}

/** One node that the device sees otherwise than everybody else. */
export interface HeldRecord {
  /** Never used again, and greater than those of all that was held before. */
  id: number;
  quarantineId: number;
  nodeId: NodeId;
  /** `deleted`: the device does not see it, nor what is below; `content`: it sees other bytes. */
  kind: 'deleted' | 'content';
  nodeKind: NodeKind;
  /** Where it was when it was held. */
  parentId: NodeId;
  name: string;
  /** The space's revision then, and that of the content that the file had. */
  baseRev: number;
  baseContentRev: number;
  heldAt: Instant;
  /** Of the held content, or of what was deleted. */
  sizeBytes: number;
  modifiedAt: Instant;
  checksums: string;
}

/** Held content is read as the version with this number, and the device's view has it as mark and
 *  content revision: no revision of the space is negative. */
export function heldContentRev(heldId: number): number {
  return -heldId;
}

/** Opens a quarantine. Calm when one of this device and space is open or being kept: that one is
 *  answered, with `created` false. The result's `count` is its id. @throws not-found. */
export interface OpenQuarantine {
  op: 'open-quarantine';
  spaceId: SpaceId;
  deviceKey: string;
  actor: Actor;
}

/**
 * Holds deletions, new content of one file, or both, and lets go what was held of `released`. What
 * was held of a node before is replaced. All or nothing; the tree stays as it is, no event.
 * The result's `count` is the first of the ids given out: to the file, then to the deletions in
 * their order. Its `node` is the file as the tree has it.
 * @throws conflict `quarantine-decided`; not-found: a node that is not live; denied: the root, or
 * a mount; locked: as for a deletion or a put, or `held-full`; precondition; quota; too-large: over
 * HELD_AT_ONCE_MAX; conflict `is-folder`, `upload-ended`; not-found `upload-missing`.
 */
export interface Hold {
  op: 'hold';
  spaceId: SpaceId;
  quarantineId: number;
  file?: HeldContent;
  deleted: readonly NodeId[];
  released: readonly NodeId[];
  /** Speaks of `file`, or of the first of `deleted`, as the device sees it. */
  expect?: Expectation;
  /** As of PutFile. */
  upload?: { owner: UserId; uploadId: string };
  reservationId?: string;
  witness?: Witness;
  actor: Actor;
}

export interface HeldContent {
  nodeId: NodeId;
  content: NewContent;
  /** undefined: `actor.at`. */
  modifiedAt: Instant | undefined;
}

/** `undo`: what is held counts for nothing from now on, and stays. `keep`: begins a batch that is
 *  to make it, also after an `undo` as long as something is left; its id is the result's `count`.
 *  @throws not-found; conflict `quarantine-decided`, `quarantine-open`: it was undone, and the
 *  device is held back in this space again, `batch-running`. */
export interface DecideQuarantine {
  op: 'decide-quarantine';
  spaceId: SpaceId;
  quarantineId: number;
  decision: 'keep' | 'undo';
  actor: Actor;
}

/** Ends the batch of a quarantine that is being kept. If something is still held, because a lock or
 *  a quota stood in its way, it is open again. `count`: how many are still held.
 *  Calm when it is over. @throws not-found. */
export interface EndKeep {
  op: 'end-keep';
  spaceId: SpaceId;
  quarantineId: number;
  doneCount: number;
  skippedCount: number;
  at: Instant;
}

/** Lets go of held changes without making them. `count`: how many. Calm about those that are gone.
 *  @throws not-found; too-large: over HELD_AT_ONCE_MAX. */
export interface DropHeld {
  op: 'drop-held';
  spaceId: SpaceId;
  quarantineId: number;
  heldIds: readonly number[];
  /** Nothing goes unless it is undone: somebody may just be keeping it after all. */
  ifUndone?: true;
}

export type HoldChange = OpenQuarantine | Hold | DecideQuarantine | EndKeep | DropHeld;

export interface OlderFilesBounds {
  contentRev: number;
  countMax: number;
  rowsMax: number;
}

/** Which quarantines are listed. `near`: at least all of that tenant's. */
export interface QuarantineFilter {
  state?: QuarantineState;
  near?: TenantId;
}

/** The part of MetadataStore that knows quarantines. */
export interface HoldStore {
  findQuarantine(id: number): Promise<QuarantineRecord | undefined>;

  /** Newest first, strictly older than `before`, at most `limit` (1 to QUARANTINES_LIMIT_MAX).
   *  `near` as in listSpaces. */
  listQuarantines(
    filter: QuarantineFilter, limit: number, before?: number,
  ): Promise<QuarantineRecord[]>;

  /** Counts the files below a folder, at any depth, whose content is of `contentRev` or older: up
   *  to `countMax`, looking at no more than `rowsMax` nodes. In whatever order; what is mounted
   *  counts for nothing. Costs time as the nodes looked at, and no memory. */
  countOlderFiles(
    spaceId: SpaceId, folderId: NodeId, bounds: OlderFilesBounds,
  ): Promise<number>;

  /** By ascending id, strictly after `after`, at most `limit` (1 to HELD_LIMIT_MAX). */
  listHeld(quarantineId: number, limit: number, after?: number): Promise<HeldRecord[]>;
}

export const QUARANTINES_LIMIT_MAX = 1_000;
export const HELD_LIMIT_MAX = 1_000;
/** Nodes that one change can hold, release or drop. */
export const HELD_AT_ONCE_MAX = 10_000;
/** Nodes that one quarantine can hold. */
export const HELD_PER_QUARANTINE_MAX = 200_000;
/** Characters of a device's key. */
export const DEVICE_KEY_LENGTH_MAX = 200;
