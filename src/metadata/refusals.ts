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

export const otherTenant = (): HoldfastError => {
  const message = 'This is of another tenant. Nothing is shared, moved or copied between them.';
  return refusal('denied', 'other-tenant', message);
};

/** For the moments in which a tenant changes its shard. */
export const tenantFrozen = (): HoldfastError => {
  const message = 'This is being moved to another database. Try again in a second.';
  return refusal('unavailable', 'tenant-frozen', message, { retryAfterMs: 1_000 });
};

/** Whoever asks looks anew where the tenant is, and asks there. */
export const tenantMoved = (): HoldfastError => {
  const message = 'This is in another database by now. Try again.';
  return refusal('unavailable', 'tenant-moved', message, { retryAfterMs: 1_000 });
};

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

interface Room {
  neededBytes: number;
  quotaBytes: number;
  usedBytes: number;
  /** Promised to other uploads under way. */
  reservedBytes: number;
}

function numbersOf({ neededBytes, quotaBytes, usedBytes, reservedBytes }: Room): string {
  const promised = reservedBytes === 0 ? ''
    : `, ${reservedBytes} are promised to uploads under way`;
  return `${usedBytes} of ${quotaBytes} bytes are used${promised}, and this needs ${neededBytes}.`;
}

export const overQuota = (room: Room): HoldfastError => {
  const message = `There is no room for this: ${numbersOf(room)} Delete something, or ask for a `
    + 'larger quota.';
  return refusal('quota', 'quota', message, { ...room });
};

export const overTenantQuota = (room: Room): HoldfastError => {
  const message = `There is no room left for all users together: ${numbersOf(room)} Ask an `
    + 'administrator.';
  return refusal('quota', 'tenant-quota', message, { ...room });
};

export const isMount = (nodeId: NodeId): HoldfastError => {
  const message = 'This cannot be done with something that somebody else shares. Do it inside.';
  return refusal('denied', 'is-mount', message, { nodeId });
};

export const sourceBusy = (): HoldfastError => {
  const message = 'It was changed while it was being moved. Try again shortly.';
  return refusal('busy', 'source-changed', message);
};

export const grantMissing = (grantId: number): HoldfastError =>
  refusal('not-found', 'grant-missing', 'There is no such share.', { grantId });

export const grantThere = (grantId: number): HoldfastError =>
  refusal('exists', 'grant-exists', 'It is shared with them already.', { grantId });

export const linkTaken = (): HoldfastError =>
  refusal('exists', 'link-taken', 'There is a link with this address already. Choose another.');

export const downloadsSpent = (grantId: number): HoldfastError => {
  const message = 'This link has been used as often as it may be. Ask for another one.';
  return refusal('denied', 'downloads-spent', message, { grantId });
};

export const personalSpace = (): HoldfastError =>
  refusal('denied', 'personal-space', 'A personal space has no name of its own.');

export const tooManyGrants = (grantsMax: number): HoldfastError =>
  refusal('too-large', 'too-many-grants', `A space can have ${grantsMax} shares at most.`);

export const termsTooLarge = (bytesMax: number): HoldfastError =>
  refusal('too-large', 'terms-too-large', `The terms of a share take ${bytesMax} bytes at most.`);

export const tooManyMounts = (mountsMax: number): HoldfastError => {
  const message = `At most ${mountsMax} shares of others can be shown at once. Remove some first.`;
  return refusal('too-large', 'too-many-mounts', message);
};

export const tooManyReservations = (reservationsMax: number): HoldfastError => {
  const message = `At most ${reservationsMax} uploads can be under way. Try again later.`;
  return refusal('too-large', 'too-many-reservations', message);
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

export const revAhead = (rev: number, newestRev: number): HoldfastError => {
  const message = 'This moment has not come yet. Ask for one that has passed.';
  return refusal('invalid', 'rev-ahead', message, { rev, newestRev });
};

/** What is kept begins at `oldestAt`. */
export const pastGone = (oldestRev: number, oldestAt: number): HoldfastError => {
  const message = 'The past is kept for a limited time. The oldest moment that can be shown is '
    + `${new Date(oldestAt).toISOString()}.`;
  return refusal('not-found', 'past-gone', message, { oldestRev, oldestAt });
};

export const batchRunning = (batchId: number): HoldfastError => {
  const message = 'Something is being restored here already. Wait until that has ended.';
  return refusal('conflict', 'batch-running', message, { batchId });
};

export const batchMissing = (batchId: number): HoldfastError =>
  refusal('not-found', 'batch-missing', 'There is no such restore.', { batchId });

export const quarantineMissing = (quarantineId: number): HoldfastError =>
  refusal('not-found', 'quarantine-missing', 'There is no such quarantine.', { quarantineId });

export const quarantineDecided = (): HoldfastError =>
  refusal('conflict', 'quarantine-decided', 'This has been decided already.');

export const quarantineOpen = (): HoldfastError => {
  const message = 'The same device is held back here again. Decide about that first.';
  return refusal('conflict', 'quarantine-open', message);
};

export const heldMissing = (): HoldfastError =>
  refusal('not-found', 'held-missing', 'This change is not held any more.');

export const heldFull = (): HoldfastError => {
  const message = 'Too many changes by this device wait for a decision of the owner or an '
    + 'administrator. Nothing was changed.';
  return refusal('locked', 'held-full', message);
};

export const tooManyHeld = (nodesMax: number): HoldfastError => {
  const message = `At most ${nodesMax} files and folders can be held at once.`;
  return refusal('too-large', 'too-many-held', message);
};

export const tooManyEntries = (entriesMax: number): HoldfastError => {
  const message = `At most ${entriesMax} entries can be taken out of the trash at once.`;
  return refusal('too-large', 'too-many-entries', message);
};

export const tooManyVersions = (versionsMax: number): HoldfastError => {
  const message = `At most ${versionsMax} versions can be forgotten at once.`;
  return refusal('too-large', 'too-many-versions', message);
};

export const tooBusy = (): HoldfastError =>
  refusal('busy', 'queue-full', 'The server is busy. Try again shortly.');

export const storeClosed = (): HoldfastError =>
  refusal('unavailable', 'closed', 'The server is shutting down. Try again shortly.');
