/** The events of one space, gathered by node. Pure. */
import type { NodeId } from '../../base/ids.ts';
import type { EventRecord } from '../../metadata/index.ts';

/** What the events of a page have done to one node. */
export interface Touched {
  readonly nodeId: NodeId;
  /** The last of its events. */
  last: EventRecord;
  /** It came into being, or back, or as a copy with all below it. */
  isNew: boolean;
  /** More than the node itself came: what is below it has no events of its own. */
  bringsMore: boolean;
  isMoved: boolean;
  /** None of its events changed the node or its place. */
  isSharingOnly: boolean;
  /** Where the first of its events found it; undefined: nowhere. */
  wasIn: NodeId | undefined;
  /** Places that it left, in order. */
  readonly left: { readonly parentId: NodeId; readonly name: string }[];
}

const SHARING: ReadonlySet<EventRecord['kind']> = new Set(['grant', 'revoke']);

/** In the order of the last event of each. */
export function touchedBy(events: readonly EventRecord[]): Map<NodeId, Touched> {
  const touched = new Map<NodeId, Touched>();
  for (const event of events) {
    const { nodeId, parentBefore } = event;
    const known = touched.get(nodeId) ?? {
      nodeId, last: event, isNew: false, bringsMore: false, isMoved: false, isSharingOnly: true,
      wasIn: parentBefore, left: [],
    };
    note(known, event);
    touched.delete(nodeId);
    touched.set(nodeId, known);
  }
  return touched;
}

function note(touched: Touched, event: EventRecord): void {
  const { kind, parentBefore, nameBefore } = event;
  touched.last = event;
  if (!SHARING.has(kind)) touched.isSharingOnly = false;
  if (kind === 'create' || kind === 'restore') touched.isNew = true;
  if (kind === 'restore' || event.copiedFrom !== undefined) touched.bringsMore = true;
  if (kind === 'move') touched.isMoved = true;
  const hasLeft = kind === 'move' || kind === 'delete';
  if (hasLeft && parentBefore !== undefined) {
    touched.left.push({ parentId: parentBefore, name: nameBefore ?? '' });
  }
}

/** All nodes that must be looked at to say what the events mean. */
export function idsAround(touched: ReadonlyMap<NodeId, Touched>): Set<NodeId> {
  const ids = new Set<NodeId>(touched.keys());
  for (const { left, wasIn } of touched.values()) {
    for (const { parentId } of left) ids.add(parentId);
    if (wasIn !== undefined) ids.add(wasIn);
  }
  return ids;
}
