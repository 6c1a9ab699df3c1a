/** Every statement that runs on DATA/identity.db, prepared once, with the types of its rows. */
import type { Database, Statement } from 'better-sqlite3';
import type {
  FlowRow, GroupRow, SecondFactorRow, SetupLinkRow, TenantRow, TokenRow, UserRow,
} from './identity-rows.ts';

const ADD_USER = `
INSERT INTO users (id, tenant, display_name, is_admin, is_disabled, password_hash, created_at, rev,
  groups_rev, email, has_second_factor)
VALUES (@id, @tenant, @display_name, @is_admin, @is_disabled, @password_hash, @created_at, @rev,
  @groups_rev, @email, @has_second_factor)`;

const UPDATE_USER = `
UPDATE users SET display_name = @display_name, is_admin = @is_admin, is_disabled = @is_disabled,
  password_hash = @password_hash, email = @email, rev = @rev WHERE id = @id`;

const RAISE_GROUPS_REV_OF_ALL = `
UPDATE users SET rev = rev + 1, groups_rev = groups_rev + 1
WHERE id IN (SELECT user_id FROM memberships WHERE group_id = ?)`;

const END_MEMBERSHIPS = `
INSERT INTO past_memberships (user_id, group_id, joined_at, left_at)
SELECT user_id, group_id, joined_at, @at FROM memberships
WHERE group_id = @group AND (@user IS NULL OR user_id = @user)`;

const FORGET_MEMBERSHIPS = `
DELETE FROM past_memberships WHERE user_id = @user AND left_at < (
  SELECT left_at FROM past_memberships WHERE user_id = @user
  ORDER BY left_at DESC LIMIT 1 OFFSET @kept)`;

const LIST_GROUPS_AT = `
SELECT group_id FROM memberships WHERE user_id = @user AND joined_at <= @at
UNION
SELECT group_id FROM past_memberships WHERE user_id = @user AND left_at > @at AND joined_at <= @at
ORDER BY group_id`;

const ADD_TOKEN = `
INSERT INTO tokens (token_hash, id, kind, user_id, device, created_at, used_at, expires_at, scopes)
VALUES (@token_hash, @id, @kind, @user_id, @device, @created_at, @used_at, @expires_at, @scopes)`;

const COUNT_ADMINISTRATORS = `
SELECT COUNT(*) FROM users
WHERE is_admin = 1 AND is_disabled = 0 AND password_hash IS NOT NULL`;

const ADD_FLOW = `
INSERT INTO login_flows (poll_hash, flow_hash, device, user_id, created_at, expires_at)
VALUES (@poll_hash, @flow_hash, @device, @user_id, @created_at, @expires_at)`;

const FIND_OLDEST_FLOW = `
SELECT poll_hash FROM login_flows ORDER BY created_at, poll_hash LIMIT 1`;

interface Listed {
  after: string;
  tenant: string | null;
  limit: number;
}

type Rows = <Bind extends unknown[], Row>(sql: string) => Statement<Bind, Row>;
type Numbers = <Bind extends unknown[]>(sql: string) => Statement<Bind, number>;

