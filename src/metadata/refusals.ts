/** Every refusal of a metadata store, in one place: all implementations answer alike. */
import { HoldfastError } from '../base/errors.ts';
import type { ErrorKind } from '../base/errors.ts';
import type { NodeId } from '../base/ids.ts';
import { PATH_DEPTH_MAX } from '../base/names.ts';

const OP = 'metadata/MetadataStore';

type Facts = Readonly<Record<string, string | number>>;

function refusal(kind: ErrorKind, code: string, message: string, facts?: Facts): HoldfastError {
  return new HoldfastError(kind, OP, message, { code, ...(facts !== undefined && { facts }) });
}

export const spaceMissing = (spaceId: number): HoldfastError =>
  refusal('not-found', 'space-missing', 'There is no such space.', { spaceId });

export const nodeMissing = (nodeId: number): HoldfastError =>
  refusal('not-found', 'node-missing', 'There is no such file or folder.', { nodeId });

export const versionMissing = (nodeId: number, contentRev: number): HoldfastError =>
  refusal('not-found', 'version-missing', 'There is no such version.', { nodeId, contentRev });

export const contentChanged = (nodeId: number): HoldfastError =>
  refusal('not-found', 'version-missing', 'The file has other content by now.', { nodeId });

export const trashMissing = (nodeId: number): HoldfastError =>
  refusal('not-found', 'trash-missing', 'The trash does not hold this any more.', { nodeId });

export const lockMissing = (): HoldfastError =>
  refusal('not-found', 'lock-missing', 'There is no such lock, or it has expired.');

export const uploadMissing = (): HoldfastError =>
  refusal('not-found', 'upload-missing', 'There is no such upload. Start it again.');

export const uploadEnded = (): HoldfastError =>
  refusal('conflict', 'upload-ended', 'This upload has been completed already.');

export const parentMissing = (nodeId: number): HoldfastError => {
  const message = 'The folder it should go into does not exist. Create that folder first.';
  return refusal('conflict', 'parent-missing', message, { nodeId });
};

export const nameClash = (nodeId: NodeId): HoldfastError => {
  const message = 'Another spelling of this name is in the folder already. Choose another name.';
  return refusal('conflict', 'name-clash', message, { nodeId });
};

export const isFolder = (nodeId: NodeId): HoldfastError =>
  refusal('conflict', 'is-folder', 'A folder of this name is there already.', { nodeId });

export const alreadyThere = (nodeId: NodeId): HoldfastError =>
  refusal('exists', 'exists', 'Something of this name is there already.', { nodeId });

export const targetExists = (nodeId: NodeId): HoldfastError =>
  refusal('precondition', 'target-exists', 'Something of this name is there already.', { nodeId });

export const changedMeanwhile = (): HoldfastError => {
  const message = 'It has changed in the meantime. Look at it again before changing it.';
  return refusal('precondition', 'changed', message);
};

export const cycle = (nodeId: NodeId): HoldfastError =>
  refusal('denied', 'cycle', 'Nothing can be put into or onto itself.', { nodeId });

export const rootStays = (): HoldfastError =>
  refusal('denied', 'root', 'The top folder cannot be deleted.');

export const anothersLock = (): HoldfastError =>
  refusal('denied', 'not-your-lock', 'This lock belongs to somebody else.');

export const lockTokenTaken = (): HoldfastError =>
  refusal('exists', 'lock-exists', 'A lock with this token is there already.');

export const lockedBy = (nodeId: NodeId): HoldfastError => {
  const message = 'It is locked. Wait until the lock is released, or ask who holds it.';
  return refusal('locked', 'locked', message, { nodeId });
};

export const overQuota = (neededBytes: number, quotaBytes: number): HoldfastError => {
  const message = 'There is not enough room left in this space. Delete something first.';
  return refusal('quota', 'quota', message, { neededBytes, quotaBytes });
};

export const tooDeep = (): HoldfastError =>
  refusal('invalid', 'path-too-deep', `Folders can be nested ${PATH_DEPTH_MAX} deep at most.`);

export const copyTooLarge = (nodesMax: number): HoldfastError => {
  const message = `At most ${nodesMax} files and folders can be copied at once.`;
  return refusal('too-large', 'copy-too-large', message);
};

export const propertiesTooLarge = (bytesMax: number): HoldfastError => {
  const message = `All properties of a file or folder can take ${bytesMax} bytes together.`;
  return refusal('too-large', 'properties-too-large', message);
};

export const tooManyLocks = (locksMax: number): HoldfastError =>
  refusal('too-large', 'too-many-locks', `A space can hold ${locksMax} locks at most.`);

export const tooManyUploads = (uploadsMax: number): HoldfastError => {
  const message = `At most ${uploadsMax} uploads can be open at once. Finish some of them first.`;
  return refusal('too-large', 'too-many-uploads', message);
};

export const tooManyParts = (partsMax: number): HoldfastError =>
  refusal('too-large', 'too-many-parts', `An upload can have ${partsMax} parts at most.`);

export const outOfRange = (field: string): HoldfastError =>
  refusal('invalid', 'out-of-range', 'A number in the request is out of range.', { field });

export const tooBusy = (): HoldfastError =>
  refusal('busy', 'queue-full', 'The server is busy. Try again shortly.');

export const storeClosed = (): HoldfastError =>
  refusal('unavailable', 'closed', 'The server is shutting down. Try again shortly.');
