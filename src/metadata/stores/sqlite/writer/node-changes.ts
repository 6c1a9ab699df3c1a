/** The changes of what stands at a node: times, checksums, dead properties. See tree-changes.ts. */
import type { SetChecksums, SetProperties, SetQuota, SetTimes } from '../../../changes.ts';
import { changedProperties } from '../../../dead-properties.ts';
import { checkLocks } from '../../../lock-rules.ts';
import type { DeadProperty } from '../../../records.ts';
import { contentChanged, isMount } from '../../../refusals.ts';
import { KIND_FILE, KIND_MOUNT } from '../rows.ts';
import { addEvent, resultOf } from './tree-changes.ts';
import type { Write } from './tree-changes.ts';
import type { TreeState } from './tree-state.ts';

export function setTimes(state: TreeState, change: SetTimes): Write {
  const { actor } = change;
  const space = state.space(change.spaceId);
  const { row, folder, parents } = state.live(space.id, change.nodeId);
  if (row.kind === KIND_MOUNT) throw isMount(row.id);
  checkLocks(state.lockView(space), actor, { nodes: [row.id], trees: [] });
  return () => {
    const { id, parentId, canon, name, kind, contentRev } = row;
    const place = { parentId, name };
    const rev = addEvent(state, space, actor, {
      kind: 'update', nodeId: id, nodeKind: kind, contentRev, before: place, after: place,
    });
    const isFile = kind === KIND_FILE;
    const modifiedAt = isFile ? change.modifiedAt ?? row.modifiedAt : 0;
    const createdAt = change.createdAt ?? row.createdAt;
    const mark = isFile ? rev : 0;
    state.sql.closeNode.run(rev, space.id, parentId, canon);
    state.sql.updateTimes.run(modifiedAt, createdAt, mark, rev, space.id, parentId, canon);
    if (isFile) state.sql.updateVersionTime.run(modifiedAt, space.id, id, contentRev);
    if (folder !== undefined) {
      state.setFolderTime(folder, rev, change.modifiedAt ?? folder.changedAt);
      space.foldersRev = rev;
    }
    state.touch(parents, rev, actor.at, 0);
    return resultOf(state, space, { row: { ...row, modifiedAt, createdAt, mark }, folder }, false);
  };
}

export function setChecksums(state: TreeState, change: SetChecksums): Write {
  const { checksums, contentRev } = change;
  const space = state.space(change.spaceId);
  const { row } = state.live(space.id, change.nodeId);
  if (row.kind !== KIND_FILE || row.contentRev !== contentRev) throw contentChanged(row.id);
  return () => {
    state.sql.updateChecksums.run(checksums, space.id, row.parentId, row.canon);
    state.sql.updateVersionChecksums.run(checksums, space.id, row.id, contentRev);
    return resultOf(state, space, { row: { ...row, checksums } }, false);
  };
}

export function setProperties(state: TreeState, change: SetProperties): Write {
  const { actor } = change;
  const space = state.space(change.spaceId);
  const { row, folder } = state.live(space.id, change.nodeId);
  checkLocks(state.lockView(space), actor, { nodes: [row.id], trees: [] });
  const before = state.sql.listProperties.all(space.id, row.id).map((property) => {
    const [namespace, name, xml] = property as [string, string, string];
    return { namespace, name, xml } satisfies DeadProperty;
  });
  const after = changedProperties(before, change);
  return () => {
    const place = { parentId: row.parentId, name: row.name };
    state.sql.deleteProperties.run(space.id, row.id);
    for (const { namespace, name, xml } of after) {
      state.sql.insertProperty.run(space.id, row.id, namespace, name, xml);
    }
    addEvent(state, space, actor, {
      kind: 'properties', nodeId: row.id, nodeKind: row.kind, contentRev: row.contentRev,
      before: place, after: place,
    });
    return resultOf(state, space, { row, folder }, false);
  };
}

export function setQuota(state: TreeState, change: SetQuota): Write {
  const space = state.space(change.spaceId);
  return () => {
    space.quotaBytes = change.quotaBytes;
    state.sql.updateSpaceQuota.run(change.quotaBytes ?? null, space.id);
    return resultOf(state, space, undefined, false);
  };
}