export function prepareStatements(database: Database) {
  const rows: Rows = <Bind extends unknown[], Row>(sql: string) =>
    database.prepare<Bind, Row>(sql);
  const number: Numbers = <Bind extends unknown[]>(sql: string) =>
    database.prepare<Bind, number>(sql).pluck();
  return {
    ...groupStatements(rows),
    ...membershipStatements(rows, number),
    ...tenantStatements(rows, number),
    ...secondFactorStatements(rows, number),
    dataVersion: number<[]>('PRAGMA data_version'),

    addUser: rows<[UserRow], never>(ADD_USER),
    findUser: rows<[string], UserRow>('SELECT * FROM users WHERE id = ?'),
    listUsers: rows<[Listed], UserRow>(
      `SELECT * FROM users WHERE id > @after AND (@tenant IS NULL OR tenant = @tenant)
       ORDER BY id LIMIT @limit`,
    ),
    updateUser: rows<[UserRow], never>(UPDATE_USER),
    raiseUserRev: rows<[string], never>('UPDATE users SET rev = rev + 1 WHERE id = ?'),
    countAdministrators: number<[]>(COUNT_ADMINISTRATORS),

    addToken: rows<[TokenRow], never>(ADD_TOKEN),
    findToken: rows<[string, string], TokenRow>(
      'SELECT * FROM tokens WHERE token_hash = ? AND kind = ?',
    ),
    listTokens: rows<[string, string], TokenRow>(
      'SELECT * FROM tokens WHERE user_id = ? AND kind = ? ORDER BY created_at, id',
    ),
    touchToken: rows<[number, number | null, string], never>(
      'UPDATE tokens SET used_at = ?, expires_at = ? WHERE token_hash = ?',
    ),
    deleteToken: rows<[string, string, string], never>(
      'DELETE FROM tokens WHERE user_id = ? AND kind = ? AND id = ?',
    ),
    deleteSessions: rows<[string], never>(
      `DELETE FROM tokens WHERE user_id = ? AND kind = 'session'`,
    ),
    deleteExpiredTokens: rows<[number], never>('DELETE FROM tokens WHERE expires_at <= ?'),

    addSetupLink: rows<[string, number], never>(
      'INSERT INTO setup_links (link_hash, expires_at) VALUES (?, ?)',
    ),
    findSetupLink: rows<[number], SetupLinkRow>('SELECT * FROM setup_links WHERE expires_at > ?'),
    // Every link, whatever it is: there is one at most.
    deleteSetupLinks: rows<[], never>('DELETE FROM setup_links WHERE link_hash IS NOT NULL'),
    deleteExpiredLinks: rows<[number], never>('DELETE FROM setup_links WHERE expires_at <= ?'),

    addFlow: rows<[FlowRow], never>(ADD_FLOW),
    countFlows: number<[]>('SELECT COUNT(*) FROM login_flows'),
    findOldestFlow: rows<[], Pick<FlowRow, 'poll_hash'>>(FIND_OLDEST_FLOW),
    findFlow: rows<[string, number], FlowRow>(
      'SELECT * FROM login_flows WHERE flow_hash = ? AND expires_at > ?',
    ),
    findGrantedFlow: rows<[string, number], FlowRow>(
      'SELECT * FROM login_flows WHERE poll_hash = ? AND expires_at > ? AND user_id IS NOT NULL',
    ),
    grantFlow: rows<[string, string], never>(
      'UPDATE login_flows SET user_id = ? WHERE flow_hash = ? AND user_id IS NULL',
    ),
    deleteFlow: rows<[string], never>('DELETE FROM login_flows WHERE poll_hash = ?'),
    deleteFlowsOf: rows<[string], never>('DELETE FROM login_flows WHERE user_id = ?'),
    deleteExpiredFlows: rows<[number], never>('DELETE FROM login_flows WHERE expires_at <= ?'),
  };
}

