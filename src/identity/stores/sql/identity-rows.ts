/** Rows of the identity tables and the records they stand for. */
import type { GroupId, TenantId, UserId } from '../../../base/ids.ts';
import { isScope } from '../../scopes.ts';
import type {
  FlowRecord, GroupRecord, NewUserRecord, SecondFactorRecord, SetupLinkRecord, TenantRecord,
  TokenKind, TokenRecord, UserRecord,
} from '../../records.ts';

export interface UserRow {
  id: string;
  tenant: string;
  display_name: string;
  is_admin: number;
  is_disabled: number;
  password_hash: string | null;
  created_at: number;
  rev: number;
  groups_rev: number;
  email: string | null;
  has_second_factor: number;
}

export interface SecondFactorRow {
  user_id: string;
  secret: string;
  is_on: number;
  last_step: number;
  since: number;
  recovery_codes_left: number;
}

export interface TenantRow {
  id: string;
  title: string;
  policy: string;
  created_at: number;
}

export interface GroupRow {
  id: string;
  display_name: string;
  created_at: number;
  is_removed: number;
  tenant: string;
}

export interface TokenRow {
  token_hash: string;
  id: string;
  kind: string;
  user_id: string;
  device: string;
  created_at: number;
  used_at: number | null;
  expires_at: number | null;
  /** Separated by blanks. */
  scopes: string | null;
}

export interface FlowRow {
  poll_hash: string;
  flow_hash: string;
  device: string;
  user_id: string | null;
  created_at: number;
  expires_at: number;
}

export interface SetupLinkRow {
  link_hash: string;
  expires_at: number;
}

export function userFromRow(row: UserRow): UserRecord {
  return {
    id: row.id as UserId,
    tenant: row.tenant as TenantId,
    displayName: row.display_name,
    admin: row.is_admin === 1,
    disabled: row.is_disabled === 1,
    passwordHash: row.password_hash ?? undefined,
    email: row.email ?? undefined,
    createdAt: row.created_at,
    rev: row.rev,
    groupsRev: row.groups_rev,
    hasSecondFactor: row.has_second_factor === 1,
  };
}

export function groupFromRow(row: GroupRow): GroupRecord {
  const { id, tenant, display_name: displayName, created_at: createdAt } = row;
  return { id: id as GroupId, tenant: tenant as TenantId, displayName, createdAt };
}

export function tenantFromRow(row: TenantRow): TenantRecord {
  const { id, title, policy, created_at: createdAt } = row;
  return { id: id as TenantId, title, policy, createdAt };
}

export function userToRow(
  user: NewUserRecord,
  { rev, groupsRev, hasSecondFactor }: Pick<UserRecord, 'rev' | 'groupsRev' | 'hasSecondFactor'>,
): UserRow {
  return {
    id: user.id,
    tenant: user.tenant,
    display_name: user.displayName,
    is_admin: user.admin ? 1 : 0,
    is_disabled: user.disabled ? 1 : 0,
    password_hash: user.passwordHash ?? null,
    created_at: user.createdAt,
    rev,
    groups_rev: groupsRev,
    email: user.email ?? null,
    has_second_factor: hasSecondFactor ? 1 : 0,
  };
}

export function tokenFromRow(row: TokenRow): TokenRecord {
  return {
    hash: row.token_hash,
    id: row.id,
    kind: row.kind as TokenKind,
    user: row.user_id as UserId,
    device: row.device,
    createdAt: row.created_at,
    usedAt: row.used_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    ...(row.scopes !== null && { scopes: row.scopes.split(' ').filter(isScope) }),
  };
}

export function tokenToRow(token: TokenRecord): TokenRow {
  return {
    token_hash: token.hash,
    id: token.id,
    kind: token.kind,
    user_id: token.user,
    device: token.device,
    created_at: token.createdAt,
    used_at: token.usedAt ?? null,
    expires_at: token.expiresAt ?? null,
    scopes: token.scopes?.join(' ') ?? null,
  };
}

export function flowFromRow(row: FlowRow): FlowRecord {
  return {
    pollHash: row.poll_hash,
    flowHash: row.flow_hash,
    device: row.device,
    user: (row.user_id ?? undefined) as UserId | undefined,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}

export function flowToRow(flow: FlowRecord): FlowRow {
  return {
    poll_hash: flow.pollHash,
    flow_hash: flow.flowHash,
    device: flow.device,
    user_id: flow.user ?? null,
    created_at: flow.createdAt,
    expires_at: flow.expiresAt,
  };
}

export function secondFactorFromRow(row: SecondFactorRow): SecondFactorRecord {
  const { user_id: user, secret, is_on: isOn, last_step: lastStep, since } = row;
  return {
    user: user as UserId, secret, isOn: isOn === 1, lastStep, since,
    recoveryCodesLeft: row.recovery_codes_left,
  };
}

export function setupLinkFromRow(row: SetupLinkRow): SetupLinkRecord {
  return { hash: row.link_hash, expiresAt: row.expires_at };
}
