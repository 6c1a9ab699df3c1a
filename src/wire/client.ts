/** The client of the API, for browsers and for Node. Made by tools/wire-client.ts from the
 *  operations of the server: change those, then run it. */
import { ApiCaller } from './api-caller.ts';
import type { BytesBody, CallOptions } from './api-caller.ts';
import type {
  Access, Account, AccountChange, Activity, Acts, AuditEntries, Batch, Batches, BlocksAsked,
  BlocksCommit, BlocksKnown, BrokenLocks, BrowserSessions, Changes, Children, Collection, Deleted,
  Devices, Diff, DiskOrder, DiskPlan, Disks, Emptied, FirstCode, FolderVerdict, Group, Groups,
  Health, HeldPage, Jobs, LockWish, MadeDevice, MadeToken, ManagedLocks, Members, NewDevice,
  NewFolder, NewGroup, NewPassword, NewRestore, NewSecondFactor, NewShare, NewTeamSpace, NewTenant,
  NewToken, NewUser, NewWebhook, Node, NodeChange, NodeCopy, Operations, OwnPassword,
  OwnPasswordAndCode, PasswordChange, Past, Quarantine, Quarantines, QuotaChange, QuotaRow,
  QuotaRows, RecoveryCodes, Results, Retention, RetentionChange, Safety, Search, SecondFactor,
  Series, Session, Settings, Share, ShareChange, Sharees, Shares, SignIn, Storage, TeamMembers,
  TeamRole, TeamSpace, TeamSpaceChange, TeamSpaces, Tenant, Tenants, Tokens, Transfer,
  TransferOrder, Trash, User, UserChange, Users, Verifiers, Versions, Webhook, Webhooks,
} from './client-schema.ts';

export { ApiProblem } from './api-caller.ts';
export type { ApiOptions, BytesBody, CallOptions } from './api-caller.ts';
export type {
  Access, AccessReason, Account, AccountChange, Act, Activity, Acts, AuditEntries, AuditEntry,
  Batch, Batches, BlocksAsked, BlocksCommit, BlocksKnown, BrokenLocks, BrowserSession,
  BrowserSessions, Census, Change, ChangedNode, Changes, Children, Collection, DayFigure, Deleted,
  Device, Devices, Diff, Difference, Disk, DiskOrder, DiskPlan, Disks, Emptied, Finding, FirstCode,
  FolderVerdict, Group, Groups, Health, Held, HeldPage, Job, Jobs, Lock, LockWish, MadeDevice,
  MadeToken, ManagedLock, ManagedLocks, May, Members, NewDevice, NewFolder, NewGroup, NewPassword,
  NewRestore, NewSecondFactor, NewShare, NewTeamSpace, NewTenant, NewToken, NewUser, NewWebhook,
  Node, NodeChange, NodeCopy, Operation, Operations, OwnPassword, OwnPasswordAndCode,
  PasswordChange, Past, Person, Problem, Quarantine, Quarantines, Quota, QuotaChange, QuotaRow,
  QuotaRows, RecoveryCodes, Results, Retention, RetentionChange, Safety, SafetyStatement, Search,
  SecondFactor, Series, Server, Session, Setting, Settings, Share, ShareChange, Sharee, Sharees,
  Shares, SignIn, SignedInUser, Storage, TeamMember, TeamMembers, TeamRole, TeamSpace,
  TeamSpaceChange, TeamSpaces, Tenant, Tenants, Token, Tokens, Transfer, TransferFigures,
  TransferOrder, TransferReport, TransferredShare, Trash, Trashed, User, UserChange, Users,
  Verifier, Verifiers, Version, Versions, Webhook, WebhookDelivery, Webhooks,
} from './client-schema.ts';

/** Every operation of the API is a method of the same name. */
export class ApiClient extends ApiCaller {
  /** Who is signed in, the quota, and the root of the own files */
  getSession(
    options: CallOptions = {},
  ): Promise<Session> {
    return this.call({
      method: 'GET', path: '/api/v1/session',
    }, {}, options);
  }

  /** Begin a session: sets the cookie. For pages of this server. Programs use tokens. Where a
   *  second step is on, the password alone is refused with the code second-factor-required: ask
   *  for a code, and send all of it again. */
  signIn(
    args: { body: SignIn }, options: CallOptions = {},
  ): Promise<Session> {
    return this.call({
      method: 'POST', path: '/api/v1/session',
    }, args, options);
  }

