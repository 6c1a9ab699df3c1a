import type { GroupId, TenantId, UserId } from '../base/ids.ts';
import type { SecondFactorStore } from './second-factor-store.ts';
import type {
  FlowRecord, GroupRecord, NewUserRecord, SetupLinkRecord, TenantRecord, TokenKind, TokenRecord,
  TokenTouch, UserPatch, UserRecord,
} from './records.ts';

/**
 * An IdentityStore keeps users, hashes of their secrets, and what is under way until somebody
 * signs in. It judges no password and no right: that is done above it.
 *
 * Several processes may have the same data open, for example the server and the command line.
 * Every method may run concurrently, and each is one transaction: it happens as a whole or leaves
 * nothing. A read sees every change whose promise had resolved before, in whichever process.
 *
 * Durability: once a method that writes has resolved, the change survives a power cut.
 * Errors: `busy` when another process holds the data for too long, `full`, `unavailable` (also
 * once closed), `corrupt`; others as listed.
 */
export interface IdentityStore extends SecondFactorStore {
  /** A number that differs from an earlier answer when anything at all may have changed in
   *  between, in this process or another; what another one did may be seen 5 ms late. It is asked
   *  once per request: where the answer is at hand it comes without a promise, mostly in less than
   *  a microsecond; otherwise it costs one question to the database, which requests share that came
   *  before it was asked. @throws as any method; where it answers at once, without rejecting. */
  changeMark(): number | Promise<number>;

  /** DEFAULT_TENANT is there from the beginning, with the policy `default`.
   *  @throws exists; too-large: over TENANTS_MAX. */
  addTenant(tenant: TenantRecord): Promise<TenantRecord>;

  findTenant(id: TenantId): Promise<TenantRecord | undefined>;

  /** Ascending by id; TENANTS_MAX at most. */
  listTenants(): Promise<TenantRecord[]>;

  /** @throws exists; not-found `tenant-missing`. */
  addUser(user: NewUserRecord): Promise<UserRecord>;

  findUser(id: UserId): Promise<UserRecord | undefined>;

  /** Ascending by id (code point), strictly after `after`, at most `limit`; all, or those of one
   *  tenant. */
  listUsers(limit: number, after?: UserId, tenant?: TenantId): Promise<UserRecord[]>;

  /** Applies the patch and raises `rev`; answers the new record.
   *  @throws not-found; precondition: the password is not the one that was expected. */
  updateUser(id: UserId, patch: UserPatch, options?: UpdateOptions): Promise<UserRecord>;

  /** @throws exists: there is one of this id, or was: what was shared with it must not come back
   *  to life for others; not-found `tenant-missing`. */
  addGroup(group: GroupRecord): Promise<GroupRecord>;

  findGroup(id: GroupId): Promise<GroupRecord | undefined>;

  /** As listUsers. */
  listGroups(limit: number, after?: GroupId, tenant?: TenantId): Promise<GroupRecord[]>;

  /** Removes the group and all memberships, and raises `rev` and `groupsRev` of those who were in
   *  it. Answers false when there is none. Its id is never given out again. */
  removeGroup(id: GroupId, at: number): Promise<boolean>;

  /** Raises the user's `rev` and `groupsRev`. Answers false when the user is in it already.
   *  @throws not-found: no such group or user; denied `other-tenant`; too-large: over
   *  GROUPS_PER_USER_MAX. */
  joinGroup(group: GroupId, user: UserId, at: number): Promise<boolean>;

  /** Raises the user's `rev` and `groupsRev`. Answers false when the user was not in it. */
  leaveGroup(group: GroupId, user: UserId, at: number): Promise<boolean>;

  /** Ascending by id, strictly after `after`, at most `limit`. */
  listMembers(group: GroupId, limit: number, after?: UserId): Promise<UserId[]>;

  /** Ascending by id; GROUPS_PER_USER_MAX at most. */
  listGroupsOf(user: UserId): Promise<GroupId[]>;

  /** The groups, removed ones too, that a user had joined by `at` and not yet left; ascending by
   *  id. A membership from before joining was noted counts as one from the beginning. Of those that
   *  have ended the last PAST_MEMBERSHIPS_PER_USER_MAX of each user are kept. */
  listGroupsAt(user: UserId, at: number): Promise<GroupId[]>;

  /** @throws not-found: no such user; precondition: the user's rev is another; too-large: the user
   *  has `countMax` tokens of this kind and none may be dropped. */
  addToken(token: TokenRecord, options: AddTokenOptions): Promise<void>;

  findToken(kind: TokenKind, hash: string): Promise<TokenRecord | undefined>;

  /** Oldest first; of equal age by id. Expired ones that were not swept yet are among them. */
  listTokens(user: UserId, kind: TokenKind): Promise<TokenRecord[]>;

  /** Notes uses. Hashes that are no longer there are passed over. */
  touchTokens(touches: readonly TokenTouch[]): Promise<void>;

  /** Answers whether it was there; raises the user's `rev` if so. */
  deleteToken(user: UserId, kind: TokenKind, id: string): Promise<boolean>;

  /** Forgets tokens, login flows and the setup link that are expired at `at`. */
  sweep(at: number): Promise<void>;

  /** Replaces the setup link. Answers false, and keeps nothing, while an enabled administrator has
   *  a password. */
  putSetupLink(link: SetupLinkRecord): Promise<boolean>;

  findSetupLink(at: number): Promise<SetupLinkRecord | undefined>;

  /** Adds the first administrator and uses the link up. Answers undefined, and changes nothing,
   *  when the link is another, expired, or an enabled administrator has a password.
   *  @throws exists: the link stays usable. */
  redeemSetupLink(hash: string, at: number, user: NewUserRecord): Promise<UserRecord | undefined>;

  /** Adds a flow. Expired ones go first; if `countMax` are still there, the oldest go too. */
  addFlow(flow: FlowRecord, countMax: number): Promise<void>;

  /** A flow that is not expired, by the secret in its address. */
  findFlow(flowHash: string, at: number): Promise<FlowRecord | undefined>;

  /** Answers false when there is no such flow, or it is expired or already granted.
   *  @throws not-found: no such enabled user. */
  grantFlow(flowHash: string, user: UserId, at: number): Promise<boolean>;

  /** Uses up a granted flow: adds an app password for the user and the device, and answers it.
   *  Undefined, and nothing changes, when there is no such flow, it is expired, or not granted.
   *  @throws too-large as `addToken`: the flow stays. */
  takeFlow(pollHash: string, at: number, draft: TokenDraft): Promise<TokenRecord | undefined>;

  /** Calm when called twice. */
  close(): Promise<void>;
}

export interface UpdateOptions {
  /** The patch is refused unless the stored password hash is this one. */
  ifPasswordHash?: string;
  /** Also deletes the user's sessions and the flows the user has granted. */
  endSessions?: boolean;
}

export interface AddTokenOptions {
  countMax: number;
  whenFull: 'refuse' | 'drop-oldest';
  ifUserRev?: number;
}

/** The part of an app password that does not come from the flow. */
export interface TokenDraft {
  hash: string;
  id: string;
  countMax: number;
}

export const USERS_PAGE_MAX = 1000;
export const GROUPS_PER_USER_MAX = 500;
/** Memberships that have ended: about one a week for four years. */
export const PAST_MEMBERSHIPS_PER_USER_MAX = 200;
/** Each has stores of its own, which a server has open all the time. */
export const TENANTS_MAX = 64;
