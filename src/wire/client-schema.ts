/** Shapes of the API. Made by tools/wire-client.ts from the operations of the server: change
 *  those, then run it. */

/** Who can see a node, and why: what was said last on the way down to it. none is in it too, as
 *  it says who was shut out. */
export interface Access {
  items: AccessReason[];
}

export interface AccessReason {
  kind: 'owner' | 'user' | 'group' | 'link';
  receiver?: Person;
  /** From weak to strong, each may all that those before it may. none: not even see it. viewer:
   *  list and read. uploader: and add. editor: and change, delete and restore. owner: and share. */
  role: 'none' | 'viewer' | 'uploader' | 'editor' | 'owner';
  /** Where that was said. */
  at: {
    nodeId: string;
    /** Missing: whoever asks does not see it. */
    path?: string;
  };
  shareId?: string;
  label?: string;
  expiresAt?: string;
}

export interface Account {
  id: string;
  displayName: string;
  email?: string;
  tenant: string;
  isAdmin: boolean;
  hasPassword: boolean;
  /** The password alone does not sign in. */
  hasSecondFactor: boolean;
  groups: string[];
  createdAt: string;
  quota: {
    usedBytes: number;
    limitBytes?: number;
  };
  signedInBy: 'password' | 'app-password' | 'session' | 'api-token';
}

export interface AccountChange {
  displayName?: string;
}

/** Something that somebody has done. */
export interface Act {
  /** Never the same for two. */
  id: string;
  at: string;
  by?: string;
  /** What people call them. */
  byName?: string;
  change: 
    | 'added'
    | 'changed'
    | 'moved'
    | 'renamed'
    | 'deleted'
    | 'restored'
    | 'shared'
    | 'unshared';
  kind: 'file' | 'folder';
  /** Missing: it is not there any more. */
  nodeId?: string;
  /** Its name of now; of what was moved or is gone, of then. */
  name: string;
  /** Where it is, or was last known to be. Missing: that is gone too. */
  path?: string;
  /** Where it was, if it was moved or renamed. */
  oldPath?: string;
  /** Of a copy: so many came with it, itself among them. */
  count?: number;
}

export interface Activity {
  buckets: ({
    at: string;
    added: number;
    changed: number;
    moved: number;
    deleted: number;
  })[];
  /** False: there was more than is looked at; then the newest part is counted. */
  isComplete: boolean;
}

export interface Acts {
  items: Act[];
  nextCursor?: string;
}

export interface AuditEntries {
  items: AuditEntry[];
  nextCursor?: string;
}

export interface AuditEntry {
  seq: number;
  at: string;
  act: string;
  /** "": the server itself, or nobody knows. */
  user: string;
  device?: string;
  from?: string;
  spaceId?: string;
  nodeId?: string;
  folderId?: string;
  name?: string;
  nameBefore?: string;
  subject?: string;
  note?: string;
}

/** A restore under way or over. */
export interface Batch {
  id: string;
  kind: string;
  /** running, done or undone; others may come. */
  state: string;
  doneCount: number;
  totalCount?: number;
  skippedCount: number;
  at: string;
  endedAt?: string;
}

export interface Batches {
  items: Batch[];
}

export interface BlocksAsked {
  blocks: string[];
  /** Files that are likely to hold some of the blocks. */
  baseIds?: string[];
}

export interface BlocksCommit {
  blocks: ({
    /** SHA-256 in lower-case hexadecimal. */
    id: string;
    sizeBytes: number;
  })[];
  /** Files that are likely to hold some of the blocks. */
  baseIds?: string[];
  modifiedAt?: string;
}

export interface BlocksKnown {
  have: boolean[];
}

export interface BrokenLocks {
  count: number;
}

export interface BrowserSession {
  id: string;
  /** The device, as a person would recognise it. */
  name: string;
  createdAt: string;
  /** Up to an hour behind. */
  lastUsedAt?: string;
  /** It is the one that asks. */
  isCurrent: boolean;
}

export interface BrowserSessions {
  items: BrowserSession[];
}

/** One look through everything that refers to stored blocks. */
export interface Census {
  number: number;
  beganAt: string;
  endedAt?: string;
  referenceCount: number;
  absentCount: number;
  unmetCount: number;
  unmetBytes: number;
  condemnedCount: number;
  condemnedBytes: number;
  pendingBytes: number;
}

