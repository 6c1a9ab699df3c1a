/** One change to the function that checks it. */
import { unreachable } from '../../../../base/assert.ts';
import type { WriteRows, WriterChange } from '../messages.ts';
import { beginBatch, noteBatch } from './batch-changes.ts';
import { copyAtOnce, isAcross } from './copy-changes.ts';
import { countDownload, putGrant, removeGrant } from './grant-changes.ts';
import {
  decideQuarantine, dropHeld, endKeep, hold, making, openQuarantine,
} from './hold-changes.ts';
import { addLock, refreshLock, removeLock } from './lock-changes.ts';
import { mount, unmount } from './mount-changes.ts';
import { setChecksums, setProperties, setQuota, setTimes } from './node-changes.ts';
import { dropTrash, dropVersions, purgeSlice, setRetention } from './purge-changes.ts';
import { dropReservation, reserveQuota, setTenantQuota, settling } from './quota-changes.ts';
import { recountAtOnce } from './recount-changes.ts';
import { ensureSpace, makeSpace, renameSpace } from './space-changes.ts';
import { deleteNode, makeFolder, move, putFile, restore } from './tree-changes.ts';
import type { Write } from './tree-changes.ts';
import type { TreeState } from './tree-state.ts';
import { beginUpload, dropUpload, expireUploads, putPart } from './upload-changes.ts';

/** Checks a change against the state. Undefined for one that has to be made in slices.
 *  @throws HoldfastError: refused; nothing was written. */
// eslint-disable-next-line complexity -- One line for each kind of change.
export function checkedChange(
  state: TreeState, change: Exclude<WriterChange, WriteRows>,
): Write | undefined {
  switch (change.op) {
    case 'put-file': {
      return settling(state, change, making(state, change, () => putFile(state, change)));
    }
    case 'make-folder': return makeFolder(state, change);
    case 'move': return isAcross(change) ? copyAtOnce(state, change) : move(state, change);
    case 'copy': return copyAtOnce(state, change);
    case 'delete': return making(state, change, () => deleteNode(state, change));
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
    case 'begin-batch': return beginBatch(state, change);
    case 'note-batch': return noteBatch(state, change);
    case 'purge-slice': return purgeSlice(state, change);
    case 'drop-versions': return dropVersions(state, change);
    case 'drop-trash': return dropTrash(state, change);
    case 'set-retention': return setRetention(state, change);
    case 'open-quarantine': return openQuarantine(state, change);
    case 'hold': return settling(state, change, hold(state, change));
    case 'decide-quarantine': return decideQuarantine(state, change);
    case 'end-keep': return endKeep(state, change);
    case 'drop-held': return dropHeld(state, change);
    case 'ensure-space': return ensureSpace(state, change);
    case 'put-grant': return putGrant(state, change);
    case 'remove-grant': return removeGrant(state, change);
    case 'count-download': return countDownload(state, change);
    case 'make-space': return makeSpace(state, change);
    case 'rename-space': return renameSpace(state, change);
    case 'mount': return mount(state, change);
    case 'unmount': return unmount(state, change);
    case 'reserve-quota': return reserveQuota(state, change);
    case 'drop-reservation': return dropReservation(state, change);
    case 'set-tenant-quota': return setTenantQuota(state, change);
    case 'recount': return recountAtOnce(state, change);
    default: return unreachable(change);
  }
}
