/** Accounts, groups and tenants, for administrators. */
import { HoldfastError, isKind } from '../../base/errors.ts';
import { parseGroupId, parseUserId } from '../../base/ids.ts';
import type { GroupId, TenantId, UserId } from '../../base/ids.ts';
import type { Caller, Group, User } from '../../identity/index.ts';
import {
  GroupShape, GroupsShape, ManagedUser, ManagedUsers, MembersShape, NewGroupShape, NewPassword,
  NewTenantShape, NewUserShape, TenantPaging, TenantShape, TenantsShape, UserChange, UsersQuery,
} from '../../wire/people.ts';
import { Id, LIST_LIMIT_DEFAULT, Paging, shape } from '../../wire/shapes.ts';
import type { AdministrativeAct } from './administration.ts';
import { makeCursor, readCursor } from './cursor.ts';
import { timeText } from './node-view.ts';
import { ById } from './nodes.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';
import { checkInstallation, inReach, isInstallationAdmin, tenantMeant } from './tenant-rights.ts';

const TAG = 'administration';
const MemberOf = shape({ id: Id, user: Id });

export function peopleAdminResource(api: RestApi, parts: RestParts): void {
  users(api, parts);
  userChanges(api, parts);
  userSecondFactor(api, parts);
  groups(api, parts);
  members(api, parts);
  tenants(api, parts);
}

/** By whom it was done goes into the audit log. */
function noter({ administration }: RestParts) {
  return (
    { user, device, address }: Caller,
    act: Omit<AdministrativeAct, 'by'>,
  ): void => administration?.note({
    ...act, by: { user, device, ...(address !== undefined && { address }) },
  });
}

function users(api: RestApi, parts: RestParts): void {
  const { identity } = parts;
  const note = noter(parts);
  api.operation({
    id: 'listUsers', tag: TAG, method: 'GET', path: '/users', scope: 'admin',
    summary: 'Accounts of a tenant, by id', query: UsersQuery,
    success: { status: 200, description: 'Accounts.', schema: ManagedUsers },
    async answer({ caller, query }) {
      const tenant = tenantMeant(caller, query.tenant);
      const found = searched(identity.users.list(tenant), query.search ?? '');
      const page = await pageBy(found, `users ${tenant}`, query);
      return { body: { ...page, items: page.items.map((user) => userAnswer(user)) } };
    },
  });
  api.operation({
    id: 'addUser', tag: TAG, method: 'POST', path: '/users', scope: 'admin',
    summary: 'Make an account', body: NewUserShape, refusals: [409, 503],
    success: { status: 201, description: 'The account.', schema: ManagedUser },
    async answer({ caller, body: { isAdmin, tenant: wanted, ...rest } }) {
      const tenant = tenantMeant(caller, wanted);
      const user = await identity.users.add({
        ...rest, tenant, ...(isAdmin !== undefined && { admin: isAdmin }),
      });
      note(caller, { act: 'user-added', tenant, subject: user.id });
      return { body: userAnswer(user, []) };
    },
  });
  api.operation({
    id: 'getUser', tag: TAG, method: 'GET', path: '/users/{id}', scope: 'admin',
    summary: 'One account', params: ById,
    success: { status: 200, description: 'It.', schema: ManagedUser },
    async answer({ caller, params }) {
      const user = await userIn(parts, caller, params.id);
      return { body: userAnswer(user, await identity.groups.of(user.id)) };
    },
  });
}

function userChanges(api: RestApi, parts: RestParts): void {
  const { identity: { users: all, groups: of } } = parts;
  const note = noter(parts);
  api.operation({
    id: 'changeUser', tag: TAG, method: 'PATCH', path: '/users/{id}', scope: 'admin',
    summary: 'Change an account', params: ById, body: UserChange, refusals: [409],
    success: { status: 200, description: 'As it is now.', schema: ManagedUser },
    async answer({ caller, params, body: { displayName, email, isAdmin, isDisabled } }) {
      let user = await userIn(parts, caller, params.id);
      const { id, tenant } = user;
      // Nobody is left to take it back when the last one shuts themself out.
      if (id === caller.user && (isAdmin === false || isDisabled === true)) throw notYourself();
      if (displayName !== undefined) user = await all.setDisplayName(id, displayName);
      if (email !== undefined) user = await all.setEmail(id, email ?? undefined);
      if (isAdmin !== undefined) user = await all.setAdmin(id, isAdmin);
      const isChanged = [displayName, email, isAdmin].some((one) => one !== undefined);
      if (isChanged) note(caller, { act: 'user-changed', tenant, subject: id });
      if (isDisabled !== undefined) {
        user = await all.setDisabled(id, isDisabled);
        note(caller, { act: isDisabled ? 'user-disabled' : 'user-enabled', tenant, subject: id });
      }
      return { body: userAnswer(user, await of.of(id)) };
    },
  });
  api.operation({
    id: 'setUserPassword', tag: TAG, method: 'PUT', path: '/users/{id}/password', scope: 'admin',
    summary: 'Set a password: ends all sessions of the account',
    description: 'App passwords and tokens stay: disable the account to shut everything out.',
    params: ById, body: NewPassword, refusals: [503],
    success: { status: 204, description: 'It is set.' },
    async answer({ caller, params, body }) {
      const { id, tenant } = await userIn(parts, caller, params.id);
      await all.setPassword(id, body.password);
      note(caller, { act: 'password-set', tenant, subject: id });
      return {};
    },
  });
}