/** One node as it is now. docs/following-changes.md says how a copy takes it in. */
export interface Change {
  kind: 'added' | 'changed' | 'moved' | 'removed';
  /** What the copy keeps it under: the id; below something shared the id of that, a slash, and
   *  the id. */
  key: string;
  /** Key of the folder that it lies in. */
  parentKey?: string;
  nodeId?: string;
  node?: ChangedNode;
  /** Where it is, or was when it went. */
  path?: string;
  /** Where it was before it was moved. */
  oldPath?: string;
  /** All below it may be otherwise than it was: list it anew. */
  isWhole: boolean;
  at?: string;
  /** Id of the user who did it last. */
  by?: string;
}

/** As a Node, less what changes with everything below a folder. */
export interface ChangedNode {
  id: string;
  spaceId: string;
  name: string;
  /** In the tree of whoever asks. */
  path: string;
  kind: 'file' | 'folder';
  parentId?: string;
  may: May;
  isMount: boolean;
  isShared: boolean;
  /** Only of files, as are the time, the ETag and what follows. */
  sizeBytes?: number;
  modifiedAt?: string;
  etag?: string;
  mediaType?: string;
  version?: string;
}

export type Changes =
  | {
    items: Change[];
    /** The next page begins behind this one. */
    cursor: string;
    /** The next page has something already. */
    isMore: boolean;
  }
  | {
    /** The cursor cannot be followed: list everything, and follow from this one. */
    reset: true;
    /** The next page begins behind this one. */
    cursor: string;
  };

export interface Children {
  folder: Node;
  items: Node[];
  nextCursor?: string;
}

export interface Collection {
  /** False: the settings have switched it off. */
  isOn: boolean;
  isRunning: boolean;
  /** Newest first, at most 10. */
  censuses: Census[];
  trashVolumes: number;
  trashBytes: number;
  unlinkedVolumes: number;
  unlinkedBytes: number;
}

export interface DayFigure {
  /** 2026-11-21, in UTC. */
  day: string;
  checked: number;
}

export interface Deleted {
  /** Where it lies in the trash. Without one it was only taken out of the own tree. */
  trashId?: string;
}

/** A device with a password of its own. */
export interface Device {
  id: string;
  /** The device, as a person would recognise it. */
  name: string;
  createdAt: string;
  /** Up to an hour behind. */
  lastUsedAt?: string;
}

export interface Devices {
  items: Device[];
}

export interface Diff {
  items: Difference[];
  nextCursor?: string;
}

export interface Difference {
  change: 'added' | 'changed' | 'moved' | 'deleted';
  nodeId: string;
  kind: 'file' | 'folder';
  /** Where it is; of what was deleted, where it was. */
  path: string;
  /** Where it was, if elsewhere. */
  oldPath?: string;
}

export interface Disk {
  id: string;
  where: string;
  host: string;
  rack: string;
  zone: string;
  state: string;
  answers: boolean;
  /** For how long it has not answered. */
  silentMs?: number;
  freeBytes?: number;
  totalBytes?: number;
  volumeCount: number;
  volumeBytes: number;
  /** Copies on it without which their volume has too few. */
  neededCount: number;
}

export interface DiskOrder {
  /** Which tenant's; the own one without it. Only administrators of the installation can name
   *  another. */
  tenant?: string;
  action: 'drain' | 'undrain' | 'retire';
  /** Of retire: also when volumes have no copy elsewhere. */
  acceptLoss?: boolean;
  /** etag of the plan that was looked at: does it, if the plan is still the same. Without it
   *  only the plan is made. */
  planEtag?: string;
}

export interface DiskPlan {
  action: string;
  diskId: string;
  volumeCount: number;
  volumeBytes: number;
  /** Why it is refused; none: it may be done. */
  objections: string[];
  notes: string[];
  etag: string;
  /** False: this is the plan, and nothing was done. */
  isDone: boolean;
}

export interface Disks {
  /** There is one disk, and no copies. */
  isSingle: boolean;
  storedBytes?: number;
  items: Disk[];
  copies?: number;
  /** Copies that are being made anew. */
  repair?: {
    volumesWaiting: number;
    toDoBytes: number;
    doneBytes: number;
    remainingMs?: number;
    damagedCount: number;
    blockedCount: number;
  };
  /** Sets of old volumes that have parity in place of copies. */
  erasure?: {
    sets: number;
    ending: number;
    blockedCount: number;
  };
}

