/**
 * What is different between two revisions of a space.
 *
 * The obvious way, to compare two trees, costs as much as the trees. So the events between are
 * walked instead, and a node is answered at the first event that changed it, with its state at both
 * ends; later events of the same node are recognised by that and cost one search each, so nothing
 * has to be remembered from page to page.
 */
import type { NodeId } from '../base/ids.ts';
import type { EventRecord, NodeKind } from './records.ts';
import type { PastNode } from './past.ts';

export type DiffChange = 'added' | 'changed' | 'moved' | 'deleted' | 'shared';

export interface DiffPlace {
  parentId: NodeId | undefined;
  name: string;
  /** Names from the root to the node, itself last. */
  path: string[];
  /** Ids from the root to the node, itself last. */
  ids: NodeId[];
  contentRev: number;
}

/** One node that is different. `added` and `deleted` of a folder stand for all that it held. */
export interface DiffEntry {
  nodeId: NodeId;
  kind: NodeKind;
  /** undefined: it was not there. */
  before: DiffPlace | undefined;
  /** undefined: it is not there any more. */
  after: DiffPlace | undefined;
  changes: DiffChange[];
}

export interface DiffOptions {
  /** Only what is below this node at one of the two ends, or is this node. */
  below?: NodeId;
  /** `next` of the page before. */
  after?: number;
  /** 1 to DIFF_LIMIT_MAX. */
  limit?: number;
}

export interface DiffPage {
  entries: DiffEntry[];
  /** Where the next page begins; undefined: this was the last one. A page may be short, or even
   *  empty, and not be the last. */
  next: number | undefined;
}

export const DIFF_LIMIT_MAX = 1_000;
/** Events that one page looks at: some ten milliseconds. */
export const DIFF_EVENTS_MAX = 500;

/** What a diff asks of a store, all of one moment. */
export interface DiffSource {
  listEvents(afterRev: number, limit: number): readonly EventRecord[];
  /** The first revision after `rev` that changed a node's own row. */
  firstChange(nodeId: NodeId, rev: number): number | undefined;
  /** From the root to the node; undefined when it was not live. */
  chainAt(nodeId: NodeId, rev: number): readonly PastNode[] | undefined;
}

interface DiffSpan {
  fromRev: number;
  toRev: number;
  options: DiffOptions;
}

export function diffPage(source: DiffSource, { fromRev, toRev, options }: DiffSpan): DiffPage {
  const { below, after = fromRev, limit = DIFF_LIMIT_MAX } = options;
  const entries: DiffEntry[] = [];
  const events = source.listEvents(Math.max(after, fromRev), DIFF_EVENTS_MAX);
  let last = after;
  for (const event of events) {
    if (event.rev > toRev || entries.length >= limit) break;
    last = event.rev;
    const entry = entryOf(source, event, { fromRev, toRev, below });
    if (entry !== undefined) entries.push(entry);
  }
  const isOver = last >= toRev || events.length === 0;
  return { entries, next: isOver ? undefined : last };
}

function entryOf(
  source: DiffSource, event: EventRecord,
  { fromRev, toRev, below }: { fromRev: number; toRev: number; below: NodeId | undefined },
): DiffEntry | undefined {
  const { nodeId, nodeKind, rev } = event;
  const isSharing = SHARING.has(event.kind);
  if (!isSharing && source.firstChange(nodeId, fromRev) !== rev) return undefined;
  const before = source.chainAt(nodeId, fromRev);
  const after = source.chainAt(nodeId, toRev);
  const isInside = (chain: readonly PastNode[] | undefined): boolean =>
    below === undefined ? chain !== undefined : chain?.some(({ id }) => id === below) ?? false;
  if (!isInside(before) && !isInside(after)) return undefined;
  const changes = isSharing ? ['shared' as const] : changesOf(before?.at(-1), after?.at(-1));
  if (changes.length === 0) return undefined;
  return { nodeId, kind: nodeKind, before: placeOf(before), after: placeOf(after), changes };
}

/** Events that change who sees a node, and not the node. */
const SHARING: ReadonlySet<string> = new Set(['grant', 'revoke']);

function changesOf(before: PastNode | undefined, after: PastNode | undefined): DiffChange[] {
  if (before === undefined) return after === undefined ? [] : ['added'];
  if (after === undefined) return ['deleted'];
  const changes: DiffChange[] = [];
  if (before.parentId !== after.parentId || before.name !== after.name) changes.push('moved');
  const isChanged = before.contentRev !== after.contentRev || before.mark !== after.mark
    || before.createdAt !== after.createdAt;
  if (isChanged) changes.push('changed');
  return changes;
}

function placeOf(chain: readonly PastNode[] | undefined): DiffPlace | undefined {
  const node = chain?.at(-1);
  if (chain === undefined || node === undefined) return undefined;
  const { parentId, name, contentRev } = node;
  const path = chain.slice(1).map((each) => each.name);
  return { parentId, name, path, ids: chain.map(({ id }) => id), contentRev };
}
