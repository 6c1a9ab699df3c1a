/** One change to the function that checks it. */
import { unreachable } from '../../../../base/assert.ts';
import { DEFAULT_TENANT } from '../../../../base/ids.ts';
import type { SpaceId } from '../../../../base/ids.ts';
import type { ChangeResult } from '../../../changes.ts';
import type { EnsureSpace, WriterChange } from '../messages.ts';
import { NO_PARENT } from '../rows.ts';
import { copyAtOnce } from './copy-changes.ts';
import { addLock, refreshLock, removeLock } from './lock-changes.ts';
import { setChecksums, setProperties, setQuota, setTimes } from './node-changes.ts';
import {
  deleteNode, insertFolderNode, makeFolder, move, putFile, restore,
} from './tree-changes.ts';
import type { Write } from './tree-changes.ts';
import type { TreeState } from './tree-state.ts';
import { beginUpload, dropUpload, expireUploads, putPart } from './upload-changes.ts';

function ensureSpace(state: TreeState, { wanted }: EnsureSpace): Write {
  const { owner, casePolicy, quotaBytes, at } = wanted;
  const answer: ChangeResult = { node: undefined, created: false, rev: 0, count: 0 };
  if (state.sql.findSpaceByOwner.get(DEFAULT_TENANT, owner) !== undefined) return () => answer;
  return () => {
    const [id] = state.sql.getMeta.get('next_space_id') as [SpaceId];
    state.sql.setMeta.run(id + 1, 'next_space_id');
    const rootId = state.takeNodeIds(1);
    state.sql.insertSpace.run(id, DEFAULT_TENANT, owner, rootId, casePolicy, quotaBytes ?? null,
      at);
    insertFolderNode(state, state.space(id), {
      id: rootId, parentId: NO_PARENT, canon: '', name: '', createdAt: at, revFrom: 0,
    });
    state.addFolder(id, rootId, NO_PARENT, { mark: 0, sizeBytes: 0, changedAt: at });
    return { ...answer, created: true };
  };
}

/** Checks a change against the state. Undefined for a copy that has to be made in slices.
 *  @throws HoldfastError: refused; nothing was written. */
export function checkedChange(state: TreeState, change: WriterChange): Write | undefined {
  switch (change.op) {
    case 'put-file': return putFile(state, change);
    case 'make-folder': return makeFolder(state, change);
    case 'move': return move(state, change);
    case 'copy': return copyAtOnce(state, change);
    case 'delete': return deleteNode(state, change);
    case 'restore': return restore(state, change);
    case 'set-times': return setTimes(state, change);
    case 'set-checksums': return setChecksums(state, change);
    case 'set-properties': return setProperties(state, change);
    case 'add-lock': return addLock(state, change);
    case 'refresh-lock': return refreshLock(state, change);
    case 'remove-lock': return removeLock(state, change);
    case 'begin-upload': return beginUpload(state, change);
    case 'put-part': return putPart(state, change);
    case 'drop-upload': return dropUpload(state, change);
    case 'expire-uploads': return expireUploads(state, change);
    case 'set-quota': return setQuota(state, change);
    case 'ensure-space': return ensureSpace(state, change);
    default: return unreachable(change);
  }
}
