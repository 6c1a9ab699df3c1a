/** The identity tables that are carried when an installation moves from a file to a server, or
 *  back. A test holds this against both schemas. */
import type { CarriedTable } from '../../../tables/index.ts';

export const IDENTITY_CARRIED: readonly CarriedTable[] = [
  { name: 'tenants', key: ['id'], others: ['title', 'policy', 'created_at'] },
  { name: 'users', key: ['id'], others: ['tenant', 'display_name', 'is_admin', 'is_disabled',
    'password_hash', 'created_at', 'rev', 'groups_rev', 'email', 'has_second_factor'] },
  { name: 'user_groups', key: ['id'], others: ['display_name', 'created_at', 'is_removed',
    'tenant'] },
  { name: 'memberships', key: ['group_id', 'user_id'], others: ['joined_at'] },
  // Nothing of it is a key: rows are known by the number that SQLite itself gives them.
  { name: 'past_memberships', key: ['rowid'], others: ['user_id', 'group_id', 'joined_at',
    'left_at'], onMariadb: { columns: { rowid: 'id' } } },
  { name: 'tokens', key: ['token_hash'], others: ['id', 'kind', 'user_id', 'device', 'created_at',
    'used_at', 'expires_at', 'scopes'] },
  { name: 'setup_links', key: ['link_hash'], others: ['expires_at'] },
  { name: 'login_flows', key: ['poll_hash'], others: ['flow_hash', 'device', 'user_id',
    'created_at', 'expires_at'] },
  { name: 'second_factors', key: ['user_id'], others: ['secret', 'is_on', 'last_step', 'since'] },
  { name: 'recovery_codes', key: ['user_id', 'code_hash'], others: [] },
];

/** Tables that stay where they are, and why. */
export const IDENTITY_NOT_CARRIED: Readonly<Record<string, string>> = {
  identity_meta: 'the format, and a check value that is made anew from the same key',
  identity_turn: 'who writes to this very database',
  identity_writer: 'who writes to this very database',
};
