/** One's own account: tokens, devices, sessions, the password. */
import { HoldfastError } from '../../base/errors.ts';
import type { Access, ApiToken, Caller } from '../../identity/index.ts';
import {
  AccountChange, AccountShape, BrowserSessions, Devices, MadeDevice, MadeToken, NewDeviceShape,
  NewTokenShape, PasswordChange, Tokens,
} from '../../wire/account.ts';
import { readableDevice } from '../pages/device-name.ts';
import { sessionCookie } from '../pages/page-session.ts';
import { timeOf } from './node-changes.ts';
import { timeText } from './node-view.ts';
import { ById } from './nodes.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';

const TAG = 'account';

export function accountResource(api: RestApi, parts: RestParts): void {
  ownAccount(api, parts);
  tokens(api, parts);
  devices(api, parts);
  sessions(api, parts);
}

function ownAccount(api: RestApi, parts: RestParts): void {
  const { identity } = parts;
  const show = async (caller: Caller) => {
    const user = await identity.users.get(caller.user);
    const { usedBytes, quotaBytes } = await parts.files.quota(caller);
    const { id, displayName, email, tenant, admin: isAdmin, hasPassword, createdAt } = user;
    return {
      id, displayName, tenant, isAdmin, hasPassword, createdAt: timeText(createdAt),
      ...(email !== undefined && { email }), groups: [...caller.groups],
      quota: { usedBytes, ...(quotaBytes !== undefined && { limitBytes: quotaBytes }) },
      signedInBy: caller.credential,
    };
  };
  api.operation({
    id: 'getAccount', tag: TAG, method: 'GET', path: '/account', scope: 'account',
    summary: 'The own account',
    success: { status: 200, description: 'It.', schema: AccountShape },
    answer: async ({ caller }) => ({ body: await show(caller) }),
  });
  api.operation({
    id: 'changeAccount', tag: TAG, method: 'PATCH', path: '/account', scope: 'account',
    summary: 'Change the name that others see',
    body: AccountChange,
    success: { status: 200, description: 'As it is now.', schema: AccountShape },
    async answer({ caller, body: { displayName } }) {
      if (displayName !== undefined) await identity.users.setDisplayName(caller.user, displayName);
      return { body: await show(caller) };
    },
  });
  api.operation({
    id: 'changePassword', tag: TAG, method: 'PUT', path: '/account/password', scope: 'account',
    summary: 'Change the own password: ends all sessions, and begins a new one for who asks by one',
    description: 'The old one is needed, whoever is signed in. App passwords and tokens stay.',
    body: PasswordChange, refusals: [429], answersSecret: true,
    success: { status: 204, description: 'It is changed.' },
    async answer({ caller, exchange, body, sessionToken }) {
      const { user } = caller;
      const { address } = exchange;
      const { oldPassword, newPassword: password } = body;
      await checkOwn(parts, { user, password: oldPassword, address });
      await identity.users.setPassword(user, password);
      if (sessionToken === undefined) return {};
      const device = readableDevice(exchange.req.headers['user-agent'] ?? '');
      const session = await identity.sessions.signIn({ user, password, address, device });
      return { headers: { 'Set-Cookie': sessionCookie(exchange, session.token) } };
    },
  });
}

/** 403, not 401: a page would take that for a session that is over. @throws denied. */
async function checkOwn(
  { identity }: RestParts, credentials: { user: string; password: string; address: string },
): Promise<void> {
  try {
    if ((await identity.authenticateBasic(credentials)).credential === 'password') return;
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.kind !== 'unauthenticated') throw error;
  }
  const message = 'The old password is wrong. Enter the one that you sign in here with, no app '
    + 'password.';
  throw new HoldfastError('denied', 'rest/changePassword', message, { code: 'password-wrong' });
}