function userSecondFactor(api: RestApi, parts: RestParts): void {
  const { secondFactors } = parts.identity;
  const note = noter(parts);
  api.operation({
    id: 'resetUserSecondFactor', tag: TAG, method: 'DELETE', path: '/users/{id}/second-factor',
    scope: 'admin', params: ById,
    summary: 'Turn the second step of signing in off, for who has lost phone and recovery codes',
    description: 'One\'s own takes the password and a code: see /account/second-factor.',
    refusals: [409],
    success: { status: 204, description: 'The password alone signs in again, or it did already.' },
    async answer({ caller, params }) {
      const { id, tenant } = await userIn(parts, caller, params.id);
      // Else a browser that an administrator left open could do without the code.
      if (id === caller.user) throw ownSecondFactor();
      if (await secondFactors.turnOffFor(id)) {
        note(caller, { act: 'second-factor-off', tenant, subject: id });
      }
      return {};
    },
  });
}

function groups(api: RestApi, parts: RestParts): void {
  const { groups: all } = parts.identity;
  const note = noter(parts);
  api.operation({
    id: 'listGroups', tag: TAG, method: 'GET', path: '/groups', scope: 'admin',
    summary: 'Groups of a tenant, by id', query: TenantPaging,
    success: { status: 200, description: 'Groups.', schema: GroupsShape },
    async answer({ caller, query }) {
      const tenant = tenantMeant(caller, query.tenant);
      const page = await pageBy(all.list(tenant), `groups ${tenant}`, query);
      return { body: { ...page, items: page.items.map(groupAnswer) } };
    },
  });
  api.operation({
    id: 'addGroup', tag: TAG, method: 'POST', path: '/groups', scope: 'admin',
    summary: 'Make a group, to share with', body: NewGroupShape, refusals: [409],
    success: { status: 201, description: 'The group.', schema: GroupShape },
    async answer({ caller, body: { tenant: wanted, ...rest } }) {
      const tenant = tenantMeant(caller, wanted);
      const group = await all.add({ ...rest, tenant });
      note(caller, { act: 'group-changed', tenant, subject: group.id, note: 'made' });
      return { body: groupAnswer(group) };
    },
  });
  api.operation({
    id: 'removeGroup', tag: TAG, method: 'DELETE', path: '/groups/{id}', scope: 'admin',
    summary: 'Remove a group: what was shared with it is out of its members\' reach',
    params: ById, success: { status: 204, description: 'It is gone for good.' },
    async answer({ caller, params }) {
      const { id, tenant } = await groupIn(parts, caller, params.id);
      await all.remove(id);
      note(caller, { act: 'group-changed', tenant, subject: id, note: 'removed' });
      return {};
    },
  });
}

function members(api: RestApi, parts: RestParts): void {
  const { groups: all } = parts.identity;
  const note = noter(parts);
  api.operation({
    id: 'listMembers', tag: TAG, method: 'GET', path: '/groups/{id}/members', scope: 'admin',
    summary: 'Who is in a group', params: ById, query: Paging,
    success: { status: 200, description: 'Ids of accounts.', schema: MembersShape },
    async answer({ caller, params, query }) {
      const { id } = await groupIn(parts, caller, params.id);
      const page = await pageBy(idsOf(all.members(id)), `members ${id}`, query);
      return { body: { ...page, items: page.items.map((member) => member.id) } };
    },
  });
  api.operation({
    id: 'addMember', tag: TAG, method: 'PUT', path: '/groups/{id}/members/{user}', scope: 'admin',
    summary: 'Take an account into a group', params: MemberOf, refusals: [413],
    success: { status: 204, description: 'It is in the group.' },
    async answer({ caller, params }) {
      const group = await groupIn(parts, caller, params.id);
      const user = await userIn(parts, caller, params.user);
      if (await all.join(group.id, user.id)) {
        const { id: subject, tenant } = group;
        note(caller, { act: 'group-changed', tenant, subject, note: `${user.id} joined` });
      }
      return {};
    },
  });
  api.operation({
    id: 'removeMember', tag: TAG, method: 'DELETE', path: '/groups/{id}/members/{user}',
    scope: 'admin', summary: 'Take an account out of a group', params: MemberOf,
    success: { status: 204, description: 'It is not in the group.' },
    async answer({ caller, params }) {
      const group = await groupIn(parts, caller, params.id);
      const user = await userIn(parts, caller, params.user);
      if (await all.leave(group.id, user.id)) {
        const { id: subject, tenant } = group;
        note(caller, { act: 'group-changed', tenant, subject, note: `${user.id} left` });
      }
      return {};
    },
  });
}