  /** End the session of the cookie */
  signOut(
    options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'DELETE', path: '/api/v1/session',
    }, {}, options);
  }

  /** The file or folder at a path */
  getNodeByPath(
    args: { path: string }, options: CallOptions = {},
  ): Promise<Node> {
    return this.call({
      method: 'GET', path: '/api/v1/nodes/by-path',
      query: ['path'],
    }, args, options);
  }

  /** A file or folder by its id. The id stays with it through renames, moves and new content. */
  getNode(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Node> {
    return this.call({
      method: 'GET', path: '/api/v1/nodes/{id}',
    }, args, options);
  }

  /** Rename, move, set the time, or mark as a favorite */
  changeNode(
    args: { id: string; body: NodeChange }, options: CallOptions = {},
  ): Promise<Node> {
    return this.call({
      method: 'PATCH', path: '/api/v1/nodes/{id}',
    }, args, options);
  }

  /** Move to the trash, with all below it */
  deleteNode(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Deleted> {
    return this.call({
      method: 'DELETE', path: '/api/v1/nodes/{id}',
    }, args, options);
  }

  /** Copy into a folder, with all below it */
  copyNode(
    args: { id: string; body: NodeCopy }, options: CallOptions = {},
  ): Promise<Node> {
    return this.call({
      method: 'POST', path: '/api/v1/nodes/{id}/copy',
    }, args, options);
  }

  /** What is in a folder. Each page is of one moment, all of them together are not: what is
   *  added or renamed meanwhile may be missing. By name the cost is that of one page, however
   *  large the folder. */
  listChildren(
    args: {
      id: string;
      cursor?: string;
      limit?: number;
      sort?: 'name' | 'modified' | 'size';
      order?: 'asc' | 'desc';
    }, options: CallOptions = {},
  ): Promise<Children> {
    return this.call({
      method: 'GET', path: '/api/v1/nodes/{id}/children',
      query: ['cursor', 'limit', 'sort', 'order'],
    }, args, options);
  }

  /** A new folder in a folder */
  makeFolder(
    args: { id: string; body: NewFolder }, options: CallOptions = {},
  ): Promise<Node> {
    return this.call({
      method: 'POST', path: '/api/v1/nodes/{id}/children',
    }, args, options);
  }

  /** Files and folders by words in their names. An answer comes after 20000 entries at the
   *  latest, with nextCursor to go on. What others share is searched too; what is moved
   *  meanwhile may be missed. */
  search(
    args: {
      query: string;
      folderId?: string;
      cursor?: string;
      limit?: number;
    }, options: CallOptions = {},
  ): Promise<Search> {
    return this.call({
      method: 'GET', path: '/api/v1/search',
      query: ['query', 'folderId', 'cursor', 'limit'],
    }, args, options);
  }

  /** The bytes of a file */
  readContent(
    args: { id: string; disposition?: 'inline' | 'attachment' }, options: CallOptions = {},
  ): Promise<Response> {
    return this.call({
      method: 'GET', path: '/api/v1/nodes/{id}/content',
      query: ['disposition'],
      answer: 'response',
    }, args, options);
  }

  /** New content for a file. The content before is kept as a version. The answer comes when the
   *  bytes survive a power cut; nothing of a request that fails becomes visible. */
  replaceContent(
    args: { id: string; modifiedAt?: string; body: BytesBody }, options: CallOptions = {},
  ): Promise<Node> {
    return this.call({
      method: 'PUT', path: '/api/v1/nodes/{id}/content',
      query: ['modifiedAt'],
    }, args, options);
  }

  /** A file in a folder: a new one, or new content for the one with this name */
  putFile(
    args: {
      id: string;
      name: string;
      modifiedAt?: string;
      body: BytesBody;
    }, options: CallOptions = {},
  ): Promise<Node> {
    return this.call({
      method: 'PUT', path: '/api/v1/nodes/{id}/children/{name}/content',
      query: ['modifiedAt'],
    }, args, options);
  }

  /** Move, copy, delete, make folders, and bring back, many at once. One after the other, in
   *  their order, each for itself: one that is refused keeps none of the others from being done. */
  runBatch(
    args: { body: Operations }, options: CallOptions = {},
  ): Promise<Results> {
    return this.call({
      method: 'POST', path: '/api/v1/batch',
    }, args, options);
  }

  /** The contents that a file has and had */
  listVersions(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Versions> {
    return this.call({
      method: 'GET', path: '/api/v1/nodes/{id}/versions',
    }, args, options);
  }

  /** The bytes of one version */
  readVersion(
    args: {
      id: string;
      version: string;
      disposition?: 'inline' | 'attachment';
    }, options: CallOptions = {},
  ): Promise<Response> {
    return this.call({
      method: 'GET', path: '/api/v1/nodes/{id}/versions/{version}/content',
      query: ['disposition'],
      answer: 'response',
    }, args, options);
  }

  /** Make a version the content again. What is the content now becomes a version. */
  restoreVersion(
    args: { id: string; version: string }, options: CallOptions = {},
  ): Promise<Node> {
    return this.call({
      method: 'POST', path: '/api/v1/nodes/{id}/versions/{version}/restore',
    }, args, options);
  }

  /** The trash of the own space or of another one, newest first */
  listTrash(
    args: { spaceId?: string; cursor?: string; limit?: number } = {}, options: CallOptions = {},
  ): Promise<Trash> {
    return this.call({
      method: 'GET', path: '/api/v1/trash',
      query: ['spaceId', 'cursor', 'limit'],
    }, args, options);
  }

  /** Remove all of it for good, where whoever asks may */
  emptyTrash(
    args: { spaceId?: string } = {}, options: CallOptions = {},
  ): Promise<Emptied> {
    return this.call({
      method: 'DELETE', path: '/api/v1/trash',
      query: ['spaceId'],
    }, args, options);
  }

  /** Bring something back to where it was. Where that folder is gone, to the nearest one above
   *  it; a name that is taken gets the day added. */
  restoreTrashed(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Node> {
    return this.call({
      method: 'POST', path: '/api/v1/trash/{id}/restore',
    }, args, options);
  }

  /** Remove one entry for good */
  dropTrashed(
    args: { id: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'DELETE', path: '/api/v1/trash/{id}',
    }, args, options);
  }

  /** A folder as it was. Of a file, the file alone. The cost of a page grows with what comes
   *  before it. */
  listPast(
    args: {
      path: string;
      at: string;
      cursor?: string;
      limit?: number;
    }, options: CallOptions = {},
  ): Promise<Past> {
    return this.call({
      method: 'GET', path: '/api/v1/past/nodes',
      query: ['path', 'at', 'cursor', 'limit'],
    }, args, options);
  }

  /** The bytes of a file as it was */
  readPast(
    args: {
      path: string;
      at: string;
      disposition?: 'inline' | 'attachment';
    }, options: CallOptions = {},
  ): Promise<Response> {
    return this.call({
      method: 'GET', path: '/api/v1/past/content',
      query: ['path', 'at', 'disposition'],
      answer: 'response',
    }, args, options);
  }

  /** How much happened when, at and below a folder */
  readActivity(
    args: {
      id: string;
      from?: string;
      to?: string;
      buckets?: number;
    }, options: CallOptions = {},
  ): Promise<Activity> {
    return this.call({
      method: 'GET', path: '/api/v1/nodes/{id}/activity',
      query: ['from', 'to', 'buckets'],
    }, args, options);
  }

  /** What differs between two moments, at and below a node. A page may be short, or even empty,
   *  and not be the last. */
  diffNode(
    args: {
      id: string;
      from: string;
      to?: string;
      cursor?: string;
      limit?: number;
    }, options: CallOptions = {},
  ): Promise<Diff> {
    return this.call({
      method: 'GET', path: '/api/v1/nodes/{id}/diff',
      query: ['from', 'to', 'cursor', 'limit'],
    }, args, options);
  }

  /** Bring a file, a folder or all files back to a moment. Goes on after the answer, and after a
   *  crash. Nothing is lost by it: it can be undone as a whole. */
  restorePast(
    args: { body: NewRestore }, options: CallOptions = {},
  ): Promise<Batch> {
    return this.call({
      method: 'POST', path: '/api/v1/restores',
    }, args, options);
  }

  /** The latest restores of the own space */
  listBatches(
    options: CallOptions = {},
  ): Promise<Batches> {
    return this.call({
      method: 'GET', path: '/api/v1/batches',
    }, {}, options);
  }

  /** How far a restore has come */
  getBatch(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Batch> {
    return this.call({
      method: 'GET', path: '/api/v1/batches/{id}',
    }, args, options);
  }

  /** Take a restore back */
  undoBatch(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Batch> {
    return this.call({
      method: 'POST', path: '/api/v1/batches/{id}/undo',
    }, args, options);
  }

  /** What happened lately that whoever asks can see now, newest first. In the own space, and in
   *  all that others share since it came into the own tree. A page may be short, or even empty,
   *  and not be the last. */
  listActivity(
    args: {
      nodeId?: string;
      only?: 'conflict-copies';
      cursor?: string;
      limit?: number;
    } = {}, options: CallOptions = {},
  ): Promise<Acts> {
    return this.call({
      method: 'GET', path: '/api/v1/activity',
      query: ['nodeId', 'only', 'cursor', 'limit'],
    }, args, options);
  }

  /** Lock a file, or keep it locked for longer. All programs of whoever locks it work on; others
   *  can read, and not change it. */
  lockFile(
    args: { id: string; body: LockWish }, options: CallOptions = {},
  ): Promise<Node> {
    return this.call({
      method: 'PUT', path: '/api/v1/nodes/{id}/lock',
    }, args, options);
  }

  /** End the own lock of a file. Who owns the file, and administrators, can end those of others. */
  unlockFile(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Node> {
    return this.call({
      method: 'DELETE', path: '/api/v1/nodes/{id}/lock',
    }, args, options);
  }

  /** A folder as a zip. Nothing is compressed, so its length is known from the start and a
   *  broken download goes on with Range and If-Range. Of one ETag it is the same byte for byte. */
  readZip(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Response> {
    return this.call({
      method: 'GET', path: '/api/v1/nodes/{id}/zip',
      answer: 'response',
    }, args, options);
  }

  /** Count a folder, and make a digest to compare it with another copy by. It takes as long as
   *  reading what is not known yet. */
  verifyFolder(
    args: { id: string; bytes?: 'known' | 'read' }, options: CallOptions = {},
  ): Promise<FolderVerdict> {
    return this.call({
      method: 'GET', path: '/api/v1/nodes/{id}/verify',
      query: ['bytes'],
    }, args, options);
  }

  /** What is shared at a file or folder itself */
  listNodeShares(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Shares> {
    return this.call({
      method: 'GET', path: '/api/v1/nodes/{id}/shares',
    }, args, options);
  }

  /** Share with a user, a group, or by a link. A user or group that has a share there already
   *  gets that one changed; a link is always a new one. */
  shareNode(
    args: { id: string; body: NewShare }, options: CallOptions = {},
  ): Promise<Share> {
    return this.call({
      method: 'POST', path: '/api/v1/nodes/{id}/shares',
    }, args, options);
  }

  /** Who can see this, and why */
  explainAccess(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Access> {
    return this.call({
      method: 'GET', path: '/api/v1/nodes/{id}/access',
    }, args, options);
  }

  /** What is shared by whoever asks, or with them */
  listShares(
    args: {
      direction: 'by-me' | 'with-me';
      cursor?: string;
      limit?: number;
    }, options: CallOptions = {},
  ): Promise<Shares> {
    return this.call({
      method: 'GET', path: '/api/v1/shares',
      query: ['direction', 'cursor', 'limit'],
    }, args, options);
  }

  /** One share */
  getShare(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Share> {
    return this.call({
      method: 'GET', path: '/api/v1/shares/{id}',
    }, args, options);
  }

  /** Change what is named, and leave the rest */
  changeShare(
    args: { id: string; body: ShareChange }, options: CallOptions = {},
  ): Promise<Share> {
    return this.call({
      method: 'PATCH', path: '/api/v1/shares/{id}',
    }, args, options);
  }

  /** End a share; who received it takes it out of the own folders */
  endShare(
    args: { id: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'DELETE', path: '/api/v1/shares/{id}',
    }, args, options);
  }

  /** Send the mail about a share once more */
  sendShareMail(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Share> {
    return this.call({
      method: 'POST', path: '/api/v1/shares/{id}/mail',
    }, args, options);
  }

  /** People and groups to share with, by the beginning of a word of the name */
  findSharees(
    args: { query: string; limit?: number }, options: CallOptions = {},
  ): Promise<Sharees> {
    return this.call({
      method: 'GET', path: '/api/v1/sharees',
      query: ['query', 'limit'],
    }, args, options);
  }

  /** The own account */
  getAccount(
    options: CallOptions = {},
  ): Promise<Account> {
    return this.call({
      method: 'GET', path: '/api/v1/account',
    }, {}, options);
  }

  /** Change the name that others see */
  changeAccount(
    args: { body: AccountChange }, options: CallOptions = {},
  ): Promise<Account> {
    return this.call({
      method: 'PATCH', path: '/api/v1/account',
    }, args, options);
  }

  /** Change the own password: ends all sessions, and begins a new one for who asks by one. The
   *  old one is needed, whoever is signed in. App passwords and tokens stay. */
  changePassword(
    args: { body: PasswordChange }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'PUT', path: '/api/v1/account/password',
    }, args, options);
  }

  /** Whether signing in takes a second step */
  getSecondFactor(
    options: CallOptions = {},
  ): Promise<SecondFactor> {
    return this.call({
      method: 'GET', path: '/api/v1/account/second-factor',
    }, {}, options);
  }

  /** Begin to set a second step up: answers a secret for an authenticator app. Nothing asks for
   *  codes until one was shown, within the hour. */
  beginSecondFactor(
    args: { body: OwnPassword }, options: CallOptions = {},
  ): Promise<NewSecondFactor> {
    return this.call({
      method: 'POST', path: '/api/v1/account/second-factor',
    }, args, options);
  }

  /** Turn the second step on, by a first code: the password alone signs in nowhere then. Other
   *  sessions end. App passwords and tokens stay. */
  turnOnSecondFactor(
    args: { body: FirstCode }, options: CallOptions = {},
  ): Promise<RecoveryCodes> {
    return this.call({
      method: 'POST', path: '/api/v1/account/second-factor/confirmation',
    }, args, options);
  }

  /** Make new recovery codes; those made before are void */
  renewRecoveryCodes(
    args: { body: OwnPasswordAndCode }, options: CallOptions = {},
  ): Promise<RecoveryCodes> {
    return this.call({
      method: 'POST', path: '/api/v1/account/second-factor/recovery-codes',
    }, args, options);
  }

  /** Turn the second step off: the password alone signs in again */
  turnOffSecondFactor(
    args: { body: OwnPasswordAndCode }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'POST', path: '/api/v1/account/second-factor/end',
    }, args, options);
  }

  /** The own tokens of this interface */
  listTokens(
    options: CallOptions = {},
  ): Promise<Tokens> {
    return this.call({
      method: 'GET', path: '/api/v1/tokens',
    }, {}, options);
  }

  /** Make a token for a program. Only who has signed in with the own password can, not a device
   *  or a token. */
  makeToken(
    args: { body: NewToken }, options: CallOptions = {},
  ): Promise<MadeToken> {
    return this.call({
      method: 'POST', path: '/api/v1/tokens',
    }, args, options);
  }

  /** End a token */
  revokeToken(
    args: { id: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'DELETE', path: '/api/v1/tokens/{id}',
    }, args, options);
  }

  /** Devices that sign in with passwords of their own */
  listDevices(
    options: CallOptions = {},
  ): Promise<Devices> {
    return this.call({
      method: 'GET', path: '/api/v1/devices',
    }, {}, options);
  }

  /** Make an app password for a device. Only who has signed in with the own password can, not a
   *  device or a token. */
  connectDevice(
    args: { body: NewDevice }, options: CallOptions = {},
  ): Promise<MadeDevice> {
    return this.call({
      method: 'POST', path: '/api/v1/devices',
    }, args, options);
  }

  /** Shut a device out */
  disconnectDevice(
    args: { id: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'DELETE', path: '/api/v1/devices/{id}',
    }, args, options);
  }

  /** Browsers that are signed in */
  listSessions(
    options: CallOptions = {},
  ): Promise<BrowserSessions> {
    return this.call({
      method: 'GET', path: '/api/v1/sessions',
    }, {}, options);
  }

  /** Sign all other browsers out */
  endOtherSessions(
    options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'DELETE', path: '/api/v1/sessions',
    }, {}, options);
  }

  /** Sign a browser out */
  endSession(
    args: { id: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'DELETE', path: '/api/v1/sessions/{id}',
    }, args, options);
  }

  /** Is my data safe? In words that are true */
  getSafety(
    options: CallOptions = {},
  ): Promise<Safety> {
    return this.call({
      method: 'GET', path: '/api/v1/safety',
    }, {}, options);
  }

  /** Accounts of a tenant, by id */
  listUsers(
    args: {
      tenant?: string;
      cursor?: string;
      limit?: number;
      search?: string;
    } = {}, options: CallOptions = {},
  ): Promise<Users> {
    return this.call({
      method: 'GET', path: '/api/v1/users',
      query: ['tenant', 'cursor', 'limit', 'search'],
    }, args, options);
  }

  /** Make an account */
  addUser(
    args: { body: NewUser }, options: CallOptions = {},
  ): Promise<User> {
    return this.call({
      method: 'POST', path: '/api/v1/users',
    }, args, options);
  }

  /** One account */
  getUser(
    args: { id: string }, options: CallOptions = {},
  ): Promise<User> {
    return this.call({
      method: 'GET', path: '/api/v1/users/{id}',
    }, args, options);
  }

  /** Change an account */
  changeUser(
    args: { id: string; body: UserChange }, options: CallOptions = {},
  ): Promise<User> {
    return this.call({
      method: 'PATCH', path: '/api/v1/users/{id}',
    }, args, options);
  }

  /** Set a password: ends all sessions of the account. App passwords and tokens stay: disable
   *  the account to shut everything out. */
  setUserPassword(
    args: { id: string; body: NewPassword }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'PUT', path: '/api/v1/users/{id}/password',
    }, args, options);
  }

  /** Turn the second step of signing in off, for who has lost phone and recovery codes. One's
   *  own takes the password and a code: see /account/second-factor. */
  resetUserSecondFactor(
    args: { id: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'DELETE', path: '/api/v1/users/{id}/second-factor',
    }, args, options);
  }

  /** Groups of a tenant, by id */
  listGroups(
    args: { tenant?: string; cursor?: string; limit?: number } = {}, options: CallOptions = {},
  ): Promise<Groups> {
    return this.call({
      method: 'GET', path: '/api/v1/groups',
      query: ['tenant', 'cursor', 'limit'],
    }, args, options);
  }

  /** Make a group, to share with */
  addGroup(
    args: { body: NewGroup }, options: CallOptions = {},
  ): Promise<Group> {
    return this.call({
      method: 'POST', path: '/api/v1/groups',
    }, args, options);
  }

  /** Remove a group: what was shared with it is out of its members' reach */
  removeGroup(
    args: { id: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'DELETE', path: '/api/v1/groups/{id}',
    }, args, options);
  }

  /** Who is in a group */
  listMembers(
    args: { id: string; cursor?: string; limit?: number }, options: CallOptions = {},
  ): Promise<Members> {
    return this.call({
      method: 'GET', path: '/api/v1/groups/{id}/members',
      query: ['cursor', 'limit'],
    }, args, options);
  }

  /** Take an account into a group */
  addMember(
    args: { id: string; user: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'PUT', path: '/api/v1/groups/{id}/members/{user}',
    }, args, options);
  }

  /** Take an account out of a group */
  removeMember(
    args: { id: string; user: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'DELETE', path: '/api/v1/groups/{id}/members/{user}',
    }, args, options);
  }

  /** Tenants that whoever asks administers */
  listTenants(
    options: CallOptions = {},
  ): Promise<Tenants> {
    return this.call({
      method: 'GET', path: '/api/v1/tenants',
    }, {}, options);
  }

  /** Make a tenant: users, files and storage apart from all others */
  addTenant(
    args: { body: NewTenant }, options: CallOptions = {},
  ): Promise<Tenant> {
    return this.call({
      method: 'POST', path: '/api/v1/tenants',
    }, args, options);
  }

  /** How much is used and may be used, by space and of a tenant */
  listQuotas(
    args: { tenant?: string } = {}, options: CallOptions = {},
  ): Promise<QuotaRows> {
    return this.call({
      method: 'GET', path: '/api/v1/quotas',
      query: ['tenant'],
    }, args, options);
  }

  /** Say how much a user, a space or a tenant may store. In force at once; what is stored
   *  already stays. Only administrators of the installation can limit a tenant. */
  setQuota(
    args: { body: QuotaChange }, options: CallOptions = {},
  ): Promise<QuotaRow> {
    return this.call({
      method: 'PUT', path: '/api/v1/quotas',
    }, args, options);
  }

  /** Disks, and copies that are being made anew */
  listDisks(
    args: { tenant?: string } = {}, options: CallOptions = {},
  ): Promise<Disks> {
    return this.call({
      method: 'GET', path: '/api/v1/disks',
      query: ['tenant'],
    }, args, options);
  }

  /** Where the files of a tenant lie, and how often */
  getStorage(
    args: { tenant?: string } = {}, options: CallOptions = {},
  ): Promise<Storage> {
    return this.call({
      method: 'GET', path: '/api/v1/storage',
      query: ['tenant'],
    }, args, options);
  }

  /** Plan, then do: empty a disk, keep it after all, or let it go. First without planEtag: it
   *  answers the plan. Then with the etag of that plan, and it is done unless something has
   *  changed. */
  changeDisk(
    args: { id: string; body: DiskOrder }, options: CallOptions = {},
  ): Promise<DiskPlan> {
    return this.call({
      method: 'POST', path: '/api/v1/disks/{id}',
    }, args, options);
  }

  /** What was checked of a tenant's storage, how long ago, and what was found */
  listVerifiers(
    args: { tenant?: string } = {}, options: CallOptions = {},
  ): Promise<Verifiers> {
    return this.call({
      method: 'GET', path: '/api/v1/verifiers',
      query: ['tenant'],
    }, args, options);
  }

  /** What goes on in the background, and what went on lately */
  listJobs(
    args: { tenant?: string } = {}, options: CallOptions = {},
  ): Promise<Jobs> {
    return this.call({
      method: 'GET', path: '/api/v1/jobs',
      query: ['tenant'],
    }, args, options);
  }

  /** The settings in force and where each comes from; of secrets nothing */
  listSettings(
    options: CallOptions = {},
  ): Promise<Settings> {
    return this.call({
      method: 'GET', path: '/api/v1/configuration',
    }, {}, options);
  }

  /** How the server is */
  getHealth(
    options: CallOptions = {},
  ): Promise<Health> {
    return this.call({
      method: 'GET', path: '/api/v1/health',
    }, {}, options);
  }

  /** Figures of the last 24 hours or of the last minutes, for plots */
  getSeries(
    args: { range?: 'day' | 'live' } = {}, options: CallOptions = {},
  ): Promise<Series> {
    return this.call({
      method: 'GET', path: '/api/v1/series',
      query: ['range'],
    }, args, options);
  }

  /** Who did what in a tenant, newest first */
  listAudit(
    args: {
      tenant?: string;
      cursor?: string;
      limit?: number;
      user?: string;
      act?: string;
      since?: string;
      until?: string;
    } = {}, options: CallOptions = {},
  ): Promise<AuditEntries> {
    return this.call({
      method: 'GET', path: '/api/v1/audit',
      query: ['tenant', 'cursor', 'limit', 'user', 'act', 'since', 'until'],
    }, args, options);
  }

  /** What is held of devices, and waits for a decision of whoever asks */
  listQuarantines(
    options: CallOptions = {},
  ): Promise<Quarantines> {
    return this.call({
      method: 'GET', path: '/api/v1/quarantines',
    }, {}, options);
  }

  /** What is held */
  listHeld(
    args: { id: string; cursor?: string; limit?: number }, options: CallOptions = {},
  ): Promise<HeldPage> {
    return this.call({
      method: 'GET', path: '/api/v1/quarantines/{id}/held',
      query: ['cursor', 'limit'],
    }, args, options);
  }

  /** What the device has deleted and overwritten holds for all */
  keepHeld(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Quarantine> {
    return this.call({
      method: 'POST', path: '/api/v1/quarantines/{id}/keep',
    }, args, options);
  }

  /** The device gets its files back */
  undoHeld(
    args: { id: string }, options: CallOptions = {},
  ): Promise<Quarantine> {
    return this.call({
      method: 'POST', path: '/api/v1/quarantines/{id}/undo',
    }, args, options);
  }

  /** All locks in the own tenant */
  listLocks(
    options: CallOptions = {},
  ): Promise<ManagedLocks> {
    return this.call({
      method: 'GET', path: '/api/v1/locks',
    }, {}, options);
  }

  /** End all locks at a file or folder, whoever holds them */
  breakLocks(
    args: { id: string }, options: CallOptions = {},
  ): Promise<BrokenLocks> {
    return this.call({
      method: 'DELETE', path: '/api/v1/locks/{id}',
    }, args, options);
  }

  /** Spaces of teams, by id */
  listSpaces(
    args: { tenant?: string; cursor?: string; limit?: number } = {}, options: CallOptions = {},
  ): Promise<TeamSpaces> {
    return this.call({
      method: 'GET', path: '/api/v1/spaces',
      query: ['tenant', 'cursor', 'limit'],
    }, args, options);
  }

  /** Make a space that belongs to a team */
  makeSpace(
    args: { body: NewTeamSpace }, options: CallOptions = {},
  ): Promise<TeamSpace> {
    return this.call({
      method: 'POST', path: '/api/v1/spaces',
    }, args, options);
  }

  /** One space of a team */
  getSpace(
    args: { id: string }, options: CallOptions = {},
  ): Promise<TeamSpace> {
    return this.call({
      method: 'GET', path: '/api/v1/spaces/{id}',
    }, args, options);
  }

  /** Rename a space of a team: for whoever joins from now on */
  changeSpace(
    args: { id: string; body: TeamSpaceChange }, options: CallOptions = {},
  ): Promise<TeamSpace> {
    return this.call({
      method: 'PATCH', path: '/api/v1/spaces/{id}',
    }, args, options);
  }

  /** Who is in a team, and as what */
  listSpaceMembers(
    args: { id: string }, options: CallOptions = {},
  ): Promise<TeamMembers> {
    return this.call({
      method: 'GET', path: '/api/v1/spaces/{id}/members',
    }, args, options);
  }

  /** Take somebody into a team, or give them another role */
  setSpaceMember(
    args: {
      id: string;
      kind: 'user' | 'group';
      who: string;
      body: TeamRole;
    }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'PUT', path: '/api/v1/spaces/{id}/members/{kind}/{who}',
    }, args, options);
  }

  /** Take somebody out of a team */
  removeSpaceMember(
    args: { id: string; kind: 'user' | 'group'; who: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'DELETE', path: '/api/v1/spaces/{id}/members/{kind}/{who}',
    }, args, options);
  }

  /** Plan, then do: hand the files of an account over to another one, or to a team. With
   *  folders, times, shares and links, in one step. First without planEtag: it answers the plan.
   *  Then with the etag of that plan, and it is done unless something has changed; the answer
   *  then tells what there was before and after. */
  transferFiles(
    args: { id: string; body: TransferOrder }, options: CallOptions = {},
  ): Promise<Transfer> {
    return this.call({
      method: 'POST', path: '/api/v1/users/{id}/transfer',
    }, args, options);
  }

  /** For how long what is past is kept: of a user, a space or a tenant */
  getRetention(
    args: { user?: string; spaceId?: string; tenant?: string } = {}, options: CallOptions = {},
  ): Promise<Retention> {
    return this.call({
      method: 'GET', path: '/api/v1/retention',
      query: ['user', 'spaceId', 'tenant'],
    }, args, options);
  }

  /** Say for how long what is past is kept. What a shorter time lets go is forgotten within an
   *  hour or so, and does not come back. A rule of a space comes before that of its tenant, and
   *  that before the settings. */
  setRetention(
    args: { body: RetentionChange }, options: CallOptions = {},
  ): Promise<Retention> {
    return this.call({
      method: 'PUT', path: '/api/v1/retention',
    }, args, options);
  }

  /** What is garbage, what waits to be given back, and what was */
  getCollection(
    args: { tenant?: string } = {}, options: CallOptions = {},
  ): Promise<Collection> {
    return this.call({
      method: 'GET', path: '/api/v1/collection',
      query: ['tenant'],
    }, args, options);
  }

  /** Collect garbage now, instead of at its time. Nothing is removed sooner than it would be:
   *  what nobody needs waits for two looks a day apart, and then two weeks in the trash. */
  startCollection(
    args: { tenant?: string } = {}, options: CallOptions = {},
  ): Promise<Collection> {
    return this.call({
      method: 'POST', path: '/api/v1/collection',
      query: ['tenant'],
    }, args, options);
  }

  /** What of tus is understood here */
  describeUploads(
    options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'OPTIONS', path: '/api/v1/uploads',
    }, {}, options);
  }

  /** Begin a resumable upload (tus). Upload-Metadata holds parentId and name, and may hold
   *  modifiedAt and onConflict (fail, rename, or replace, the default), each in Base64. Location
   *  is where it goes on. */
  beginUpload(
    args: { body: BytesBody }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'POST', path: '/api/v1/uploads',
    }, args, options);
  }

  /** How far an upload is */
  lookAtUpload(
    args: { id: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'HEAD', path: '/api/v1/uploads/{id}',
    }, args, options);
  }

  /** Go on with an upload; with the last byte the file is there. The body is bytes of the type
   *  application/offset+octet-stream. When it was the last one, Content-Location is the file. */
  continueUpload(
    args: { id: string; body: BytesBody }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'PATCH', path: '/api/v1/uploads/{id}',
    }, args, options);
  }

  /** Give an upload up */
  dropUpload(
    args: { id: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'DELETE', path: '/api/v1/uploads/{id}',
    }, args, options);
  }

  /** Which blocks need not be sent. Of those that lie in files that are named here and may be
   *  read, for which a token needs files:read too, and of those that whoever asks has sent
   *  within a day. Nothing is told of what others have. */
  askForBlocks(
    args: { body: BlocksAsked }, options: CallOptions = {},
  ): Promise<BlocksKnown> {
    return this.call({
      method: 'POST', path: '/api/v1/blocks/have',
    }, args, options);
  }

  /** Send a block, named by the SHA-256 of its bytes */
  sendBlock(
    args: { sha256: string; body: BytesBody }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'PUT', path: '/api/v1/blocks/{sha256}',
    }, args, options);
  }

  /** Make a file of blocks. At most 10000 blocks. One that is missing refuses all, with the code
   *  block-missing: nothing becomes visible then. */
  commitBlocks(
    args: { id: string; name: string; body: BlocksCommit }, options: CallOptions = {},
  ): Promise<Node> {
    return this.call({
      method: 'POST', path: '/api/v1/nodes/{id}/children/{name}/commit',
    }, args, options);
  }

  /** What has changed since a cursor, as soon as there is something. Over all that whoever asks
   *  can see, without gaps; what permission makes appear or disappear comes as additions and
   *  removals. Too many at once: 503, too-many-listeners. */
  listChanges(
    args: { cursor?: string; limit?: number; wait?: number } = {}, options: CallOptions = {},
  ): Promise<Changes> {
    return this.call({
      method: 'GET', path: '/api/v1/changes',
      query: ['cursor', 'limit', 'wait'],
    }, args, options);
  }

  /** The same pages as server-sent events. Events changes and reset hold a page each, their ids
   *  are cursors. bye says why it ends: slow, ending, access-ended or failed. For EventSource of
   *  browsers. */
  streamChanges(
    args: { cursor?: string } = {}, options: CallOptions = {},
  ): Promise<Response> {
    return this.call({
      method: 'GET', path: '/api/v1/changes/stream',
      query: ['cursor'],
      answer: 'response',
    }, args, options);
  }

  /** The own webhooks */
  listWebhooks(
    options: CallOptions = {},
  ): Promise<Webhooks> {
    return this.call({
      method: 'GET', path: '/api/v1/webhooks',
    }, {}, options);
  }

  /** Have changes sent to an address. From now on what changes for whoever asks is sent there,
   *  as by GET /changes. Addresses inside a network are refused unless the operator allows them.
   *  A token needs the scope files:read too. */
  addWebhook(
    args: { body: NewWebhook }, options: CallOptions = {},
  ): Promise<Webhook> {
    return this.call({
      method: 'POST', path: '/api/v1/webhooks',
    }, args, options);
  }

  /** Send nothing more there */
  removeWebhook(
    args: { id: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'DELETE', path: '/api/v1/webhooks/{id}',
    }, args, options);
  }

  /** Send a message again that was given up */
  resendWebhookDelivery(
    args: { id: string; delivery: string }, options: CallOptions = {},
  ): Promise<void> {
    return this.call({
      method: 'POST', path: '/api/v1/webhooks/{id}/deliveries/{delivery}/resend',
    }, args, options);
  }
}
