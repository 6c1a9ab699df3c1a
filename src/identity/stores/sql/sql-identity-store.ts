import type { GroupId, TenantId, UserId } from '../../../base/ids.ts';
import {
  groupExists, noSuchGroup, noSuchUser, otherTenant, tenantExists, tooManyGroups, tooManyTenants,
  userChanged,
} from '../../identity-errors.ts';
import { GROUPS_PER_USER_MAX, TENANTS_MAX } from '../../identity-store.ts';
import type {
  AddTokenOptions, IdentityStore, TokenDraft, UpdateOptions,
} from '../../identity-store.ts';
import type {
  FlowRecord, GroupRecord, NewUserRecord, SecondFactorDraft, SecondFactorRecord, SetupLinkRecord,
  TenantRecord, TokenKind, TokenRecord, TokenTouch, UserPatch, UserRecord,
} from '../../records.ts';
import type { TurnOnOptions } from '../../second-factor-store.ts';
import type { IdentityDatabase } from './identity-database.ts';
import {
  flowFromRow, flowToRow, groupFromRow, setupLinkFromRow, tenantFromRow, tokenFromRow, userFromRow,
  userToRow,
} from './identity-rows.ts';
import { IDENTITY_SQL } from './identity-statements.ts';
import {
  checkTenant, forgetOld, forgetOldOfAll, insertToken, insertUser, removeToken,
} from './identity-work.ts';
import {
  findSecondFactor, putDraft, putRecoveryCodes, turnOff, turnOn, useRecoveryCode,
} from './second-factor-work.ts';
import type { Work } from './statement.ts';

const sql = IDENTITY_SQL;

/** The logic of the identity store on SQL tables, whichever database they are in: see
 *  statement.ts. */
export class SqlIdentityStore implements IdentityStore {
  readonly #database: IdentityDatabase;

  constructor(database: IdentityDatabase) {
    this.#database = database;
  }

  changeMark(): number | Promise<number> {
    return this.#database.changeMark();
  }