function tokens(api: RestApi, parts: RestParts): void {
  const { apiTokens } = parts.identity;
  api.operation({
    id: 'listTokens', tag: TAG, method: 'GET', path: '/tokens', scope: 'account',
    summary: 'The own tokens of this interface',
    success: { status: 200, description: 'Oldest first.', schema: Tokens },
    answer: async ({ caller }) => ({
      body: { items: (await apiTokens.list(caller.user)).map(tokenAnswer) },
    }),
  });
  api.operation({
    id: 'makeToken', tag: TAG, method: 'POST', path: '/tokens', scope: 'account',
    summary: 'Make a token for a program',
    description: 'Only who has signed in with the own password can, not a device or a token.',
    body: NewTokenShape, refusals: [413], answersSecret: true,
    success: { status: 201, description: 'With its secret.', schema: MadeToken },
    async answer({ caller, body: { label, scopes, expiresAt } }) {
      const made = await apiTokens.create(caller, {
        label, scopes, ...(expiresAt !== undefined && { expiresAt: timeOf(expiresAt) }),
      });
      return { body: { ...tokenAnswer(made), token: made.token } };
    },
  });
  api.operation({
    id: 'revokeToken', tag: TAG, method: 'DELETE', path: '/tokens/{id}', scope: 'account',
    summary: 'End a token', params: ById,
    success: { status: 204, description: 'It works no more.' },
    async answer({ caller, params }) {
      if (!await apiTokens.revoke(caller.user, params.id)) throw nothingOf('token');
      return {};
    },
  });
}

function devices(api: RestApi, parts: RestParts): void {
  const { appPasswords } = parts.identity;
  api.operation({
    id: 'listDevices', tag: TAG, method: 'GET', path: '/devices', scope: 'account',
    summary: 'Devices that sign in with passwords of their own',
    success: { status: 200, description: 'Oldest first.', schema: Devices },
    answer: async ({ caller }) => ({
      body: { items: (await appPasswords.list(caller.user)).map(accessAnswer) },
    }),
  });
  api.operation({
    id: 'connectDevice', tag: TAG, method: 'POST', path: '/devices', scope: 'account',
    summary: 'Make an app password for a device',
    description: 'Only who has signed in with the own password can, not a device or a token.',
    body: NewDeviceShape, refusals: [413], answersSecret: true,
    success: { status: 201, description: 'With its password.', schema: MadeDevice },
    async answer({ caller, body: { name } }) {
      checkOwnSignIn(caller);
      const made = await appPasswords.create(caller.user, name);
      const { user } = caller;
      return { body: { ...accessAnswer(made), user, password: made.password } };
    },
  });
  api.operation({
    id: 'disconnectDevice', tag: TAG, method: 'DELETE', path: '/devices/{id}', scope: 'account',
    summary: 'Shut a device out', params: ById,
    success: { status: 204, description: 'Its password works no more.' },
    async answer({ caller, params }) {
      if (!await appPasswords.revoke(caller.user, params.id)) throw nothingOf('device');
      return {};
    },
  });
}

function sessions(api: RestApi, parts: RestParts): void {
  const { sessions: all } = parts.identity;
  api.operation({
    id: 'listSessions', tag: TAG, method: 'GET', path: '/sessions', scope: 'account',
    summary: 'Browsers that are signed in',
    success: { status: 200, description: 'Oldest first.', schema: BrowserSessions },
    async answer({ caller }) {
      const items = (await all.list(caller.user)).map((one) => ({
        ...accessAnswer(one),
        isCurrent: caller.credential === 'session' && caller.deviceId === one.id,
      }));
      return { body: { items } };
    },
  });
  api.operation({
    id: 'endSession', tag: TAG, method: 'DELETE', path: '/sessions/{id}', scope: 'account',
    summary: 'Sign a browser out', params: ById,
    success: { status: 204, description: 'It is signed out.' },
    async answer({ caller, params }) {
      if (!await all.revoke(caller.user, params.id)) throw nothingOf('session');
      return {};
    },
  });
}

function tokenAnswer({ device: label, scopes, expiresAt, id, createdAt, usedAt }: ApiToken) {
  return {
    id, label, scopes: [...scopes], createdAt: timeText(createdAt),
    ...(usedAt !== undefined && { lastUsedAt: timeText(usedAt) }),
    ...(expiresAt !== undefined && { expiresAt: timeText(expiresAt) }),
  };
}

function accessAnswer({ id, device: name, createdAt, usedAt }: Access) {
  return {
    id, name, createdAt: timeText(createdAt),
    ...(usedAt !== undefined && { lastUsedAt: timeText(usedAt) }),
  };
}

/** Else a stolen device could make itself further passwords that outlive its own. */
function checkOwnSignIn({ credential }: Caller): void {
  if (credential === 'password' || credential === 'session') return;
  const message = 'Sign in with your own password to connect a device.';
  throw new HoldfastError('denied', 'rest/connectDevice', message, { code: 'own-password' });
}

function nothingOf(what: string): HoldfastError {
  return new HoldfastError('not-found', 'rest/account', `You have no such ${what}.`);
}
