import { DEFAULT_TENANT, type GroupId, type TenantId, type UserId } from '../../../base/ids.ts';
import {
  closed, groupExists, noSuchGroup, noSuchTenant, noSuchUser, otherTenant, secondFactorOn,
  tenantExists,
  tooManyGroups, tooManyTenants, tooManyTokens, userChanged, userExists,
} from '../../identity-errors.ts';
import {
  GROUPS_PER_USER_MAX, PAST_MEMBERSHIPS_PER_USER_MAX, TENANTS_MAX,
} from '../../identity-store.ts';
import type {
  AddTokenOptions, IdentityStore, TokenDraft, UpdateOptions,
} from '../../identity-store.ts';
import type {
  FlowRecord, GroupRecord, NewUserRecord, SecondFactorDraft, SecondFactorRecord, SetupLinkRecord,
  TenantRecord, TokenKind, TokenRecord, TokenTouch, UserPatch, UserRecord,
} from '../../records.ts';
import type { TurnOnOptions } from '../../second-factor-store.ts';

/** What a file is to the other implementation: several stores may be open on one of these. */
export class MemoryIdentityData {
  readonly tenants = new Map<TenantId, TenantRecord>([[DEFAULT_TENANT, {
    id: DEFAULT_TENANT, title: DEFAULT_TENANT, policy: DEFAULT_TENANT, createdAt: 0,
  }]]);

  readonly users = new Map<UserId, UserRecord>();
  readonly groups = new Map<GroupId, MemoryGroup>();
  /** By user, in the order of their ends. */
  readonly pastMemberships = new Map<UserId, PastMembership[]>();
  readonly tokens = new Map<string, TokenRecord>();
  readonly flows = new Map<string, FlowRecord>();
  readonly secondFactors = new Map<UserId, MemorySecondFactor>();
  setupLink: SetupLinkRecord | undefined;
  mark = 0;
}

interface MemoryGroup extends GroupRecord {
  /** When each one joined. */
  members: Map<UserId, number>;
  isRemoved: boolean;
}

interface MemorySecondFactor extends Omit<SecondFactorRecord, 'recoveryCodesLeft'> {
  recoveryHashes: Set<string>;
}

interface PastMembership {
  group: GroupId;
  joinedAt: number;
  leftAt: number;
}

/** For tests and for trying things out: nothing survives the process. Each method does its work in
 *  one turn of the event loop, so each is a transaction as long as it checks before it changes. */
export class MemoryIdentityStore implements IdentityStore {
  readonly #data: MemoryIdentityData;
  #open = true;

  constructor(data: MemoryIdentityData = new MemoryIdentityData()) {
    this.#data = data;
  }

  changeMark(): number {
    return this.#live('changeMark').mark;
  }

  async addTenant(tenant: TenantRecord): Promise<TenantRecord> {
    const data = this.#live('addTenant');
    if (data.tenants.has(tenant.id)) throw tenantExists(op('addTenant'));
    if (data.tenants.size >= TENANTS_MAX) throw tooManyTenants(op('addTenant'), TENANTS_MAX);
    data.tenants.set(tenant.id, { ...tenant });
    data.mark += 1;
    return { ...tenant };
  }

  async findTenant(id: TenantId): Promise<TenantRecord | undefined> {
    const tenant = this.#live('findTenant').tenants.get(id);
    return tenant && { ...tenant };
  }

