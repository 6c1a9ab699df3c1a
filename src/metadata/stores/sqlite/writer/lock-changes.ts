/** The changes of locks, on SQLite: the rules are in lock-rules.ts. */
import { LOCKS_PER_SPACE_MAX } from '../../../changes.ts';
import type { Actor, AddLock, RefreshLock, RemoveLock } from '../../../changes.ts';
import { lockAgainst, locksInForce } from '../../../lock-rules.ts';
import type { LockRecord } from '../../../records.ts';
import {
  anothersLock, lockMissing, lockTokenTaken, lockedBy, tooManyLocks,
} from '../../../refusals.ts';
import { resultOf } from './tree-changes.ts';
import type { Write } from './tree-changes.ts';
import type { SpaceState, TreeState } from './tree-state.ts';

export function addLock(state: TreeState, { lock, actor }: AddLock): Write {
  const space = state.space(lock.spaceId);
  const { row, folder } = state.live(space.id, lock.nodeId);
  const inForce = locksInForce(state.locks(space), actor.at);
  if (inForce.some((other) => other.token === lock.token)) throw lockTokenTaken();
  const against = lockAgainst(state.lockView(space), lock, actor.at);
  if (against !== undefined) throw lockedBy(against.nodeId);
  if (inForce.length >= LOCKS_PER_SPACE_MAX) throw tooManyLocks(LOCKS_PER_SPACE_MAX);
  return () => {
    for (const old of state.locks(space)) {
      if (!inForce.includes(old)) state.sql.deleteLock.run(space.id, old.token);
    }
    const { token, nodeId, scope, depth, ownerXml, holder, expiresAt } = lock;
    state.sql.insertLock.run(space.id, token, nodeId, scope, depth, ownerXml, holder, expiresAt);
    space.locks = [...inForce, lock];
    return resultOf(state, space, { row, folder }, false);
  };
}

function lockInForce(
  state: TreeState, space: SpaceState, token: string, actor: Actor,
): LockRecord {
  const lock = state.locks(space).find((each) => each.token === token);
  if (lock === undefined || lock.expiresAt <= actor.at) throw lockMissing();
  return lock;
}

export function refreshLock(state: TreeState, change: RefreshLock): Write {
  const space = state.space(change.spaceId);
  const lock = lockInForce(state, space, change.token, change.actor);
  if (lock.holder !== change.actor.user) throw anothersLock();
  return () => {
    lock.expiresAt = change.expiresAt;
    state.sql.updateLockExpiry.run(change.expiresAt, space.id, lock.token);
    return resultOf(state, space, undefined, false);
  };
}

export function removeLock(state: TreeState, change: RemoveLock): Write {
  const space = state.space(change.spaceId);
  const lock = lockInForce(state, space, change.token, change.actor);
  if (change.breaks !== true && lock.holder !== change.actor.user) throw anothersLock();
  return () => {
    space.locks = state.locks(space).filter((other) => other !== lock);
    state.sql.deleteLock.run(space.id, lock.token);
    return resultOf(state, space, undefined, false);
  };
}
