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
  hasSecondFactor: Type.Boolean({ description: 'The password alone does not sign in.' }),
  groups: Type.Array(Id),
  createdAt: Instant,
  quota: shape({ usedBytes: Bytes, limitBytes: Type.Optional(Bytes) }),
  signedInBy: oneOfWords(['password', 'app-password', 'session', 'api-token']),
}, { $id: 'Account' });

export const AccountChange = shape({
  displayName: Type.Optional(Type.String({ minLength: 1, maxLength: 120 })),
}, { $id: 'AccountChange' });

export const SecondFactorShape = shape({
  isOn: Type.Boolean(),
  since: Type.Optional(Instant),
  recoveryCodesLeft: Type.Integer({ minimum: 0 }),
}, { $id: 'SecondFactor', description: 'Codes by time (RFC 6238), asked for at sign-in.' });

const PASSWORD = Type.String({ minLength: 1, maxLength: 1024 });
const CODE = Type.String({
  minLength: 1, maxLength: 40, description: 'From an authenticator app, or a recovery code.',
});
export const OwnPassword = shape({ password: PASSWORD }, { $id: 'OwnPassword' });
export const OwnPasswordAndCode = shape({
  password: PASSWORD, code: CODE,
}, { $id: 'OwnPasswordAndCode' });
export const FirstCode = shape({
  code: Type.String({ minLength: 1, maxLength: 40 }),
}, { $id: 'FirstCode' });

export const NewSecondFactorShape = shape({
  secret: Type.String({ description: 'In base32, to be typed: shown now and never again.' }),
  address: Type.String({ description: 'otpauth://…, for a QR code.' }),
}, { $id: 'NewSecondFactor' });

export const RecoveryCodes = shape({
  codes: Type.Array(Type.String(), {
    description: 'Each is good once, instead of a code: shown now and never again.',
  }),
}, { $id: 'RecoveryCodes' });