export interface Emptied {
  count: number;
}

export interface Finding {
  id: number;
  verifier: string;
  kind: string;
  /** What it means, in words. */
  says: string;
  severity: 'damage' | 'notice';
  where: string;
  firstSeenAt: string;
  lastSeenAt: string;
  times: number;
}

export interface FirstCode {
  code: string;
}

export interface FolderVerdict {
  files: number;
  /** Below it; it is not counted itself. */
  folders: number;
  sizeBytes: number;
  /** Of all names and bytes; the same for every copy. docs/formats/folder-digest.md says how
   *  anybody can compute it, and `holdfast digest FOLDER` does. */
  digest: string;
}

export interface Group {
  id: string;
  tenant: string;
  displayName: string;
  createdAt: string;
}

export interface Groups {
  items: Group[];
  nextCursor?: string;
}

export interface Health {
  state: 'starting' | 'serving' | 'draining' | 'closed';
  startedAt: string;
  version: string;
  requestsUnderWay: number;
  storage: {
    blockCount: number;
    storedBytes: number;
    queuedBytes: number;
    damagedCount: number;
    refusesWrites?: 'full' | 'failed' | 'closed';
  };
  /** Whose files cannot be reached at the moment. */
  closedTenants: string[];
}

export interface Held {
  id: string;
  nodeId: string;
  kind: 'deleted' | 'content';
  nodeKind: 'file' | 'folder';
  name: string;
  /** A path in the tree of whoever asks, with slashes between the names; "/" is the root. */
  path?: string;
  heldAt: string;
  sizeBytes: number;
}

export interface HeldPage {
  items: Held[];
  nextCursor?: string;
}

export interface Job {
  id: string;
  kind: 
    | 'restore'
    | 'undo'
    | 'keep'
    | 'verification'
    | 'collection'
    | 'repair';
  state: 'running' | 'done' | 'waiting' | 'stopped';
  what?: string;
  by?: string;
  beganAt?: string;
  endedAt?: string;
  doneCount?: number;
  totalCount?: number;
  skippedCount?: number;
}

export interface Jobs {
  items: Job[];
}

export interface Lock {
  holder: string;
  holderName?: string;
  until?: string;
  /** Only of locks of whoever asks. */
  token?: string;
}

export interface LockWish {
  /** How long; else as the server is set. */
  seconds?: number;
}

export interface MadeDevice {
  id: string;
  /** The device, as a person would recognise it. */
  name: string;
  createdAt: string;
  /** Up to an hour behind. */
  lastUsedAt?: string;
  user: string;
  /** The app password: shown now and never again. */
  password: string;
}

export interface MadeToken {
  id: string;
  label: string;
  scopes: (
    | 'files:read'
    | 'files:write'
    | 'sharing'
    | 'account'
    | 'admin')[];
  createdAt: string;
  lastUsedAt?: string;
  expiresAt?: string;
  /** The secret: shown now and never again. */
  token: string;
}

export interface ManagedLock {
  nodeId: string;
  spaceId: string;
  holder: string;
  scope: 'exclusive' | 'shared';
  /** It covers all below a folder. */
  isDeep: boolean;
  until: string;
  /** Of the first 1,000. */
  name?: string;
}

export interface ManagedLocks {
  items: ManagedLock[];
}

/** What whoever asks may do with a node. */
export interface May {
  /** Read it: the content of a file, the list of a folder. */
  read: boolean;
  /** Change content, times and marks. */
  write: boolean;
  /** Add files and folders below it. */
  create: boolean;
  delete: boolean;
  /** Rename and move it. */
  rename: boolean;
  /** Say who else may do what. */
  share: boolean;
}

export interface Members {
  items: string[];
  nextCursor?: string;
}

export interface NewDevice {
  name: string;
}

export interface NewFolder {
  kind: 'folder';
  /** Name of a file or folder: no slash, no NUL, 255 bytes of UTF-8 at most. */
  name: string;
  /** What happens when the name is taken: refuse (the default), or choose a free name. */
  onConflict?: 'fail' | 'rename';
}