  async listTenants(): Promise<TenantRecord[]> {
    return [...this.#live('listTenants').tenants.values()]
      .sort((a, b) => (a.id < b.id ? -1 : 1)).map((tenant) => ({ ...tenant }));
  }

  async addUser(user: NewUserRecord): Promise<UserRecord> {
    return insertUser(this.#live('addUser'), op('addUser'), user);
  }

  async findUser(id: UserId): Promise<UserRecord | undefined> {
    const user = this.#live('findUser').users.get(id);
    return user && { ...user };
  }

  async listUsers(limit: number, after = '', tenant?: TenantId): Promise<UserRecord[]> {
    const users = [...this.#live('listUsers').users.values()]
      .filter((user) => user.id > after && user.tenant === (tenant ?? user.tenant))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    return users.slice(0, limit).map((user) => ({ ...user }));
  }

  async updateUser(id: UserId, patch: UserPatch, options: UpdateOptions = {}): Promise<UserRecord> {
    const data = this.#live('updateUser');
    const user = data.users.get(id);
    if (user === undefined) throw noSuchUser(op('updateUser'));
    const { ifPasswordHash, endSessions = false } = options;
    if (ifPasswordHash !== undefined && user.passwordHash !== ifPasswordHash) {
      throw userChanged(op('updateUser'));
    }
    Object.assign(user, patch);
    if (endSessions) {
      dropWhere(data.tokens, (token) => token.user === id && token.kind === 'session');
      dropWhere(data.flows, (flow) => flow.user === id);
    }
    user.rev += 1;
    data.mark += 1;
    return { ...user };
  }

  async addGroup(group: GroupRecord): Promise<GroupRecord> {
    const data = this.#live('addGroup');
    if (data.groups.has(group.id)) throw groupExists(op('addGroup'));
    checkTenant(data, op('addGroup'), group.tenant);
    data.groups.set(group.id, { ...group, members: new Map(), isRemoved: false });
    data.mark += 1;
    return { ...group };
  }

  async findGroup(id: GroupId): Promise<GroupRecord | undefined> {
    const group = liveGroup(this.#live('findGroup'), id);
    return group && groupOf(group);
  }

  async listGroups(limit: number, after = '', tenant?: TenantId): Promise<GroupRecord[]> {
    const groups = [...this.#live('listGroups').groups.values()]
      .filter((group) => !group.isRemoved && group.id > after
        && group.tenant === (tenant ?? group.tenant))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    return groups.slice(0, limit).map(groupOf);
  }

  async removeGroup(id: GroupId, at: number): Promise<boolean> {
    const data = this.#live('removeGroup');
    const group = liveGroup(data, id);
    if (group === undefined) return false;
    for (const member of [...group.members.keys()]) {
      endMembership(data, group, member, at);
      raiseGroupsRev(data, member);
    }
    group.isRemoved = true;
    data.mark += 1;
    return true;
  }

  async joinGroup(id: GroupId, user: UserId, at: number): Promise<boolean> {
    const data = this.#live('joinGroup');
    const group = liveGroup(data, id);
    if (group === undefined) throw noSuchGroup(op('joinGroup'));
    const member = data.users.get(user);
    if (member === undefined) throw noSuchUser(op('joinGroup'));
    if (member.tenant !== group.tenant) throw otherTenant(op('joinGroup'));
    if (group.members.has(user)) return false;
    if (groupsOf(data, user).length >= GROUPS_PER_USER_MAX) {
      throw tooManyGroups(op('joinGroup'), GROUPS_PER_USER_MAX);
    }
    group.members.set(user, at);
    raiseGroupsRev(data, user);
    return true;
  }

  async leaveGroup(id: GroupId, user: UserId, at: number): Promise<boolean> {
    const data = this.#live('leaveGroup');
    const group = liveGroup(data, id);
    if (group?.members.has(user) !== true) return false;
    endMembership(data, group, user, at);
    raiseGroupsRev(data, user);
    return true;
  }

  async listMembers(id: GroupId, limit: number, after?: UserId): Promise<UserId[]> {
    const members = [...liveGroup(this.#live('listMembers'), id)?.members.keys() ?? []];
    return members.filter((user) => after === undefined || user > after).sort().slice(0, limit);
  }

  async listGroupsOf(user: UserId): Promise<GroupId[]> {
    return groupsOf(this.#live('listGroupsOf'), user);
  }

  async listGroupsAt(user: UserId, at: number): Promise<GroupId[]> {
    const data = this.#live('listGroupsAt');
    const now = [...data.groups.values()]
      .filter(({ members }) => (members.get(user) ?? Number.POSITIVE_INFINITY) <= at)
      .map(({ id }) => id);
    const before = (data.pastMemberships.get(user) ?? [])
      .filter(({ joinedAt, leftAt }) => joinedAt <= at && at < leftAt).map(({ group }) => group);
    return [...new Set([...now, ...before])].sort();
  }

  async addToken(token: TokenRecord, options: AddTokenOptions): Promise<void> {
    insertToken(this.#live('addToken'), op('addToken'), token, options);
  }

  async findToken(kind: TokenKind, hash: string): Promise<TokenRecord | undefined> {
    const token = this.#live('findToken').tokens.get(hash);
    return token?.kind === kind ? { ...token } : undefined;
  }

  async listTokens(user: UserId, kind: TokenKind): Promise<TokenRecord[]> {
    return tokensOf(this.#live('listTokens'), user, kind).map((token) => ({ ...token }));
  }

  async touchTokens(touches: readonly TokenTouch[]): Promise<void> {
    const data = this.#live('touchTokens');
    for (const { hash, usedAt, expiresAt } of touches) {
      const token = data.tokens.get(hash);
      if (token !== undefined) Object.assign(token, { usedAt, expiresAt });
    }
    data.mark += 1;
  }

  async deleteToken(user: UserId, kind: TokenKind, id: string): Promise<boolean> {
    const data = this.#live('deleteToken');
    const token = tokensOf(data, user, kind).find((other) => other.id === id);
    if (token === undefined) return false;
    removeToken(data, token);
    return true;
  }

  async sweep(at: number): Promise<void> {
    const data = this.#live('sweep');
    dropWhere(data.tokens, ({ expiresAt }) => expiresAt !== undefined && expiresAt <= at);
    dropWhere(data.flows, ({ expiresAt }) => expiresAt <= at);
    if (data.setupLink !== undefined && data.setupLink.expiresAt <= at) data.setupLink = undefined;
    data.mark += 1;
  }

  async putSetupLink(link: SetupLinkRecord): Promise<boolean> {
    const data = this.#live('putSetupLink');
    if (hasAdministrator(data)) return false;
    data.setupLink = { ...link };
    data.mark += 1;
    return true;
  }

  async findSetupLink(at: number): Promise<SetupLinkRecord | undefined> {
    const link = this.#live('findSetupLink').setupLink;
    return link !== undefined && link.expiresAt > at ? { ...link } : undefined;
  }

  async redeemSetupLink(
    hash: string, at: number, user: NewUserRecord,
  ): Promise<UserRecord | undefined> {
    const data = this.#live('redeemSetupLink');
    const link = data.setupLink;
    if (link === undefined || link.hash !== hash || link.expiresAt <= at) return undefined;
    if (hasAdministrator(data)) return undefined;
    const added = insertUser(data, op('redeemSetupLink'), user);
    data.setupLink = undefined;
    return added;
  }

  async addFlow(flow: FlowRecord, countMax: number): Promise<void> {
    const data = this.#live('addFlow');
    dropWhere(data.flows, ({ expiresAt }) => expiresAt <= flow.createdAt);
    // A Map keeps the order of insertion, so the first is the oldest.
    for (const pollHash of data.flows.keys()) {
      if (data.flows.size < countMax) break;
      data.flows.delete(pollHash);
    }
    data.flows.set(flow.pollHash, { ...flow });
    data.mark += 1;
  }

  async findFlow(flowHash: string, at: number): Promise<FlowRecord | undefined> {
    const flow = flowBy(this.#live('findFlow'), flowHash, at);
    return flow && { ...flow };
  }

  async grantFlow(flowHash: string, user: UserId, at: number): Promise<boolean> {
    const data = this.#live('grantFlow');
    if (data.users.get(user)?.disabled !== false) throw noSuchUser(op('grantFlow'));
    const flow = flowBy(data, flowHash, at);
    if (flow === undefined || flow.user !== undefined) return false;
    flow.user = user;
    data.mark += 1;
    return true;
  }

  async takeFlow(
    pollHash: string, at: number, { hash, id, countMax }: TokenDraft,
  ): Promise<TokenRecord | undefined> {
    const data = this.#live('takeFlow');
    const flow = data.flows.get(pollHash);
    if (flow?.user === undefined || flow.expiresAt <= at) return undefined;
    const { device, user } = flow;
    const token: TokenRecord = {
      hash, id, kind: 'app-password', user, device,
      createdAt: at, usedAt: undefined, expiresAt: undefined,
    };
    insertToken(data, op('takeFlow'), token, { countMax, whenFull: 'refuse' });
    data.flows.delete(pollHash);
    return token;
  }

  async findSecondFactor(user: UserId): Promise<SecondFactorRecord | undefined> {
    const found = this.#live('findSecondFactor').secondFactors.get(user);
    if (found === undefined) return undefined;
    const { recoveryHashes, ...record } = found;
    return { ...record, recoveryCodesLeft: recoveryHashes.size };
  }

  async putSecondFactorDraft({ user, secret, createdAt: since }: SecondFactorDraft): Promise<void> {
    const data = this.#live('putSecondFactorDraft');
    if (!data.users.has(user)) throw noSuchUser(op('putSecondFactorDraft'));
    if (liveFactor(data, user) !== undefined) throw secondFactorOn(op('putSecondFactorDraft'));
    data.secondFactors.set(user, {
      user, secret, isOn: false, lastStep: 0, since, recoveryHashes: new Set(),
    });
    data.mark += 1;
  }

  async turnOnSecondFactor(user: UserId, options: TurnOnOptions): Promise<boolean> {
    const data = this.#live('turnOnSecondFactor');
    const { secret, step: lastStep, at: since, recoveryHashes, keepSession } = options;
    const draft = data.secondFactors.get(user);
    if (draft?.isOn !== false || draft.secret !== secret) return false;
    data.secondFactors.set(user, {
      user, secret, isOn: true, lastStep, since, recoveryHashes: new Set(recoveryHashes),
    });
    setSecondFactor(data, user, true);
    dropWhere(data.tokens, (token) => (
      token.user === user && token.kind === 'session' && token.id !== keepSession
    ));
    dropWhere(data.flows, (flow) => flow.user === user);
    return true;
  }

  async useCodeStep(user: UserId, step: number): Promise<boolean> {
    const data = this.#live('useCodeStep');
    const factor = liveFactor(data, user);
    if (factor === undefined || factor.lastStep >= step) return false;
    factor.lastStep = step;
    data.mark += 1;
    return true;
  }

  async useRecoveryCode(user: UserId, hash: string): Promise<number | undefined> {
    const data = this.#live('useRecoveryCode');
    const factor = liveFactor(data, user);
    if (factor?.recoveryHashes.delete(hash) !== true) return undefined;
    data.mark += 1;
    return factor.recoveryHashes.size;
  }

  async putRecoveryCodes(user: UserId, hashes: readonly string[]): Promise<boolean> {
    const data = this.#live('putRecoveryCodes');
    const factor = liveFactor(data, user);
    if (factor === undefined) return false;
    factor.recoveryHashes = new Set(hashes);
    data.mark += 1;
    return true;
  }

  async turnOffSecondFactor(user: UserId): Promise<boolean> {
    const data = this.#live('turnOffSecondFactor');
    const wasOn = liveFactor(data, user) !== undefined;
    data.secondFactors.delete(user);
    if (wasOn) setSecondFactor(data, user, false);
    data.mark += 1;
    return wasOn;
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  #live(method: string): MemoryIdentityData {
    if (!this.#open) throw closed(op(method));
    return this.#data;
  }
}

function op(method: string): string {
  return `identity/MemoryIdentityStore.${method}`;
}

function insertUser(data: MemoryIdentityData, opName: string, user: NewUserRecord): UserRecord {
  if (data.users.has(user.id)) throw userExists(opName);
  checkTenant(data, opName, user.tenant);
  data.users.set(user.id, { ...user, rev: 1, groupsRev: 0, hasSecondFactor: false });
  data.mark += 1;
  return { ...user, rev: 1, groupsRev: 0, hasSecondFactor: false };
}

function liveFactor(data: MemoryIdentityData, user: UserId): MemorySecondFactor | undefined {
  const factor = data.secondFactors.get(user);
  return factor?.isOn === true ? factor : undefined;
}

function setSecondFactor(data: MemoryIdentityData, id: UserId, hasSecondFactor: boolean): void {
  const user = data.users.get(id);
  if (user !== undefined) Object.assign(user, { hasSecondFactor, rev: user.rev + 1 });
  data.mark += 1;
}

function liveGroup(data: MemoryIdentityData, id: GroupId): MemoryGroup | undefined {
  const group = data.groups.get(id);
  return group?.isRemoved === false ? group : undefined;
}

function groupOf({ id, tenant, displayName, createdAt }: MemoryGroup): GroupRecord {
  return { id, tenant, displayName, createdAt };
}

function checkTenant(data: MemoryIdentityData, opName: string, tenant: TenantId): void {
  if (!data.tenants.has(tenant)) throw noSuchTenant(opName);
}

/** Those that ended last are kept. */
function endMembership(
  data: MemoryIdentityData, { id: group, members }: MemoryGroup, user: UserId, leftAt: number,
): void {
  const past = data.pastMemberships.get(user) ?? [];
  past.push({ group, joinedAt: members.get(user) ?? 0, leftAt });
  past.sort((a, b) => a.leftAt - b.leftAt);
  data.pastMemberships.set(user, past.slice(-PAST_MEMBERSHIPS_PER_USER_MAX));
  members.delete(user);
}

function groupsOf(data: MemoryIdentityData, user: UserId): GroupId[] {
  return [...data.groups.values()]
    .filter(({ members }) => members.has(user)).map(({ id }) => id).sort();
}

function raiseGroupsRev(data: MemoryIdentityData, id: UserId): void {
  const user = data.users.get(id);
  if (user !== undefined) Object.assign(user, { rev: user.rev + 1, groupsRev: user.groupsRev + 1 });
  data.mark += 1;
}

function insertToken(
  data: MemoryIdentityData, opName: string, token: TokenRecord, options: AddTokenOptions,
): void {
  const user = data.users.get(token.user);
  const { countMax, ifUserRev, whenFull } = options;
  if (user === undefined) throw noSuchUser(opName);
  if (ifUserRev !== undefined && user.rev !== ifUserRev) throw userChanged(opName);
  const others = tokensOf(data, token.user, token.kind);
  const excessCount = others.length + 1 - countMax;
  if (excessCount > 0 && whenFull === 'refuse') throw tooManyTokens(opName, countMax);
  for (const other of others.slice(0, Math.max(0, excessCount))) removeToken(data, other);
  data.tokens.set(token.hash, { ...token });
  data.mark += 1;
}

function tokensOf(data: MemoryIdentityData, user: UserId, kind: TokenKind): TokenRecord[] {
  return [...data.tokens.values()]
    .filter((token) => token.user === user && token.kind === kind)
    .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

function removeToken(data: MemoryIdentityData, token: TokenRecord): void {
  data.tokens.delete(token.hash);
  const user = data.users.get(token.user);
  if (user !== undefined) user.rev += 1;
  data.mark += 1;
}

function flowBy(data: MemoryIdentityData, flowHash: string, at: number): FlowRecord | undefined {
  return [...data.flows.values()].find(
    (flow) => flow.flowHash === flowHash && flow.expiresAt > at,
  );
}

function hasAdministrator(data: MemoryIdentityData): boolean {
  return [...data.users.values()].some(
    (user) => user.admin && !user.disabled && user.passwordHash !== undefined,
  );
}

function dropWhere<K, V>(map: Map<K, V>, test: (value: V) => boolean): void {
  for (const [key, value] of map) if (test(value)) map.delete(key);
}
