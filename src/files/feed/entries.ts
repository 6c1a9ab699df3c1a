/** Makes the entries of a page out of what was touched, and what permission has changed. */
import type { NodeId } from '../../base/ids.ts';
import type { Role } from '../../base/roles.ts';
import type { NodeRecord } from '../../metadata/index.ts';
import { isVisible } from '../access.ts';
import type { SeenChange, SeenChangeKind } from './seen-change.ts';
import type { Switches } from './switches.ts';
import type { Touched } from './touched.ts';
import type { InWindow, Window } from './window.ts';

export type Chains = ReadonlyMap<NodeId, readonly NodeRecord[]>;

/** What a page has looked at in one space. */
export interface Looked {
  touched: ReadonlyMap<NodeId, Touched>;
  /** Of all that `idsAround` and the switches name, as it is now. */
  chains: Chains;
  /** Nothing has happened in the space between the page before and this look but these events, and
   *  the follower's copy was whole before. */
  isGapless: boolean;
  /** Nodes at which permission has changed. */
  switched: ReadonlySet<NodeId>;
}

export interface Why {
  isWhole: boolean;
  touched?: Touched;
  oldPath?: readonly string[] | undefined;
}

const STRENGTH: Readonly<Record<SeenChangeKind, number>> = {
  removed: 0, changed: 1, moved: 2, added: 3,
};

export class Entries {
  readonly #byKey = new Map<string, SeenChange>();

  get list(): SeenChange[] {
    return [...this.#byKey.values()];
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** Two reasons for one entry make one. All of a page is of one look, so what is seen is seen:
   *  that the same key has gone is then about an earlier mount of it. */
  add(change: SeenChange): void {
    const known = this.#byKey.get(change.key);
    if (known === undefined) {
      this.#byKey.set(change.key, change);
      return;
    }
    const stronger = STRENGTH[change.kind] > STRENGTH[known.kind] ? change : known;
    this.#byKey.set(change.key, { ...stronger, isWhole: known.isWhole || change.isWhole });
  }

  put(found: InWindow, kind: SeenChangeKind, why: Why): void {
    const { touched, isWhole, oldPath } = why;
    const { key, parentKey, node, path } = found;
    this.add({
      kind, key, parentKey, nodeId: node.id, node, path, oldPath,
      isWhole: isWhole && node.kind === 'folder', by: touched?.last.by, at: touched?.last.at,
    });
  }

  remove(
    key: string, nodeId: NodeId | undefined,
    { path, touched }: { path?: readonly string[]; touched?: Touched },
  ): void {
    this.add({
      kind: 'removed', key, nodeId, node: undefined, parentKey: undefined, path,
      oldPath: undefined, isWhole: true, by: touched?.last.by, at: touched?.last.at,
    });
  }
}

/** Entries of one touched node in one window, after those of touched folders above it. */
export function putTouched(
  entries: Entries, window: Window, touched: Touched, looked: Looked,
): void {
  const found = window.find(looked.chains.get(touched.nodeId));
  if (found === undefined) {
    putLeft(entries, window, touched, looked);
    return;
  }
  if (touched.isSharingOnly && found.role !== 'owner') return;
  for (const { id } of found.below.slice(0, -1)) {
    const above = looked.touched.get(id);
    if (above !== undefined && !entries.has(window.keyOf(id))) {
      putTouched(entries, window, above, looked);
    }
  }
  const isRoot = found.below.length === 1;
  const { isNew, isMoved, bringsMore } = touched;
  const kind = isNew ? 'added' : isMoved && !isRoot ? 'moved' : 'changed';
  const isWhole = bringsMore
    || (kind === 'moved' && !wasKnown(window, { touched, role: found.role }, looked));
  const oldPath = kind === 'moved' ? pathLeft(window, touched, looked) : undefined;
  entries.put(found, kind, { isWhole, touched, oldPath });
}

/** It is not seen any more. That it went is told where the place that it left is seen: if that one
 *  is not, it has itself gone, and all below it with it. */
function putLeft(
  entries: Entries, window: Window, touched: Touched, { chains }: Looked,
): void {
  for (const { parentId, name } of touched.left) {
    const parent = window.find(chains.get(parentId));
    if (parent === undefined || !isVisible(window.roleBelow(parent, touched.nodeId))) continue;
    const path = [...parent.path, name];
    entries.remove(window.keyOf(touched.nodeId), touched.nodeId, { path, touched });
    return;
  }
}

/** The place that a node left first, if the caller sees that folder. */
export function pathLeft(
  window: Window, { left: [first] }: Touched, { chains }: Looked,
): string[] | undefined {
  const parent = first && window.find(chains.get(first.parentId));
  return parent && first && [...parent.path, first.name];
}

/**
 * Whether a follower has all below a folder that was moved. It may have been out of sight between,
 * and then the follower has let go of it. It has not if the page begins where the follower's copy
 * was whole, ends at the journal's end, and the folder was taken from a place that is seen now as
 * it was seen then, with the same rights.
 */
export function wasKnown(
  window: Window, { touched, role }: { touched: Touched; role: Role }, looked: Looked,
): boolean {
  const { wasIn, isNew, nodeId } = touched;
  if (!looked.isGapless || isNew || wasIn === undefined) return false;
  const parent = window.find(looked.chains.get(wasIn));
  if (parent === undefined || window.roleBelow(parent, nodeId) !== role) return false;
  return !looked.switched.has(nodeId) && parent.below.every(({ id }) => {
    const other = looked.touched.get(id);
    const stayed = other === undefined || (!other.isNew && other.left.length === 0);
    return stayed && !looked.switched.has(id);
  });
}

/** What permission has changed in one window that was seen before and is seen now. */
export function putSwitched(
  entries: Entries, window: Window, { rootId, switches, looked }: {
    rootId: NodeId; switches: Switches; looked: Looked;
  },
): void {
  const { chains, touched, isGapless } = looked;
  const root = window.find(chains.get(rootId));
  if (root === undefined) return;
  const rootRole = window.roleBy(switches.before, chains.get(rootId));
  if (rootRole !== root.role) {
    entries.put(root, 'changed', { isWhole: true });
    return;
  }
  for (const id of switches.nodes) {
    const chain = chains.get(id);
    if (id === rootId || chain === undefined) continue;
    const parent = window.find(chain.slice(0, -1));
    if (parent === undefined) continue; // What holds it is not seen, or it is elsewhere.
    const was = window.roleBy(switches.before, chain);
    const found = window.find(chain);
    if (found === undefined) {
      // Its name of now is told only if it was that already when the caller could see it.
      const hasStayed = isGapless && (touched.get(id)?.left.length ?? 0) === 0;
      const path = [...parent.path, chain.at(-1)?.name ?? ''];
      if (isVisible(was)) entries.remove(window.keyOf(id), id, hasStayed ? { path } : {});
    } else if (found.role !== was) {
      entries.put(found, isVisible(was) ? 'changed' : 'added', { isWhole: true });
    }
  }
}