export interface NewGroup {
  /** For good, and never used again. */
  id: string;
  /** Which tenant's; the own one without it. Only administrators of the installation can name
   *  another. */
  tenant?: string;
  displayName?: string;
}

export interface NewPassword {
  password: string;
}

export interface NewRestore {
  /** What is brought back, if it is there now: a file, a folder, or all by the root. Else path
   *  says it. */
  nodeId?: string;
  /** Where it was at that moment. */
  path?: string;
  /** A moment in UTC, like 2026-11-20T10:00:00Z. */
  at: string;
  /** Shares and links too, as they were then. */
  withSharing?: boolean;
}

export interface NewSecondFactor {
  /** In base32, to be typed: shown now and never again. */
  secret: string;
  /** otpauth://…, for a QR code. */
  address: string;
}

export interface NewShare {
  /** mail: a link that is sent to this address. */
  receiver: 
    | {
      kind: 'user' | 'group';
      id: string;
    }
    | {
      kind: 'link';
    }
    | {
      kind: 'mail';
      address: string;
    };
  /** From weak to strong, each may all that those before it may. none: not even see it. viewer:
   *  list and read. uploader: and add. editor: and change, delete and restore. owner: and share. */
  role: 'none' | 'viewer' | 'uploader' | 'editor' | 'owner';
  expiresAt?: string;
  /** What its maker calls it. */
  label?: string;
  /** A word to who receives it. */
  note?: string;
  /** False: it only says what may be done there, and does not appear among the receiver's
   *  folders. */
  isShown?: boolean;
  /** Tell a user by mail, if that is possible. */
  notify?: boolean;
  /** Of a link; "" for none from now on. */
  password?: string;
  /** Of a link; 0 for no limit. */
  downloadsMax?: number;
  /** Of a link: names are shown, bytes are not handed out. */
  hideDownload?: boolean;
  /** Of a link to a folder: files can be left there, and nothing is shown. */
  fileDrop?: boolean;
}

export interface NewTeamSpace {
  /** Name of a file or folder: no slash, no NUL, 255 bytes of UTF-8 at most. */
  name: string;
  /** Which tenant's; the own one without it. Only administrators of the installation can name
   *  another. */
  tenant?: string;
  /** Who may say who else is in it; whoever asks, when nobody is named. */
  owner?: string;
  /** null: no limit of its own. */
  limitBytes?: number | null;
}

export interface NewTenant {
  id: string;
  title?: string;
  policy?: string;
}

export interface NewToken {
  label: string;
  scopes: (
    | 'files:read'
    | 'files:write'
    | 'sharing'
    | 'account'
    | 'admin')[];
  expiresAt?: string;
}

export interface NewUser {
  /** Lower-case letters, digits, and . _ - @; for good. */
  id: string;
  /** Which tenant's; the own one without it. Only administrators of the installation can name
   *  another. */
  tenant?: string;
  password?: string;
  displayName?: string;
  email?: string;
  isAdmin?: boolean;
}

export interface NewWebhook {
  url: string;
  /** Signs each message: the header Holdfast-Signature is t=<seconds>,v1=<hex>, an HMAC-SHA256
   *  over the seconds, a dot and the body. It is never shown again. */
  secret: string;
  label?: string;
  path?: string;
  kinds?: ('added' | 'changed' | 'moved' | 'removed')[];
}

export interface Node {
  id: string;
  spaceId: string;
  /** "" for the root. */
  name: string;
  /** In the tree of whoever asks; "/" is the root. */
  path: string;
  kind: 'file' | 'folder';
  /** Content of a file; of a folder all that is below it. -1, of folders of the past only: it is
   *  not known. */
  sizeBytes: number;
  modifiedAt: string;
  /** Quoted, as in the header ETag: give it back in If-Match. That of a folder changes with
   *  everything below it. */
  etag: string;
  /** Only of files, by the name. */
  mediaType?: string;
  parentId?: string;
  may: May;
  /** It is what somebody else shares: name and place are those chosen here. */
  isMount: boolean;
  /** It lives in a space of somebody else, or it is itself given to somebody. */
  isShared: boolean;
  isFavorite: boolean;
  lock?: Lock;
  owner?: Person;
  /** Of a file: which content it has. */
  version?: string;
}

