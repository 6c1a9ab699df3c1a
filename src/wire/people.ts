/** Accounts, groups and tenants, as administrators keep them. */
import { Type } from 'typebox';
import { Id, Instant, PAGING, pageOf, shape } from './shapes.ts';

const NAME = Type.String({ minLength: 1, maxLength: 120 });
const PASSWORD = Type.String({ minLength: 1, maxLength: 1024 });

/** Of a list that belongs to a tenant. */
export const OF_TENANT = {
  tenant: Type.Optional(Type.String({
    minLength: 1, maxLength: 32,
    description: 'Which tenant\'s; the own one without it. Only administrators of the installation '
      + 'can name another.',
  })),
};
export const TenantQuery = shape(OF_TENANT);
export const TenantPaging = shape({ ...OF_TENANT, ...PAGING });
export const UsersQuery = shape({
  ...OF_TENANT, ...PAGING,
  search: Type.Optional(Type.String({
    maxLength: 200, description: 'Only those whose id, name or mail address holds this.',
  })),
});

export const ManagedUser = shape({
  id: Id,
  tenant: Id,
  displayName: Type.String(),
  email: Type.Optional(Type.String()),
  isAdmin: Type.Boolean(),
  isDisabled: Type.Boolean(),
  hasPassword: Type.Boolean(),
  hasSecondFactor: Type.Boolean(),
  groups: Type.Optional(Type.Array(Id, { description: 'Only of one user, not in lists.' })),
  createdAt: Instant,
}, { $id: 'User' });
export const ManagedUsers = pageOf(ManagedUser, 'Users');

export const NewUserShape = shape({
  id: Type.String({
    minLength: 1, maxLength: 64, description: 'Lower-case letters, digits, and . _ - @; for good.',
  }),
  ...OF_TENANT,
  password: Type.Optional(PASSWORD),
  displayName: Type.Optional(NAME),
  email: Type.Optional(Type.String({ minLength: 3, maxLength: 320 })),
  isAdmin: Type.Optional(Type.Boolean()),
}, { $id: 'NewUser' });

export const UserChange = shape({
  displayName: Type.Optional(NAME),
  email: Type.Optional(Type.Union([
    Type.String({ minLength: 3, maxLength: 320 }), Type.Null(),
  ], { description: 'null: none from now on.' })),
  isAdmin: Type.Optional(Type.Boolean()),
  isDisabled: Type.Optional(Type.Boolean({
    description: 'A disabled account is kept out on all devices; nothing of it is deleted.',
  })),
}, { $id: 'UserChange' });

export const NewPassword = shape({ password: PASSWORD }, { $id: 'NewPassword' });

export const GroupShape = shape({
  id: Id, tenant: Id, displayName: Type.String(), createdAt: Instant,
}, { $id: 'Group' });
export const GroupsShape = pageOf(GroupShape, 'Groups');
export const NewGroupShape = shape({
  id: Type.String({ minLength: 1, maxLength: 64, description: 'For good, and never used again.' }),
  ...OF_TENANT,
  displayName: Type.Optional(NAME),
}, { $id: 'NewGroup' });
export const MembersShape = pageOf(Id, 'Members');

export const TenantShape = shape({
  id: Id, title: Type.String(),
  policy: Type.String({ description: 'Where and how its files lie: a storage policy.' }),
  createdAt: Type.Optional(Instant),
}, { $id: 'Tenant' });
export const TenantsShape = shape({ items: Type.Array(TenantShape) }, { $id: 'Tenants' });
export const NewTenantShape = shape({
  id: Type.String({ minLength: 1, maxLength: 32 }),
  title: Type.Optional(NAME),
  policy: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
}, { $id: 'NewTenant' });