function tenants(api: RestApi, parts: RestParts): void {
  const { tenants: all } = parts.identity;
  const note = noter(parts);
  const answerOf = (
    { id, title, policy, createdAt }: Awaited<ReturnType<typeof all.get>>,
  ) => ({ id, title, policy, ...(createdAt > 0 && { createdAt: timeText(createdAt) }) });
  api.operation({
    id: 'listTenants', tag: TAG, method: 'GET', path: '/tenants', scope: 'admin',
    summary: 'Tenants that whoever asks administers',
    success: { status: 200, description: 'By id.', schema: TenantsShape },
    async answer({ caller }) {
      const found = isInstallationAdmin(caller) ? await all.list() : [await all.get(caller.tenant)];
      return { body: { items: found.map(answerOf) } };
    },
  });
  api.operation({
    id: 'addTenant', tag: TAG, method: 'POST', path: '/tenants', scope: 'admin',
    summary: 'Make a tenant: users, files and storage apart from all others', body: NewTenantShape,
    refusals: [409, 413],
    success: { status: 201, description: 'The tenant.', schema: TenantShape },
    async answer({ caller, body }) {
      checkInstallation(caller);
      const { policy } = body;
      const known = parts.administration?.policies ?? [];
      if (policy !== undefined && !known.includes(policy)) throw noPolicy();
      const tenant = await all.create(body);
      note(caller, {
        act: 'tenant-added', tenant: tenant.id, subject: tenant.id, note: `policy ${tenant.policy}`,
      });
      return { body: answerOf(tenant) };
    },
  });
}

async function userIn({ identity }: RestParts, caller: Caller, id: string): Promise<User> {
  return inReach(caller, await identity.users.find(idOrNone(id, parseUserId)), 'user');
}

async function groupIn({ identity }: RestParts, caller: Caller, id: string): Promise<Group> {
  return inReach(caller, await identity.groups.find(idOrNone(id, parseGroupId)), 'group');
}

/** What cannot be an id is nobody's: the store is asked for it all the same. */
function idOrNone<T extends UserId | GroupId>(raw: string, parse: (raw: string) => T): T {
  try {
    return parse(raw);
  } catch (error) {
    if (isKind(error, 'invalid')) return '' as T;
    throw error;
  }
}

async function* idsOf(ids: AsyncIterable<UserId>): AsyncGenerator<{ id: UserId }> {
  for await (const id of ids) yield { id };
}

async function* searched(users: AsyncIterable<User>, text: string): AsyncGenerator<User> {
  const wanted = text.trim().toLowerCase();
  for await (const user of users) {
    const { id, displayName, email = '' } = user;
    if ([id, displayName, email].some((one) => one.toLowerCase().includes(wanted))) yield user;
  }
}

/** One page of a list that comes by ascending id. */
async function pageBy<T extends { id: string }>(
  all: AsyncIterable<T>, list: string, query: { cursor?: string; limit?: number },
): Promise<{ items: T[]; nextCursor?: string }> {
  const { cursor, limit = LIST_LIMIT_DEFAULT } = query;
  const [after] = cursor === undefined ? [''] : readCursor(list, cursor, ['string']);
  const items: T[] = [];
  for await (const one of all) {
    if (one.id <= after) continue;
    if (items.length === limit) {
      return { items, nextCursor: makeCursor(list, items.at(-1)?.id ?? '') };
    }
    items.push(one);
  }
  return { items };
}

function userAnswer(user: User, groupIds?: readonly GroupId[]) {
  const { id, tenant, displayName, email, admin, disabled, createdAt } = user;
  const { hasPassword, hasSecondFactor } = user;
  return {
    id, tenant, displayName, ...(email !== undefined && { email }), isAdmin: admin,
    isDisabled: disabled, hasPassword, hasSecondFactor,
    ...(groupIds !== undefined && { groups: [...groupIds] }),
    createdAt: timeText(createdAt),
  };
}

function groupAnswer(
  { id, tenant, displayName, createdAt }: Pick<Group, 'displayName' | 'createdAt'> & {
    id: GroupId; tenant: TenantId;
  },
) {
  return { id, tenant, displayName, createdAt: timeText(createdAt) };
}

function notYourself(): HoldfastError {
  const message = 'You cannot shut yourself out. Ask another administrator.';
  return new HoldfastError('conflict', 'rest/changeUser', message, { code: 'yourself' });
}

function ownSecondFactor(): HoldfastError {
  const message = 'Turn your own second step off on the page of your account: it takes a code.';
  return new HoldfastError('conflict', 'rest/resetUserSecondFactor', message, { code: 'yourself' });
}

function noPolicy(): HoldfastError {
  const message = 'The settings have no storage policy of this name.';
  return new HoldfastError('not-found', 'rest/addTenant', message, { code: 'policy-missing' });
}