/** All of it, or what comes first in this order. */
export interface NodeChange {
  /** Name of a file or folder: no slash, no NUL, 255 bytes of UTF-8 at most. */
  name?: string;
  parentId?: string;
  modifiedAt?: string;
  isFavorite?: boolean;
  /** What happens when the name is taken: refuse (the default), or choose a free name. */
  onConflict?: 'fail' | 'rename';
}

export interface NodeCopy {
  parentId: string;
  /** Name of a file or folder: no slash, no NUL, 255 bytes of UTF-8 at most. */
  name?: string;
  /** What happens when the name is taken: refuse (the default), or choose a free name. */
  onConflict?: 'fail' | 'rename';
}

export type Operation =
  | {
    op: 'move';
    id: string;
    parentId?: string;
    /** Name of a file or folder: no slash, no NUL, 255 bytes of UTF-8 at most. */
    name?: string;
    onConflict?: 'fail' | 'rename';
  }
  | {
    op: 'copy';
    id: string;
    parentId: string;
    /** Name of a file or folder: no slash, no NUL, 255 bytes of UTF-8 at most. */
    name?: string;
    onConflict?: 'fail' | 'rename';
  }
  | {
    op: 'delete';
    id: string;
  }
  | {
    op: 'create-folder';
    parentId: string;
    /** Name of a file or folder: no slash, no NUL, 255 bytes of UTF-8 at most. */
    name: string;
    onConflict?: 'fail' | 'rename';
  }
  | {
    op: 'restore-trash';
    id: string;
  };

export interface Operations {
  operations: Operation[];
}

export interface OwnPassword {
  password: string;
}

export interface OwnPasswordAndCode {
  password: string;
  /** From an authenticator app, or a recovery code. */
  code: string;
}

export interface PasswordChange {
  oldPassword: string;
  newPassword: string;
}

/** A folder as it was. Of folders the size is not kept: sizeBytes is -1. */
export interface Past {
  folder: Node;
  items: Node[];
  nextCursor?: string;
}

export interface Person {
  id: string;
  displayName: string;
}

/** RFC 9457. */
export interface Problem {
  /** urn:holdfast:problem: and the code. */
  type: string;
  /** The kind of problem, in a few words. */
  title: string;
  status: number;
  /** What went wrong here and what to do, for people. */
  detail: string;
  /** A stable word for programs. */
  code: string;
  /** urn:holdfast:request: and the id of the request. */
  instance: string;
  /** Which part of the request is meant. */
  at?: string;
}

export interface Quarantine {
  id: string;
  spaceId: string;
  user: string;
  device: string;
  state: string;
  openedAt: string;
  heldCount: number;
  heldBytes: number;
  batchId?: string;
  decidedBy?: string;
  decidedAt?: string;
}

export interface Quarantines {
  items: Quarantine[];
}

/** Without limitBytes there is no limit. */
export interface Quota {
  usedBytes: number;
  limitBytes?: number;
}

/** Of a user, a space, or a tenant: one of them is named. */
export interface QuotaChange {
  user?: string;
  spaceId?: string;
  /** Which tenant's; the own one without it. Only administrators of the installation can name
   *  another. */
  tenant?: string;
  /** null: no limit. */
  limitBytes: number | null;
}

export interface QuotaRow {
  kind: 'personal' | 'team' | 'tenant';
  /** The owner, the name of a team, or the tenant. */
  subject: string;
  tenant: string;
  spaceId?: string;
  usedBytes: number;
  /** Promised to uploads under way. Missing: not looked up. */
  reservedBytes?: number;
  /** Missing: none of its own. */
  limitBytes?: number;
}

export interface QuotaRows {
  items: QuotaRow[];
  /** False: there are more than one answer tells of. */
  isWhole: boolean;
}

export interface RecoveryCodes {
  /** Each is good once, instead of a code: shown now and never again. */
  codes: string[];
}

/** One for each operation, in their order. */
export interface Results {
  results: ({
    /** As the single request would have answered. */
    status: number;
    node?: Node;
    trashId?: string;
    problem?: Problem;
  })[];
}

