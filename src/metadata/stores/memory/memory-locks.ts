/** The changes of locks, on the in-memory model. */
import { LOCKS_PER_SPACE_MAX } from '../../changes.ts';
import type { Actor, AddLock, ChangeResult, RefreshLock, RemoveLock } from '../../changes.ts';
import { lockAgainst, locksInForce } from '../../lock-rules.ts';
import type { LockRecord } from '../../records.ts';
import {
  anothersLock, lockMissing, lockTokenTaken, lockedBy, nodeMissing, tooManyLocks,
} from '../../refusals.ts';
import { resultOf } from './memory-changes.ts';
import type { MemorySpace } from './memory-space.ts';

export function addLock(space: MemorySpace, { lock, actor }: AddLock): ChangeResult {
  const node = space.findLive(lock.nodeId);
  if (node === undefined) throw nodeMissing(lock.nodeId);
  const inForce = locksInForce(space.locks, actor.at);
  if (inForce.some((other) => other.token === lock.token)) throw lockTokenTaken();
  const against = lockAgainst(space.lockView, lock, actor.at);
  if (against !== undefined) throw lockedBy(against.nodeId);
  if (inForce.length >= LOCKS_PER_SPACE_MAX) throw tooManyLocks(LOCKS_PER_SPACE_MAX);
  space.locks = [...inForce, { ...lock }];
  return resultOf(space, node, false);
}

function lockInForce(space: MemorySpace, token: string, actor: Actor): LockRecord {
  const lock = locksInForce(space.locks, actor.at).find((each) => each.token === token);
  if (lock === undefined) throw lockMissing();
  return lock;
}

export function refreshLock(space: MemorySpace, change: RefreshLock): ChangeResult {
  const lock = lockInForce(space, change.token, change.actor);
  if (lock.holder !== change.actor.user) throw anothersLock();
  lock.expiresAt = change.expiresAt;
  return resultOf(space, undefined, false);
}

export function removeLock(space: MemorySpace, change: RemoveLock): ChangeResult {
  const lock = lockInForce(space, change.token, change.actor);
  if (change.breaks !== true && lock.holder !== change.actor.user) throw anothersLock();
  space.locks = space.locks.filter((other) => other !== lock);
  return resultOf(space, undefined, false);
}
