/** What people keep in order about their own accounts. */
import { Type } from 'typebox';
import { Bytes, Id, Instant, oneOfWords, shape } from './shapes.ts';

export const ScopeWord = oneOfWords(
  ['files:read', 'files:write', 'sharing', 'account', 'admin'],
  'What a token may be used for. Each stands alone: files:write does not let anybody read.',
);

export const TokenShape = shape({
  id: Id,
  label: Type.String(),
  scopes: Type.Array(ScopeWord),
  createdAt: Instant,
  lastUsedAt: Type.Optional(Instant),
  expiresAt: Type.Optional(Instant),
}, { $id: 'Token' });

export const Tokens = shape({ items: Type.Array(TokenShape) }, { $id: 'Tokens' });

export const NewTokenShape = shape({
  label: Type.String({ minLength: 1, maxLength: 120 }),
  scopes: Type.Array(ScopeWord, { minItems: 1, maxItems: 5 }),
  expiresAt: Type.Optional(Instant),
}, { $id: 'NewToken' });

export const MadeToken = shape({
  ...TokenShape.properties,
  token: Type.String({ description: 'The secret: shown now and never again.' }),
}, { $id: 'MadeToken' });

const ACCESS = {
  id: Id,
  name: Type.String({ description: 'The device, as a person would recognise it.' }),
  createdAt: Instant,
  lastUsedAt: Type.Optional(Type.String({
    format: 'date-time', description: 'Up to an hour behind.',
  })),
};

export const DeviceShape = shape(ACCESS, {
  $id: 'Device', description: 'A device with a password of its own.',
});
export const Devices = shape({ items: Type.Array(DeviceShape) }, { $id: 'Devices' });
export const NewDeviceShape = shape({
  name: Type.String({ minLength: 1, maxLength: 120 }),
}, { $id: 'NewDevice' });
export const MadeDevice = shape({
  ...ACCESS, user: Id,
  password: Type.String({ description: 'The app password: shown now and never again.' }),
}, { $id: 'MadeDevice' });

export const BrowserSession = shape({
  ...ACCESS, isCurrent: Type.Boolean({ description: 'It is the one that asks.' }),
}, { $id: 'BrowserSession' });
export const BrowserSessions = shape({
  items: Type.Array(BrowserSession),
}, { $id: 'BrowserSessions' });

export const PasswordChange = shape({
  oldPassword: Type.String({ minLength: 1, maxLength: 1024 }),
  newPassword: Type.String({ minLength: 1, maxLength: 1024 }),
}, { $id: 'PasswordChange' });

export const AccountShape = shape({
  id: Id,
  displayName: Type.String(),
  email: Type.Optional(Type.String()),
  tenant: Id,
  isAdmin: Type.Boolean(),
  hasPassword: Type.Boolean(),
  groups: Type.Array(Id),
  createdAt: Instant,
  quota: shape({ usedBytes: Bytes, limitBytes: Type.Optional(Bytes) }),
  signedInBy: oneOfWords(['password', 'app-password', 'session', 'api-token']),
}, { $id: 'Account' });

export const AccountChange = shape({
  displayName: Type.Optional(Type.String({ minLength: 1, maxLength: 120 })),
}, { $id: 'AccountChange' });