export interface Retention {
  kind: 'personal' | 'team' | 'tenant';
  /** The owner, the name of a team, or the tenant. */
  subject: string;
  tenant: string;
  spaceId?: string;
  /** What was set here. */
  rule: {
    /** Days; 0: for ever. */
    keepAllDays?: number;
    /** Days; 0: for ever. */
    keepDailyDays?: number;
    /** Days; 0: for ever. */
    trashKeepDays?: number;
  };
  /** What is in force: the whole past, the last version of each day, the trash. */
  policy: {
    /** Days; 0: for ever. */
    keepAllDays: number;
    /** Days; 0: for ever. */
    keepDailyDays: number;
    /** Days; 0: for ever. */
    trashKeepDays: number;
  };
}

/** Of a user, a space, or a tenant: one of them is named. What is left out stays. */
export interface RetentionChange {
  user?: string;
  spaceId?: string;
  /** Which tenant's; the own one without it. Only administrators of the installation can name
   *  another. */
  tenant?: string;
  /** null: as the tenant or the settings say. */
  keepAllDays?: number | null;
  /** null: as the tenant or the settings say. */
  keepDailyDays?: number | null;
  /** null: as the tenant or the settings say. */
  trashKeepDays?: number | null;
}

export interface Safety {
  /** unknown: it cannot be said at present. */
  verdict: 'good' | 'attention' | 'unknown';
  /** Missing: they are being counted, or are too many for it. */
  files?: number;
  /** What has come or gone since is not in `files`. */
  filesCountedAt?: string;
  sizeBytes: number;
  /** Missing: not known here, for example in an object store. */
  copies?: number;
  kind: 'disks' | 'objects';
  /** Among which copies lie. */
  diskCount?: number;
  /** A second place that gets everything too. Missing: there is none. */
  mirror?: 'in-step' | 'behind' | 'away';
  /** What the server has looked at on each of the last 31 days, in the unit, oldest first; days
   *  without are left out. */
  readDays: DayFigure[];
  everyByteReadSince?: string;
  lastReadAt?: string;
  openProblems?: number;
  verifiersProvedAt?: string;
  /** When a restore was last exercised. Missing: never. */
  lastExerciseAt?: string;
  statements: SafetyStatement[];
}

export interface SafetyStatement {
  code: string;
  tone: 'good' | 'attention' | 'unknown';
  text: string;
}

export interface Search {
  items: Node[];
  /** Entries that this answer looked at. */
  lookedCount: number;
  /** Not all was looked at: go on with this, also when nothing was found so far. */
  nextCursor?: string;
}

/** Codes by time (RFC 6238), asked for at sign-in. */
export interface SecondFactor {
  isOn: boolean;
  since?: string;
  recoveryCodesLeft: number;
}

/** Figures of the last 24 hours at most, minute by minute, or of the last 15 minutes in steps of
 *  10 seconds; since the last start. null: nothing was measured. Latencies are upper bounds, by
 *  the steps of a histogram. */
export interface Series {
  stepMs: number;
  /** The end of each step, oldest first. */
  at: string[];
  requests: (number | null)[];
  errors: (number | null)[];
  p50Ms: (number | null)[];
  p99Ms: (number | null)[];
  storedBytes: (number | null)[];
  loopDelayMs: (number | null)[];
  listeners: (number | null)[];
}

export interface Server {
  version: string;
  name: string;
}

export interface Session {
  user: SignedInUser;
  quota: Quota;
  root: Node;
  server: Server;
}

export interface Setting {
  key: string;
  /** As the file would spell it; of a secret nothing. */
  value: string;
  /** default, file, environment or flag, with its place. */
  source: string;
  isSecret: boolean;
  docs?: string;
}

export interface Settings {
  items: Setting[];
}

export interface Share {
  id: string;
  nodeId: string;
  nodeName: string;
  nodeKind: 'file' | 'folder';
  /** Where whoever asks sees what is shared. Missing: nowhere at present. */
  path?: string;
  kind: 'user' | 'group' | 'link';
  receiver?: Person;
  /** From weak to strong, each may all that those before it may. none: not even see it. viewer:
   *  list and read. uploader: and add. editor: and change, delete and restore. owner: and share. */
  role: 'none' | 'viewer' | 'uploader' | 'editor' | 'owner';
  /** Address of a link. */
  url?: string;
  hasPassword?: boolean;
  expiresAt?: string;
  downloadsMax?: number;
  downloads?: number;
  hideDownload?: boolean;
  fileDrop?: boolean;
  /** What its maker calls it. */
  label?: string;
  /** A word to who receives it. */
  note?: string;
  /** Where a link was sent to. */
  mail?: string;
  /** Of a mail about it. Missing: it was sent, or there is none. */
  mailState?: 'waiting' | 'undeliverable';
  owner?: Person;
  createdAt: string;
  createdBy: Person;
  /** Whoever asks may change and end it. */
  mayChange: boolean;
}

