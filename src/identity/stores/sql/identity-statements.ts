/**
 * Every statement of the identity store, in SQL that SQLite and MariaDB both understand. Columns
 * are named, never `*`: a table may have more of them than this version knows.
 */
import type {
  FlowRow, GroupRow, SecondFactorRow, SetupLinkRow, TenantRow, TokenRow, UserRow,
} from './identity-rows.ts';
import { Statement } from './statement.ts';
import type { Bind, StatementParts } from './statement.ts';

function select<B extends Bind, Row>(
  columns: readonly (keyof Row & string)[], rest: string,
): Statement<B, Row> {
  const text = `SELECT ${columns.join(', ')} ${rest}`;
  return new Statement<B, Row>({ text, columns, rowsMax: 0 });
}

/** Answers one number. */
function count<B extends Bind>(rest: string): Statement<B, number> {
  return new Statement<B, number>({ text: `SELECT COUNT(*) ${rest}`, columns: [], rowsMax: 0 });
}

/** Of one row, where nothing else is said. */
function change<B extends Bind>(
  text: string, { rowsMax = 1, ...rest }: Partial<Pick<StatementParts, 'rowsMax' | 'textForMany'>>
  = {},
): Statement<B, never> {
  return new Statement<B, never>({ text, columns: [], rowsMax, ...rest });
}

/** What a user has of one kind: tokens, flows, codes, memberships that have ended. Settings say how
 *  many of each there are at most, and far less: more than this is a mistake. */
const OF_USER_MAX = 100_000;
/** Members of a group; what has expired since it was last looked. */
const MANY_MAX = 1_000_000;
/** Of which there is one at most. */
const FEW_MAX = 10;

const USER = [
  'id', 'tenant', 'display_name', 'is_admin', 'is_disabled', 'password_hash', 'created_at', 'rev',
  'groups_rev', 'email', 'has_second_factor',
] as const;
const TOKEN = [
  'token_hash', 'id', 'kind', 'user_id', 'device', 'created_at', 'used_at', 'expires_at', 'scopes',
] as const;
const GROUP = ['id', 'display_name', 'created_at', 'is_removed', 'tenant'] as const;
const FLOW = [
  'poll_hash', 'flow_hash', 'device', 'user_id', 'created_at', 'expires_at',
] as const;
const TENANT = ['id', 'title', 'policy', 'created_at'] as const;

interface Page {
  after: string;
  limit: number;
}

interface TenantPage extends Page {
  tenant: string;
}

/** A list in JSON as rows. */
function listed(columns: string): string {
  return `JSON_TABLE(?, '$[*]' COLUMNS (${columns})) j`;
}

const USERS = {
  addUser: change<[UserRow]>(
    `INSERT INTO users (${USER.join(', ')}) VALUES (${USER.map((name) => `@${name}`).join(', ')})`,
  ),
  findUser: select<[string], UserRow>(USER, 'FROM users WHERE id = ?'),
  listUsers: select<[Page], UserRow>(USER, 'FROM users WHERE id > @after ORDER BY id LIMIT @limit'),
  listUsersOf: select<[TenantPage], UserRow>(
    USER, 'FROM users WHERE tenant = @tenant AND id > @after ORDER BY id LIMIT @limit',
  ),
  updateUser: change<[UserRow]>(
    `UPDATE users SET display_name = @display_name, is_admin = @is_admin,
       is_disabled = @is_disabled, password_hash = @password_hash, email = @email, rev = @rev
     WHERE id = @id`,
  ),
  raiseUserRev: change<[string]>('UPDATE users SET rev = rev + 1 WHERE id = ?'),
  countAdministrators: count<[]>(
    'FROM users WHERE is_admin = 1 AND is_disabled = 0 AND password_hash IS NOT NULL',
  ),
};

const TOKENS = {
  addToken: change<[TokenRow]>(
    `INSERT INTO tokens (${TOKEN.join(', ')})
     VALUES (${TOKEN.map((name) => `@${name}`).join(', ')})`,
  ),
  findToken: select<[string, string], TokenRow>(
    TOKEN, 'FROM tokens WHERE token_hash = ? AND kind = ?',
  ),
  listTokens: select<[string, string], TokenRow>(
    TOKEN, 'FROM tokens WHERE user_id = ? AND kind = ? ORDER BY created_at, id',
  ),
  touchToken: change<[number, number | null, string]>(
    'UPDATE tokens SET used_at = ?, expires_at = ? WHERE token_hash = ?',
    {
      textForMany: `UPDATE ${listed(`used_at BIGINT PATH '$[0]', expires_at BIGINT PATH '$[1]',
         token_hash CHAR(64) PATH '$[2]'`)}
       STRAIGHT_JOIN tokens t ON t.token_hash = j.token_hash
       SET t.used_at = j.used_at, t.expires_at = j.expires_at WHERE t.token_hash = j.token_hash`,
    },
  ),
  deleteToken: change<[string, string, string]>(
    'DELETE FROM tokens WHERE user_id = ? AND kind = ? AND id = ?',
  ),
  deleteSessions: change<[string]>(
    `DELETE FROM tokens WHERE user_id = ? AND kind = 'session'`, { rowsMax: OF_USER_MAX },
  ),
  deleteSessionsBut: change<[string, string]>(
    `DELETE FROM tokens WHERE user_id = ? AND kind = 'session' AND id <> ?`,
    { rowsMax: OF_USER_MAX },
  ),
  deleteExpiredTokens: change<[number]>(
    'DELETE FROM tokens WHERE expires_at <= ?', { rowsMax: MANY_MAX },
  ),
};

