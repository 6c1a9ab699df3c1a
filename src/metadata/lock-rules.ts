/**
 * Which locks stand in the way of a change (RFC 4918, sections 6 and 7). Pure functions.
 *
 * A lock covers the node it was set on and, with depth infinity, everything below. Where several
 * shared locks cover a node, the token of one of them is enough; an exclusive lock stands alone,
 * because nothing that overlaps it is ever granted. So one rule serves both: a node that any lock
 * covers may be changed by showing the token of one covering lock that the actor holds. A lock that
 * belongs to a person (see lock-token.ts) asks for no token: its holder is enough.
 *
 * Adding or removing a member changes its parent folder, so it asks for the parent's locks, also
 * those of depth 0 (section 7.4). Deleting or moving a folder asks also for every lock below it.
 */
import type { NodeId } from '../base/ids.ts';
import type { Actor } from './changes.ts';
import { lockKindOf } from './lock-token.ts';
import type { Instant, LockRecord } from './records.ts';
import { lockedBy } from './refusals.ts';

/** What the rules must know of a space. */
export interface LockView {
  locks: readonly LockRecord[];
  /** A node and its ancestors, the node first, the root last; undefined when it is not live. */
  chainOf(nodeId: NodeId): readonly NodeId[] | undefined;
}

/** The nodes that a change touches. */
export interface LockNeeds {
  /** Changed themselves: content, properties, or (a folder) its list of members. */
  nodes: readonly NodeId[];
  /** Moved, deleted or replaced with all below them. */
  trees: readonly NodeId[];
}

function isAlive(lock: LockRecord, at: Instant): boolean {
  return lock.expiresAt > at;
}

/** Locks in force at `at` that cover a node. */
export function locksCovering(view: LockView, nodeId: NodeId, at: Instant): LockRecord[] {
  if (view.locks.length === 0) return [];
  const chain = view.chainOf(nodeId) ?? [nodeId];
  return view.locks.filter((lock) => isAlive(lock, at)
    && (lock.nodeId === nodeId || (lock.depth === 'infinity' && chain.includes(lock.nodeId))));
}

/** All locks, expired ones too, on a node or anywhere below it: they go when the node goes. */
export function locksWithin(view: LockView, nodeId: NodeId): LockRecord[] {
  return view.locks.filter((lock) => view.chainOf(lock.nodeId)?.includes(nodeId) ?? false);
}

function tokenOf(lock: LockRecord): string {
  return lock.token;
}

function holdsOne(covering: readonly LockRecord[], actor: Actor): boolean {
  return covering.some((lock) =>
    lock.holder === actor.user
    && (lockKindOf(lock.token) === 'person' || actor.lockTokens.includes(lock.token)));
}

function refuseUnlessHeld(view: LockView, nodeId: NodeId, actor: Actor): void {
  const covering = locksCovering(view, nodeId, actor.at);
  if (covering.length === 0 || holdsOne(covering, actor)) return;
  const [first] = covering.toSorted((a, b) => (tokenOf(a) < tokenOf(b) ? -1 : 1));
  throw lockedBy(first?.nodeId ?? nodeId);
}

/** @throws locked, with the id of a locked node: a lock stands in the way, its token not shown. */
export function checkLocks(view: LockView, actor: Actor, needs: LockNeeds): void {
  if (view.locks.length === 0) return;
  for (const nodeId of needs.nodes) refuseUnlessHeld(view, nodeId, actor);
  for (const treeId of needs.trees) {
    const places = new Set([treeId, ...locksWithin(view, treeId).map((lock) => lock.nodeId)]);
    for (const nodeId of [...places].toSorted((a, b) => a - b)) {
      refuseUnlessHeld(view, nodeId, actor);
    }
  }
}

/** A lock in force that cannot stand beside `wanted`; undefined when it can be granted. */
export function lockAgainst(
  view: LockView, wanted: LockRecord, at: Instant,
): LockRecord | undefined {
  const near = locksCovering(view, wanted.nodeId, at);
  const below = wanted.depth === 'infinity'
    ? locksWithin(view, wanted.nodeId).filter((lock) => isAlive(lock, at)) : [];
  const against = [...near, ...below].filter((lock) =>
    wanted.scope === 'exclusive' || lock.scope === 'exclusive');
  return against.toSorted((a, b) => (tokenOf(a) < tokenOf(b) ? -1 : 1))[0];
}

/** Locks in force at `at`, in the order of their tokens. */
export function locksInForce(locks: readonly LockRecord[], at: Instant): LockRecord[] {
  return locks.filter((lock) => isAlive(lock, at))
    .toSorted((a, b) => (tokenOf(a) < tokenOf(b) ? -1 : 1));
}