/** What is not named stays as it is. */
export interface ShareChange {
  /** From weak to strong, each may all that those before it may. none: not even see it. viewer:
   *  list and read. uploader: and add. editor: and change, delete and restore. owner: and share. */
  role?: 'none' | 'viewer' | 'uploader' | 'editor' | 'owner';
  /** null: never. */
  expiresAt?: string | null;
  /** What its maker calls it. */
  label?: string;
  /** A word to who receives it. */
  note?: string;
  /** Of a link; "" for none from now on. */
  password?: string;
  /** Of a link; 0 for no limit. */
  downloadsMax?: number;
  /** Of a link: names are shown, bytes are not handed out. */
  hideDownload?: boolean;
  /** Of a link to a folder: files can be left there, and nothing is shown. */
  fileDrop?: boolean;
}

export interface Sharee {
  kind: 'user' | 'group';
  id: string;
  displayName: string;
}

export interface Sharees {
  items: Sharee[];
  /** Links can be sent by mail. */
  canInvite: boolean;
}

export interface Shares {
  items: Share[];
  nextCursor?: string;
}

export interface SignIn {
  user: string;
  password: string;
  /** From an authenticator app, or a recovery code: after a refusal with the code
   *  second-factor-required. */
  code?: string;
}

export interface SignedInUser {
  id: string;
  displayName: string;
  email?: string;
  isAdmin: boolean;
  tenant: string;
}

export interface Storage {
  /** objects: it lies in an object store. */
  kind: 'disks' | 'objects';
  copies?: number;
  diskCount: number;
  /** One copy of everything. */
  storedBytes: number;
  /** With too few copies at present. */
  waitingVolumes: number;
  damagedCount: number;
  refusesWrites?: 'full' | 'failed' | 'closed';
  /** A second place that gets everything too. Missing: there is none. */
  mirror?: {
    lagBlocks: number;
    lagBytes: number;
    /** The second place takes nothing at the moment. */
    isRefusing: boolean;
    comparedAt?: string;
  };
}

export interface TeamMember {
  kind: 'user' | 'group';
  id: string;
  role: 'none' | 'viewer' | 'uploader' | 'editor' | 'owner';
  since: string;
  until?: string;
}

export interface TeamMembers {
  items: TeamMember[];
}

export interface TeamRole {
  role: 'viewer' | 'uploader' | 'editor' | 'owner';
}

export interface TeamSpace {
  id: string;
  tenant: string;
  name: string;
  usedBytes: number;
  /** Missing: none of its own. */
  limitBytes?: number;
  /** Users and groups that are in it. */
  memberCount: number;
  createdAt: string;
}

export interface TeamSpaceChange {
  /** Name of a file or folder: no slash, no NUL, 255 bytes of UTF-8 at most. */
  name: string;
}

export interface TeamSpaces {
  items: TeamSpace[];
  nextCursor?: string;
}

export interface Tenant {
  id: string;
  title: string;
  /** Where and how its files lie: a storage policy. */
  policy: string;
  createdAt?: string;
}

export interface Tenants {
  items: Tenant[];
}

export interface Token {
  id: string;
  label: string;
  scopes: (
    | 'files:read'
    | 'files:write'
    | 'sharing'
    | 'account'
    | 'admin')[];
  createdAt: string;
  lastUsedAt?: string;
  expiresAt?: string;
}

export interface Tokens {
  items: Token[];
}

export interface Transfer {
  from: string;
  to: string;
  /** What the files are found in by the receiver. */
  folderName: string;
  fileCount: number;
  folderCount: number;
  sizeBytes: number;
  /** They come along; at most 1,000 are named. */
  shares: TransferredShare[];
  shareCount: number;
  /** What others share with the account: it stays. */
  receivedCount: number;
  oldVersionCount: number;
  trashCount: number;
  trashBytes: number;
  /** An order like this was cut short; it goes on. */
  isInterrupted: boolean;
  notes: string[];
  /** Why it is refused; none: it may be done. */
  objections: string[];
  etag: string;
  /** False: this is the plan, and nothing was done. */
  isDone: boolean;
  report?: TransferReport;
}