function secondFactorStatements(rows: Rows, number: Numbers) {
  return {
    findSecondFactor: rows<[string], SecondFactorRow>(
      'SELECT * FROM second_factors WHERE user_id = ?',
    ),
    countRecoveryCodes: number<[string]>('SELECT COUNT(*) FROM recovery_codes WHERE user_id = ?'),
    addSecondFactor: rows<[SecondFactorRow], never>(
      `INSERT INTO second_factors (user_id, secret, is_on, last_step, since)
       VALUES (@user_id, @secret, @is_on, @last_step, @since)`,
    ),
    deleteSecondFactor: rows<[string], never>('DELETE FROM second_factors WHERE user_id = ?'),
    setSecondFactor: rows<[number, string], never>(
      'UPDATE users SET has_second_factor = ?, rev = rev + 1 WHERE id = ?',
    ),
    useCodeStep: rows<[number, string, number], never>(
      `UPDATE second_factors SET last_step = ?
       WHERE user_id = ? AND is_on = 1 AND last_step < ?`,
    ),
    addRecoveryCode: rows<[string, string], never>(
      'INSERT INTO recovery_codes (user_id, code_hash) VALUES (?, ?)',
    ),
    deleteRecoveryCode: rows<[string, string], never>(
      'DELETE FROM recovery_codes WHERE user_id = ? AND code_hash = ?',
    ),
    deleteRecoveryCodes: rows<[string], never>('DELETE FROM recovery_codes WHERE user_id = ?'),
    deleteSessionsBut: rows<[string, string], never>(
      `DELETE FROM tokens WHERE user_id = ? AND kind = 'session' AND id <> ?`,
    ),
  };
}

function groupStatements(rows: Rows) {
  return {
    raiseGroupsRev: rows<[string], never>(
      'UPDATE users SET rev = rev + 1, groups_rev = groups_rev + 1 WHERE id = ?',
    ),
    raiseGroupsRevOfAll: rows<[string], never>(RAISE_GROUPS_REV_OF_ALL),

    addGroup: rows<[string, string, number, string], never>(
      `INSERT INTO user_groups (id, display_name, created_at, is_removed, tenant)
       VALUES (?, ?, ?, 0, ?)`,
    ),
    findGroup: rows<[string], GroupRow>('SELECT * FROM user_groups WHERE id = ?'),
    listGroups: rows<[Listed], GroupRow>(
      `SELECT * FROM user_groups WHERE id > @after AND is_removed = 0
         AND (@tenant IS NULL OR tenant = @tenant) ORDER BY id LIMIT @limit`,
    ),
    removeGroup: rows<[string], never>(
      'UPDATE user_groups SET is_removed = 1 WHERE id = ? AND is_removed = 0',
    ),
  };
}

function tenantStatements(rows: Rows, number: Numbers) {
  return {
    addTenant: rows<[string, string, string, number], never>(
      'INSERT INTO tenants (id, title, policy, created_at) VALUES (?, ?, ?, ?)',
    ),
    findTenant: rows<[string], TenantRow>('SELECT * FROM tenants WHERE id = ?'),
    listTenants: rows<[], TenantRow>('SELECT * FROM tenants ORDER BY id'),
    countTenants: number<[]>('SELECT COUNT(*) FROM tenants'),
  };
}

function membershipStatements(rows: Rows, number: Numbers) {
  return {
    addMember: rows<[string, string, number], never>(
      'INSERT INTO memberships (group_id, user_id, joined_at) VALUES (?, ?, ?)',
    ),
    endMemberships: rows<[{ group: string; user: string | null; at: number }], never>(
      END_MEMBERSHIPS,
    ),
    forgetMemberships: rows<[{ user: string; kept: number }], never>(FORGET_MEMBERSHIPS),
    listGroupsAt: rows<[{ user: string; at: number }], { group_id: string }>(LIST_GROUPS_AT),
    isMember: number<[string, string]>(
      'SELECT COUNT(*) FROM memberships WHERE group_id = ? AND user_id = ?',
    ),
    removeMember: rows<[string, string], never>(
      'DELETE FROM memberships WHERE group_id = ? AND user_id = ?',
    ),
    removeMembers: rows<[string], never>('DELETE FROM memberships WHERE group_id = ?'),
    listMembers: rows<[string, string, number], { user_id: string }>(
      'SELECT user_id FROM memberships WHERE group_id = ? AND user_id > ? ORDER BY user_id LIMIT ?',
    ),
    listGroupsOf: rows<[string], { group_id: string }>(
      'SELECT group_id FROM memberships WHERE user_id = ? ORDER BY group_id',
    ),
  };
}

export type IdentityStatements = ReturnType<typeof prepareStatements>;