const LINKS_AND_FLOWS = {
  addSetupLink: change<[string, number]>(
    'INSERT INTO setup_links (link_hash, expires_at) VALUES (?, ?)',
  ),
  findSetupLink: select<[number], SetupLinkRow>(
    ['link_hash', 'expires_at'], 'FROM setup_links WHERE expires_at > ?',
  ),
  // Every link, whatever it is: there is one at most.
  deleteSetupLinks: change<[]>(
    'DELETE FROM setup_links WHERE link_hash > \'\'', { rowsMax: FEW_MAX },
  ),
  deleteExpiredLinks: change<[number]>(
    'DELETE FROM setup_links WHERE expires_at <= ?', { rowsMax: FEW_MAX },
  ),

  addFlow: change<[FlowRow]>(
    `INSERT INTO login_flows (${FLOW.join(', ')})
     VALUES (${FLOW.map((name) => `@${name}`).join(', ')})`,
  ),
  countFlows: count<[]>('FROM login_flows'),
  listOldestFlows: select<[number], Pick<FlowRow, 'poll_hash'>>(
    ['poll_hash'], 'FROM login_flows ORDER BY created_at, poll_hash LIMIT ?',
  ),
  findFlow: select<[string, number], FlowRow>(
    FLOW, 'FROM login_flows WHERE flow_hash = ? AND expires_at > ?',
  ),
  findGrantedFlow: select<[string, number], FlowRow>(
    FLOW, 'FROM login_flows WHERE poll_hash = ? AND expires_at > ? AND user_id IS NOT NULL',
  ),
  grantFlow: change<[string, string]>(
    'UPDATE login_flows SET user_id = ? WHERE flow_hash = ? AND user_id IS NULL',
  ),
  deleteFlow: change<[string]>('DELETE FROM login_flows WHERE poll_hash = ?'),
  deleteFlowsOf: change<[string]>(
    'DELETE FROM login_flows WHERE user_id = ?', { rowsMax: OF_USER_MAX },
  ),
  deleteExpiredFlows: change<[number]>(
    'DELETE FROM login_flows WHERE expires_at <= ?', { rowsMax: MANY_MAX },
  ),
};

const SECOND_FACTORS = {
  findSecondFactor: select<[string], SecondFactorRow>(
    ['user_id', 'secret', 'is_on', 'last_step', 'since', 'recovery_codes_left'],
    `FROM (SELECT f.user_id, f.secret, f.is_on, f.last_step, f.since,
       (SELECT COUNT(*) FROM recovery_codes c WHERE c.user_id = f.user_id) AS recovery_codes_left
       FROM second_factors f WHERE f.user_id = ?) s`,
  ),
  addSecondFactor: change<[Omit<SecondFactorRow, 'recovery_codes_left'>]>(
    `INSERT INTO second_factors (user_id, secret, is_on, last_step, since)
     VALUES (@user_id, @secret, @is_on, @last_step, @since)`,
  ),
  deleteSecondFactor: change<[string]>('DELETE FROM second_factors WHERE user_id = ?'),
  setSecondFactor: change<[number, string]>(
    'UPDATE users SET has_second_factor = ?, rev = rev + 1 WHERE id = ?',
  ),
  useCodeStep: change<[number, string, number]>(
    'UPDATE second_factors SET last_step = ? WHERE user_id = ? AND is_on = 1 AND last_step < ?',
  ),
  countRecoveryCodes: count<[string]>('FROM recovery_codes WHERE user_id = ?'),
  addRecoveryCode: change<[string, string]>(
    'INSERT INTO recovery_codes (user_id, code_hash) VALUES (?, ?)',
    {
      textForMany: `INSERT INTO recovery_codes (user_id, code_hash) SELECT j.user_id, j.code_hash
       FROM ${listed(`user_id VARCHAR(64) PATH '$[0]', code_hash CHAR(64) PATH '$[1]'`)}`,
    },
  ),
  deleteRecoveryCode: change<[string, string]>(
    'DELETE FROM recovery_codes WHERE user_id = ? AND code_hash = ?',
  ),
  deleteRecoveryCodes: change<[string]>(
    'DELETE FROM recovery_codes WHERE user_id = ?', { rowsMax: OF_USER_MAX },
  ),
};