export interface TransferFigures {
  fileCount: number;
  folderCount: number;
  sizeBytes: number;
  shareCount: number;
  linkCount: number;
}

/** To a user or to a team's space: one of them is named. */
export interface TransferOrder {
  toUser?: string;
  toSpaceId?: string;
  /** A path in the tree of whoever asks, with slashes between the names; "/" is the root. */
  folder?: string;
  /** etag of the plan that was looked at: does it, if the plan is still the same. Without it
   *  only the plan is made. */
  planEtag?: string;
}

export interface TransferReport {
  before: TransferFigures;
  after: TransferFigures;
  linksKept: number;
  remainingCount: number;
  /** None: all has arrived as it was. */
  differences: string[];
}

export interface TransferredShare {
  kind: 'user' | 'group' | 'link';
  whom: string;
  role: string;
  path: string;
  until?: string;
  hasPassword: boolean;
}

export interface Trash {
  items: Trashed[];
  nextCursor?: string;
  /** Whoever asks may remove entries for good. */
  mayDrop: boolean;
}

export interface Trashed {
  id: string;
  name: string;
  kind: 'file' | 'folder';
  /** Where it was: in a space of others from the highest folder that may be seen. Missing when
   *  that is not known any more, or not to be told. */
  originalPath?: string;
  deletedAt: string;
  deletedBy: string;
  /** What people call them. */
  deletedByName?: string;
  sizeBytes: number;
}

export interface User {
  id: string;
  tenant: string;
  displayName: string;
  email?: string;
  isAdmin: boolean;
  isDisabled: boolean;
  hasPassword: boolean;
  hasSecondFactor: boolean;
  /** Only of one user, not in lists. */
  groups?: string[];
  createdAt: string;
}

export interface UserChange {
  displayName?: string;
  /** null: none from now on. */
  email?: string | null;
  isAdmin?: boolean;
  /** A disabled account is kept out on all devices; nothing of it is deleted. */
  isDisabled?: boolean;
}

export interface Users {
  items: User[];
  nextCursor?: string;
}

export interface Verifier {
  id: string;
  unit: 'bytes' | 'items';
  /** Everything is to be checked once in this time. */
  cycleMs: number;
  checked: number;
  total: number;
  /** Everything was checked since then. */
  oldestUncheckedAt?: string;
  lastBegunAt?: string;
  lastEndedAt?: string;
  idleReason?: string;
  openDamage: number;
  openNotices: number;
  /** What the server has looked at on each of the last 31 days, in the unit, oldest first; days
   *  without are left out. */
  days: DayFigure[];
}

export interface Verifiers {
  /** False: no verifier has run here yet. */
  hasRun: boolean;
  items: Verifier[];
  /** Open ones, at most 200. */
  findings: Finding[];
  openDamage: number;
  openNotices: number;
  /** When faults that were planted were last all found. */
  provedAt?: string;
}

export interface Version {
  /** Of this file alone. */
  id: string;
  at: string;
  sizeBytes: number;
  by?: string;
  /** What people call them. */
  byName?: string;
  isCurrent: boolean;
}

/** Newest first. */
export interface Versions {
  items: Version[];
}

export interface Webhook {
  id: string;
  url: string;
  label: string;
  createdAt: string;
  /** failing: so many messages were given up one after the other that no more are tried, until
   *  one of them is sent again. */
  state: 'active' | 'failing';
  /** Only what is at or below it is told; "" for all. */
  path: string;
  /** Only these are told; empty for all. */
  kinds: ('added' | 'changed' | 'moved' | 'removed')[];
  pending?: WebhookDelivery;
  /** Given up; the newest 50. */
  dead: WebhookDelivery[];
}

/** One message. */
export interface WebhookDelivery {
  id: string;
  at: string;
  tries: number;
  /** Why the last try failed; "" before the first. */
  trouble: string;
}

export interface Webhooks {
  items: Webhook[];
}