  async addTenant(tenant: TenantRecord): Promise<TenantRecord> {
    const { id, title, policy, createdAt } = tenant;
    return this.#write('addTenant', function* (op) {
      if ((yield* sql.findTenant.one(id)) !== undefined) throw tenantExists(op);
      if (((yield* sql.countTenants.one()) ?? 0) >= TENANTS_MAX) {
        throw tooManyTenants(op, TENANTS_MAX);
      }
      yield* sql.addTenant.run(id, title, policy, createdAt);
      return { ...tenant };
    });
  }

  async findTenant(id: TenantId): Promise<TenantRecord | undefined> {
    const row = await this.#read('findTenant', () => sql.findTenant.one(id));
    return row && tenantFromRow(row);
  }

  async listTenants(): Promise<TenantRecord[]> {
    return (await this.#read('listTenants', () => sql.listTenants.all())).map(tenantFromRow);
  }

  async addUser(user: NewUserRecord): Promise<UserRecord> {
    return this.#write('addUser', (op) => insertUser(op, user));
  }

  async findUser(id: UserId): Promise<UserRecord | undefined> {
    const row = await this.#read('findUser', () => sql.findUser.one(id));
    return row && userFromRow(row);
  }

  async listUsers(limit: number, after = '', tenant?: TenantId): Promise<UserRecord[]> {
    const rows = await this.#read('listUsers', () => (tenant === undefined
      ? sql.listUsers.all({ after, limit }) : sql.listUsersOf.all({ tenant, after, limit })));
    return rows.map(userFromRow);
  }

  async updateUser(id: UserId, patch: UserPatch, options: UpdateOptions = {}): Promise<UserRecord> {
    return this.#write('updateUser', function* (op) {
      const row = yield* sql.findUser.one(id);
      if (row === undefined) throw noSuchUser(op);
      const { ifPasswordHash, endSessions = false } = options;
      if (ifPasswordHash !== undefined && row.password_hash !== ifPasswordHash) {
        throw userChanged(op);
      }
      const user = { ...userFromRow(row), ...patch, rev: row.rev + 1 };
      yield* sql.updateUser.run(userToRow(user, user));
      if (endSessions) {
        yield* sql.deleteSessions.run(id);
        yield* sql.deleteFlowsOf.run(id);
      }
      return user;
    });
  }

  async addGroup(group: GroupRecord): Promise<GroupRecord> {
    return this.#write('addGroup', function* (op) {
      if ((yield* sql.findGroup.one(group.id)) !== undefined) throw groupExists(op);
      yield* checkTenant(op, group.tenant);
      yield* sql.addGroup.run(group.id, group.displayName, group.createdAt, group.tenant);
      return { ...group };
    });
  }

  async findGroup(id: GroupId): Promise<GroupRecord | undefined> {
    const row = await this.#read('findGroup', () => sql.findGroup.one(id));
    return row?.is_removed === 0 ? groupFromRow(row) : undefined;
  }

  async listGroups(limit: number, after = '', tenant?: TenantId): Promise<GroupRecord[]> {
    const rows = await this.#read('listGroups', () => (tenant === undefined
      ? sql.listGroups.all({ after, limit }) : sql.listGroupsIn.all({ tenant, after, limit })));
    return rows.map(groupFromRow);
  }

  async removeGroup(id: GroupId, at: number): Promise<boolean> {
    return this.#write('removeGroup', function* () {
      if ((yield* sql.removeGroup.run(id)) === 0) return false;
      const members = yield* sql.listAllMembers.all(id);
      yield* sql.raiseGroupsRev.runMany(members.map(({ user_id: user }) => [user] as const));
      yield* sql.endMemberships.run({ group: id, at });
      yield* forgetOldOfAll(id);
      yield* sql.removeMembers.run(id);
      return true;
    });
  }

  async joinGroup(group: GroupId, user: UserId, at: number): Promise<boolean> {
    return this.#write('joinGroup', function* (op) {
      const ofGroup = yield* sql.findGroup.one(group);
      if (ofGroup?.is_removed !== 0) throw noSuchGroup(op);
      const member = yield* sql.findUser.one(user);
      if (member === undefined) throw noSuchUser(op);
      if (member.tenant !== ofGroup.tenant) throw otherTenant(op);
      if ((yield* sql.isMember.one(group, user)) !== 0) return false;
      if (((yield* sql.countGroupsOf.one(user)) ?? 0) >= GROUPS_PER_USER_MAX) {
        throw tooManyGroups(op, GROUPS_PER_USER_MAX);
      }
      yield* sql.addMember.run(group, user, at);
      yield* sql.raiseGroupsRev.run(user);
      return true;
    });
  }

  async leaveGroup(group: GroupId, user: UserId, at: number): Promise<boolean> {
    return this.#write('leaveGroup', function* () {
      yield* sql.endMembership.run({ group, user, at });
      if ((yield* sql.removeMember.run(group, user)) === 0) return false;
      yield* forgetOld(user);
      yield* sql.raiseGroupsRev.run(user);
      return true;
    });
  }

  async listMembers(group: GroupId, limit: number, after?: UserId): Promise<UserId[]> {
    const rows = await this.#read('listMembers', () =>
      sql.listMembers.all(group, after ?? '', limit));
    return rows.map(({ user_id: id }) => id as UserId);
  }

  async listGroupsOf(user: UserId): Promise<GroupId[]> {
    const rows = await this.#read('listGroupsOf', () => sql.listGroupsOf.all(user));
    return rows.map(({ group_id: id }) => id as GroupId);
  }

  async listGroupsAt(user: UserId, at: number): Promise<GroupId[]> {
    const rows = await this.#read('listGroupsAt', () => sql.listGroupsAt.all({ user, at }));
    return rows.map(({ group_id: id }) => id as GroupId);
  }

  async addToken(token: TokenRecord, options: AddTokenOptions): Promise<void> {
    return this.#write('addToken', (op) => insertToken(op, token, options));
  }

  async findToken(kind: TokenKind, hash: string): Promise<TokenRecord | undefined> {
    const row = await this.#read('findToken', () => sql.findToken.one(hash, kind));
    return row && tokenFromRow(row);
  }

  async listTokens(user: UserId, kind: TokenKind): Promise<TokenRecord[]> {
    const rows = await this.#read('listTokens', () => sql.listTokens.all(user, kind));
    return rows.map(tokenFromRow);
  }

  async touchTokens(touches: readonly TokenTouch[]): Promise<void> {
    return this.#write('touchTokens', () => sql.touchToken.runMany(
      touches.map(({ hash, usedAt, expiresAt }) => [usedAt, expiresAt ?? null, hash] as const)));
  }

  async deleteToken(user: UserId, kind: TokenKind, id: string): Promise<boolean> {
    return this.#write('deleteToken', () => removeToken(user, kind, id));
  }

  async sweep(at: number): Promise<void> {
    return this.#write('sweep', function* () {
      yield* sql.deleteExpiredTokens.run(at);
      yield* sql.deleteExpiredFlows.run(at);
      yield* sql.deleteExpiredLinks.run(at);
    });
  }

  async putSetupLink({ hash, expiresAt }: SetupLinkRecord): Promise<boolean> {
    return this.#write('putSetupLink', function* () {
      if ((yield* sql.countAdministrators.one()) !== 0) return false;
      yield* sql.deleteSetupLinks.run();
      yield* sql.addSetupLink.run(hash, expiresAt);
      return true;
    });
  }

  async findSetupLink(at: number): Promise<SetupLinkRecord | undefined> {
    const row = await this.#read('findSetupLink', () => sql.findSetupLink.one(at));
    return row && setupLinkFromRow(row);
  }

  async redeemSetupLink(
    hash: string, at: number, user: NewUserRecord,
  ): Promise<UserRecord | undefined> {
    return this.#write('redeemSetupLink', function* (op) {
      if ((yield* sql.findSetupLink.one(at))?.link_hash !== hash) return undefined;
      if ((yield* sql.countAdministrators.one()) !== 0) return undefined;
      const added = yield* insertUser(op, user);
      yield* sql.deleteSetupLinks.run();
      return added;
    });
  }

  async addFlow(flow: FlowRecord, countMax: number): Promise<void> {
    return this.#write('addFlow', function* () {
      yield* sql.deleteExpiredFlows.run(flow.createdAt);
      const excessCount = ((yield* sql.countFlows.one()) ?? 0) + 1 - countMax;
      const oldest = excessCount > 0 ? yield* sql.listOldestFlows.all(excessCount) : [];
      for (const { poll_hash: pollHash } of oldest) yield* sql.deleteFlow.run(pollHash);
      yield* sql.addFlow.run(flowToRow(flow));
    });
  }

  async findFlow(flowHash: string, at: number): Promise<FlowRecord | undefined> {
    const row = await this.#read('findFlow', () => sql.findFlow.one(flowHash, at));
    return row && flowFromRow(row);
  }

  async grantFlow(flowHash: string, user: UserId, at: number): Promise<boolean> {
    return this.#write('grantFlow', function* (op) {
      if ((yield* sql.findUser.one(user))?.is_disabled !== 0) throw noSuchUser(op);
      if ((yield* sql.findFlow.one(flowHash, at)) === undefined) return false;
      return (yield* sql.grantFlow.run(user, flowHash)) === 1;
    });
  }

  async takeFlow(
    pollHash: string, at: number, { hash, id, countMax }: TokenDraft,
  ): Promise<TokenRecord | undefined> {
    // Devices ask every few seconds, so the common answer "not yet" costs no write.
    const granted = await this.#read('takeFlow', () => sql.findGrantedFlow.one(pollHash, at));
    if (granted === undefined) return undefined;
    return this.#write('takeFlow', function* (op) {
      const row = yield* sql.findGrantedFlow.one(pollHash, at);
      if (row === undefined || row.user_id === null) return undefined;
      const token: TokenRecord = {
        hash, id, kind: 'app-password', user: row.user_id as UserId, device: row.device,
        createdAt: at, usedAt: undefined, expiresAt: undefined,
      };
      yield* insertToken(op, token, { countMax, whenFull: 'refuse' });
      yield* sql.deleteFlow.run(pollHash);
      return token;
    });
  }

  async findSecondFactor(user: UserId): Promise<SecondFactorRecord | undefined> {
    return this.#read('findSecondFactor', () => findSecondFactor(user));
  }

  async putSecondFactorDraft(draft: SecondFactorDraft): Promise<void> {
    return this.#write('putSecondFactorDraft', (op) => putDraft(op, draft));
  }

  async turnOnSecondFactor(user: UserId, options: TurnOnOptions): Promise<boolean> {
    return this.#write('turnOnSecondFactor', () => turnOn(user, options));
  }

  async useCodeStep(user: UserId, step: number): Promise<boolean> {
    const used = await this.#write('useCodeStep', () => sql.useCodeStep.run(step, user, step));
    return used === 1;
  }

  async useRecoveryCode(user: UserId, hash: string): Promise<number | undefined> {
    return this.#write('useRecoveryCode', () => useRecoveryCode(user, hash));
  }

  async putRecoveryCodes(user: UserId, hashes: readonly string[]): Promise<boolean> {
    return this.#write('putRecoveryCodes', () => putRecoveryCodes(user, hashes));
  }

  async turnOffSecondFactor(user: UserId): Promise<boolean> {
    return this.#write('turnOffSecondFactor', () => turnOff(user));
  }

  async close(): Promise<void> {
    return this.#database.close();
  }

  #read<T>(method: string, begin: () => Work<T>): T | Promise<T> {
    return this.#database.read(method, begin);
  }

  #write<T>(method: string, begin: (op: string) => Work<T>): T | Promise<T> {
    const op = `identity/${this.#database.name}.${method}`;
    return this.#database.write(method, () => begin(op));
  }
}