const GROUPS = {
  addGroup: change<[string, string, number, string]>(
    `INSERT INTO user_groups (id, display_name, created_at, is_removed, tenant)
     VALUES (?, ?, ?, 0, ?)`,
  ),
  findGroup: select<[string], GroupRow>(GROUP, 'FROM user_groups WHERE id = ?'),
  listGroups: select<[Page], GroupRow>(
    GROUP, 'FROM user_groups WHERE id > @after AND is_removed = 0 ORDER BY id LIMIT @limit',
  ),
  listGroupsIn: select<[TenantPage], GroupRow>(
    GROUP,
    `FROM user_groups WHERE tenant = @tenant AND id > @after AND is_removed = 0
     ORDER BY id LIMIT @limit`,
  ),
  removeGroup: change<[string]>(
    'UPDATE user_groups SET is_removed = 1 WHERE id = ? AND is_removed = 0',
  ),
  raiseGroupsRev: change<[string]>(
    'UPDATE users SET rev = rev + 1, groups_rev = groups_rev + 1 WHERE id = ?',
    {
      textForMany: `UPDATE ${listed(`id VARCHAR(64) PATH '$[0]'`)}
       STRAIGHT_JOIN users u ON u.id = j.id
       SET u.rev = u.rev + 1, u.groups_rev = u.groups_rev + 1 WHERE u.id = j.id`,
    },
  ),
};

const MEMBERSHIPS = {
  addMember: change<[string, string, number]>(
    'INSERT INTO memberships (group_id, user_id, joined_at) VALUES (?, ?, ?)',
  ),
  isMember: count<[string, string]>('FROM memberships WHERE group_id = ? AND user_id = ?'),
  removeMember: change<[string, string]>(
    'DELETE FROM memberships WHERE group_id = ? AND user_id = ?',
  ),
  removeMembers: change<[string]>(
    'DELETE FROM memberships WHERE group_id = ?', { rowsMax: MANY_MAX },
  ),
  listMembers: select<[string, string, number], { user_id: string }>(
    ['user_id'],
    'FROM memberships WHERE group_id = ? AND user_id > ? ORDER BY user_id LIMIT ?',
  ),
  listAllMembers: select<[string], { user_id: string }>(
    ['user_id'], 'FROM memberships WHERE group_id = ? ORDER BY user_id',
  ),
  listGroupsOf: select<[string], { group_id: string }>(
    ['group_id'], 'FROM memberships WHERE user_id = ? ORDER BY group_id',
  ),
  countGroupsOf: count<[string]>('FROM memberships WHERE user_id = ?'),
  listGroupsAt: select<[{ user: string; at: number }], { group_id: string }>(
    ['group_id'],
    `FROM memberships WHERE user_id = @user AND joined_at <= @at
     UNION SELECT group_id FROM past_memberships
       WHERE user_id = @user AND left_at > @at AND joined_at <= @at
     ORDER BY group_id`,
  ),
  endMembership: change<[{ group: string; user: string; at: number }]>(
    `INSERT INTO past_memberships (user_id, group_id, joined_at, left_at)
     SELECT user_id, group_id, joined_at, @at FROM memberships
     WHERE group_id = @group AND user_id = @user`,
  ),
  endMemberships: change<[{ group: string; at: number }]>(
    `INSERT INTO past_memberships (user_id, group_id, joined_at, left_at)
     SELECT user_id, group_id, joined_at, @at FROM memberships WHERE group_id = @group`,
    { rowsMax: MANY_MAX },
  ),
  // The end of the oldest that is kept of a user who has as many.
  findOldestKept: select<[{ user: string; newer: number }], { left_at: number }>(
    ['left_at'],
    `FROM past_memberships WHERE user_id = @user ORDER BY left_at DESC LIMIT 1 OFFSET @newer`,
  ),
  // The same, of all members of a group.
  listOldestKept: select<[{ group: string; kept: number }], { user_id: string; left_at: number }>(
    ['user_id', 'left_at'],
    `FROM (SELECT p.user_id, p.left_at,
         ROW_NUMBER() OVER (PARTITION BY p.user_id ORDER BY p.left_at DESC) AS place
       FROM memberships m JOIN past_memberships p ON p.user_id = m.user_id
       WHERE m.group_id = @group) counted
     WHERE place = @kept`,
  ),
  forgetMemberships: change<[string, number]>(
    'DELETE FROM past_memberships WHERE user_id = ? AND left_at < ?',
    {
      rowsMax: OF_USER_MAX,
      textForMany: `DELETE p
       FROM ${listed(`user_id VARCHAR(64) PATH '$[0]', left_at BIGINT PATH '$[1]'`)}
       STRAIGHT_JOIN past_memberships p ON p.user_id = j.user_id
       WHERE p.user_id = j.user_id AND p.left_at < j.left_at`,
    },
  ),
};

const TENANTS = {
  addTenant: change<[string, string, string, number]>(
    'INSERT INTO tenants (id, title, policy, created_at) VALUES (?, ?, ?, ?)',
  ),
  findTenant: select<[string], TenantRow>(TENANT, 'FROM tenants WHERE id = ?'),
  listTenants: select<[], TenantRow>(TENANT, 'FROM tenants ORDER BY id'),
  countTenants: count<[]>('FROM tenants'),
};

export const IDENTITY_SQL = {
  ...USERS, ...TOKENS, ...LINKS_AND_FLOWS, ...SECOND_FACTORS, ...GROUPS, ...MEMBERSHIPS,
  ...TENANTS,
};
