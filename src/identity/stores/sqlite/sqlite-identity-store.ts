import type { Database } from 'better-sqlite3';
import type { GroupId, TenantId, UserId } from '../../../base/ids.ts';
import {
  closed, groupExists, noSuchGroup, noSuchTenant, noSuchUser, otherTenant, tenantExists,
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
import {
  flowFromRow, flowToRow, groupFromRow, setupLinkFromRow, tenantFromRow, tokenFromRow, tokenToRow,
  userFromRow, userToRow,
} from './identity-rows.ts';
import { prepareStatements, type IdentityStatements } from './identity-statements.ts';
import {
  findSecondFactor, putDraft, replaceRecoveryCodes, turnOff, turnOn,
} from './second-factor-tables.ts';
import {
  explainSqlite, openIdentityDatabase, type IdentityFile,
} from './open-identity-database.ts';

/**
 * Users in one SQLite file, which the server and the command line may have open at once.
 *
 * Statements run on the calling thread: reads take microseconds, and writes, one fsync each, are
 * rare (somebody signs in or an administrator changes something). Writes begin IMMEDIATE, so that
 * two processes never both read before one of them writes.
 */
export class SqliteIdentityStore implements IdentityStore {
  readonly #database: Database;
  readonly #statements: IdentityStatements;
  /** SQLite counts other connections' commits only; ours are added here. */
  #mark = 0;
  #dataVersion = -1;
  #askedThisTurn = false;

  private constructor(database: Database) {
    this.#database = database;
    this.#statements = explainSqlite(op('open'), () => prepareStatements(database));
  }

  /** Opens the file, or makes it when there is none and `create` is set. Its folder must be there.
   *  @throws corrupt: missing, damaged, or not ours; invalid: a newer format; busy; full;
   *  unavailable. A file that is refused stays as it was. */
  static async open(where: IdentityFile): Promise<SqliteIdentityStore> {
    const database = openIdentityDatabase(where);
    try {
      return new SqliteIdentityStore(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  changeMark(): number {
    // Once for all requests that the event loop hands over in one turn: they arrived together, and
    // asking for each of them took a seventh of a small download's time.
    if (this.#askedThisTurn) return this.#mark;
    const dataVersion = this.#read('changeMark', (sql) => sql.dataVersion.get()) ?? -1;
    this.#askedThisTurn = true;
    setImmediate(() => {
      this.#askedThisTurn = false;
    });
    if (dataVersion !== this.#dataVersion) {
      this.#dataVersion = dataVersion;
      this.#mark += 1;
    }
    return this.#mark;
  }

  async addTenant(tenant: TenantRecord): Promise<TenantRecord> {
    const { id, title, policy, createdAt } = tenant;
    return this.#write('addTenant', (sql) => {
      if (sql.findTenant.get(id) !== undefined) throw tenantExists(op('addTenant'));
      if ((sql.countTenants.get() ?? 0) >= TENANTS_MAX) {
        throw tooManyTenants(op('addTenant'), TENANTS_MAX);
      }
      sql.addTenant.run(id, title, policy, createdAt);
      return { ...tenant };
    });
  }

  async findTenant(id: TenantId): Promise<TenantRecord | undefined> {
    const row = this.#read('findTenant', (sql) => sql.findTenant.get(id));
    return row && tenantFromRow(row);
  }

  async listTenants(): Promise<TenantRecord[]> {
    return this.#read('listTenants', (sql) => sql.listTenants.all()).map(tenantFromRow);
  }

  async addUser(user: NewUserRecord): Promise<UserRecord> {
    return this.#write('addUser', (sql) => insertUser(sql, op('addUser'), user));
  }

  async findUser(id: UserId): Promise<UserRecord | undefined> {
    const row = this.#read('findUser', (sql) => sql.findUser.get(id));
    return row && userFromRow(row);
  }

  async listUsers(
    limit: number, after = '', tenant: TenantId | null = null,
  ): Promise<UserRecord[]> {
    const rows = this.#read('listUsers', (sql) => sql.listUsers.all({ after, tenant, limit }));
    return rows.map(userFromRow);
  }

  async updateUser(id: UserId, patch: UserPatch, options: UpdateOptions = {}): Promise<UserRecord> {
    return this.#write('updateUser', (sql) => {
      const row = sql.findUser.get(id);
      if (row === undefined) throw noSuchUser(op('updateUser'));
      const { ifPasswordHash, endSessions = false } = options;
      if (ifPasswordHash !== undefined && row.password_hash !== ifPasswordHash) {
        throw userChanged(op('updateUser'));
      }
      const user = { ...userFromRow(row), ...patch, rev: row.rev + 1 };
      sql.updateUser.run(userToRow(user, user));
      if (endSessions) {
        sql.deleteSessions.run(id);
        sql.deleteFlowsOf.run(id);
      }
      return user;
    });
  }

  async addGroup(group: GroupRecord): Promise<GroupRecord> {
    return this.#write('addGroup', (sql) => {
      if (sql.findGroup.get(group.id) !== undefined) throw groupExists(op('addGroup'));
      checkTenant(sql, op('addGroup'), group.tenant);
      sql.addGroup.run(group.id, group.displayName, group.createdAt, group.tenant);
      return { ...group };
    });
  }

  async findGroup(id: GroupId): Promise<GroupRecord | undefined> {
    const row = this.#read('findGroup', (sql) => sql.findGroup.get(id));
    return row?.is_removed === 0 ? groupFromRow(row) : undefined;
  }

  async listGroups(
    limit: number, after = '', tenant: TenantId | null = null,
  ): Promise<GroupRecord[]> {
    const rows = this.#read('listGroups', (sql) => sql.listGroups.all({ after, tenant, limit }));
    return rows.map(groupFromRow);
  }

  async removeGroup(id: GroupId, at: number): Promise<boolean> {
    return this.#write('removeGroup', (sql) => {
      if (sql.removeGroup.run(id).changes === 0) return false;
      sql.raiseGroupsRevOfAll.run(id);
      sql.endMemberships.run({ group: id, user: null, at });
      for (const { user_id: user } of sql.listMembers.all(id, '', -1)) forgetOld(sql, user);
      sql.removeMembers.run(id);
      return true;
    });
  }

  async joinGroup(group: GroupId, user: UserId, at: number): Promise<boolean> {
    return this.#write('joinGroup', (sql) => {
      const ofGroup = sql.findGroup.get(group);
      if (ofGroup?.is_removed !== 0) throw noSuchGroup(op('joinGroup'));
      const member = sql.findUser.get(user);
      if (member === undefined) throw noSuchUser(op('joinGroup'));
      if (member.tenant !== ofGroup.tenant) throw otherTenant(op('joinGroup'));
      if (sql.isMember.get(group, user) !== 0) return false;
      if (sql.listGroupsOf.all(user).length >= GROUPS_PER_USER_MAX) {
        throw tooManyGroups(op('joinGroup'), GROUPS_PER_USER_MAX);
      }
      sql.addMember.run(group, user, at);
      sql.raiseGroupsRev.run(user);
      return true;
    });
  }

  async leaveGroup(group: GroupId, user: UserId, at: number): Promise<boolean> {
    return this.#write('leaveGroup', (sql) => {
      sql.endMemberships.run({ group, user, at });
      if (sql.removeMember.run(group, user).changes === 0) return false;
      forgetOld(sql, user);
      sql.raiseGroupsRev.run(user);
      return true;
    });
  }

  async listMembers(group: GroupId, limit: number, after?: UserId): Promise<UserId[]> {
    const rows = this.#read('listMembers', (sql) =>
      sql.listMembers.all(group, after ?? '', limit));
    return rows.map(({ user_id: id }) => id as UserId);
  }

  async listGroupsOf(user: UserId): Promise<GroupId[]> {
    const rows = this.#read('listGroupsOf', (sql) => sql.listGroupsOf.all(user));
    return rows.map(({ group_id: id }) => id as GroupId);
  }

  async listGroupsAt(user: UserId, at: number): Promise<GroupId[]> {
    const rows = this.#read('listGroupsAt', (sql) => sql.listGroupsAt.all({ user, at }));
    return rows.map(({ group_id: id }) => id as GroupId);
  }

  async addToken(token: TokenRecord, options: AddTokenOptions): Promise<void> {
    this.#write('addToken', (sql) => insertToken(sql, op('addToken'), token, options));
  }

  async findToken(kind: TokenKind, hash: string): Promise<TokenRecord | undefined> {
    const row = this.#read('findToken', (sql) => sql.findToken.get(hash, kind));
    return row && tokenFromRow(row);
  }

  async listTokens(user: UserId, kind: TokenKind): Promise<TokenRecord[]> {
    return this.#read('listTokens', (sql) => sql.listTokens.all(user, kind)).map(tokenFromRow);
  }

  async touchTokens(touches: readonly TokenTouch[]): Promise<void> {
    this.#write('touchTokens', (sql) => {
      for (const { hash, usedAt, expiresAt } of touches) {
        sql.touchToken.run(usedAt, expiresAt ?? null, hash);
      }
    });
  }

  async deleteToken(user: UserId, kind: TokenKind, id: string): Promise<boolean> {
    return this.#write('deleteToken', (sql) => removeToken(sql, user, kind, id));
  }

  async sweep(at: number): Promise<void> {
    this.#write('sweep', (sql) => {
      sql.deleteExpiredTokens.run(at);
      sql.deleteExpiredFlows.run(at);
      sql.deleteExpiredLinks.run(at);
    });
  }

  async putSetupLink({ hash, expiresAt }: SetupLinkRecord): Promise<boolean> {
    return this.#write('putSetupLink', (sql) => {
      if (sql.countAdministrators.get() !== 0) return false;
      sql.deleteSetupLinks.run();
      sql.addSetupLink.run(hash, expiresAt);
      return true;
    });
  }

  async findSetupLink(at: number): Promise<SetupLinkRecord | undefined> {
    const row = this.#read('findSetupLink', (sql) => sql.findSetupLink.get(at));
    return row && setupLinkFromRow(row);
  }

  async redeemSetupLink(
    hash: string, at: number, user: NewUserRecord,
  ): Promise<UserRecord | undefined> {
    return this.#write('redeemSetupLink', (sql) => {
      if (sql.findSetupLink.get(at)?.link_hash !== hash) return undefined;
      if (sql.countAdministrators.get() !== 0) return undefined;
      const added = insertUser(sql, op('redeemSetupLink'), user);
      sql.deleteSetupLinks.run();
      return added;
    });
  }

  async addFlow(flow: FlowRecord, countMax: number): Promise<void> {
    this.#write('addFlow', (sql) => {
      sql.deleteExpiredFlows.run(flow.createdAt);
      for (let count = sql.countFlows.get() ?? 0; count >= countMax; count -= 1) {
        const oldest = sql.findOldestFlow.get();
        if (oldest !== undefined) sql.deleteFlow.run(oldest.poll_hash);
      }
      sql.addFlow.run(flowToRow(flow));
    });
  }

  async findFlow(flowHash: string, at: number): Promise<FlowRecord | undefined> {
    const row = this.#read('findFlow', (sql) => sql.findFlow.get(flowHash, at));
    return row && flowFromRow(row);
  }

  async grantFlow(flowHash: string, user: UserId, at: number): Promise<boolean> {
    return this.#write('grantFlow', (sql) => {
      if (sql.findUser.get(user)?.is_disabled !== 0) throw noSuchUser(op('grantFlow'));
      if (sql.findFlow.get(flowHash, at) === undefined) return false;
      return sql.grantFlow.run(user, flowHash).changes === 1;
    });
  }

  async takeFlow(
    pollHash: string, at: number, { hash, id, countMax }: TokenDraft,
  ): Promise<TokenRecord | undefined> {
    // Devices ask every few seconds, so the common answer "not yet" costs no write.
    const granted = this.#read('takeFlow', (sql) => sql.findGrantedFlow.get(pollHash, at));
    if (granted === undefined) return undefined;
    return this.#write('takeFlow', (sql) => {
      const row = sql.findGrantedFlow.get(pollHash, at);
      if (row === undefined || row.user_id === null) return undefined;
      const token: TokenRecord = {
        hash, id, kind: 'app-password', user: row.user_id as UserId, device: row.device,
        createdAt: at, usedAt: undefined, expiresAt: undefined,
      };
      insertToken(sql, op('takeFlow'), token, { countMax, whenFull: 'refuse' });
      sql.deleteFlow.run(pollHash);
      return token;
    });
  }

  async findSecondFactor(user: UserId): Promise<SecondFactorRecord | undefined> {
    return this.#read('findSecondFactor', (sql) => findSecondFactor(sql, user));
  }

  async putSecondFactorDraft(draft: SecondFactorDraft): Promise<void> {
    this.#write('putSecondFactorDraft', (sql) => putDraft(sql, op('putSecondFactorDraft'), draft));
  }

  async turnOnSecondFactor(user: UserId, options: TurnOnOptions): Promise<boolean> {
    return this.#write('turnOnSecondFactor', (sql) => turnOn(sql, user, options));
  }

  async useCodeStep(user: UserId, step: number): Promise<boolean> {
    return this.#write('useCodeStep', (sql) => sql.useCodeStep.run(step, user, step).changes === 1);
  }

  async useRecoveryCode(user: UserId, hash: string): Promise<number | undefined> {
    return this.#write('useRecoveryCode', (sql) => {
      if (findSecondFactor(sql, user)?.isOn !== true) return undefined;
      if (sql.deleteRecoveryCode.run(user, hash).changes === 0) return undefined;
      return sql.countRecoveryCodes.get(user) ?? 0;
    });
  }

  async putRecoveryCodes(user: UserId, hashes: readonly string[]): Promise<boolean> {
    return this.#write('putRecoveryCodes', (sql) => {
      if (findSecondFactor(sql, user)?.isOn !== true) return false;
      replaceRecoveryCodes(sql, user, hashes);
      return true;
    });
  }

  async turnOffSecondFactor(user: UserId): Promise<boolean> {
    return this.#write('turnOffSecondFactor', (sql) => turnOff(sql, user));
  }

  async close(): Promise<void> {
    if (this.#database.open) explainSqlite(op('close'), () => this.#database.close());
  }

  #read<T>(method: string, act: (sql: IdentityStatements) => T): T {
    if (!this.#database.open) throw closed(op(method));
    try {
      return act(this.#statements);
    } catch (error) {
      // Only here, not by a wrapper: changeMark runs once per request and should stay cheap.
      return explainSqlite(op(method), () => {
        throw error;
      });
    }
  }

  #write<T>(method: string, act: (sql: IdentityStatements) => T): T {
    if (!this.#database.open) throw closed(op(method));
    const transaction = this.#database.transaction(() => act(this.#statements));
    const result = explainSqlite(op(method), () => transaction.immediate());
    this.#mark += 1;
    return result;
  }
}

function op(method: string): string {
  return `identity/SqliteIdentityStore.${method}`;
}

function insertUser(sql: IdentityStatements, opName: string, user: NewUserRecord): UserRecord {
  if (sql.findUser.get(user.id) !== undefined) throw userExists(opName);
  checkTenant(sql, opName, user.tenant);
  const added = { ...user, rev: 1, groupsRev: 0, hasSecondFactor: false };
  sql.addUser.run(userToRow(user, added));
  return added;
}

function checkTenant(sql: IdentityStatements, opName: string, tenant: TenantId): void {
  if (sql.findTenant.get(tenant) === undefined) throw noSuchTenant(opName);
}

/** Those that ended last are kept. */
function forgetOld(sql: IdentityStatements, user: string): void {
  sql.forgetMemberships.run({ user, kept: PAST_MEMBERSHIPS_PER_USER_MAX - 1 });
}

function insertToken(
  sql: IdentityStatements, opName: string, token: TokenRecord, options: AddTokenOptions,
): void {
  const user = sql.findUser.get(token.user);
  const { countMax, ifUserRev, whenFull } = options;
  if (user === undefined) throw noSuchUser(opName);
  if (ifUserRev !== undefined && user.rev !== ifUserRev) throw userChanged(opName);
  const others = sql.listTokens.all(token.user, token.kind);
  const excessCount = others.length + 1 - countMax;
  if (excessCount > 0 && whenFull === 'refuse') throw tooManyTokens(opName, countMax);
  for (const { id } of others.slice(0, Math.max(0, excessCount))) {
    removeToken(sql, token.user, token.kind, id);
  }
  sql.addToken.run(tokenToRow(token));
}

function removeToken(
  sql: IdentityStatements, user: UserId, kind: TokenKind, id: string,
): boolean {
  if (sql.deleteToken.run(user, kind, id).changes === 0) return false;
  sql.raiseUserRev.run(user);
  return true;
}
