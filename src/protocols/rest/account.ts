/** One's own account: tokens, devices, sessions, the password. */
import type { Static, TSchema } from 'typebox';
import { HoldfastError } from '../../base/errors.ts';
import type { UserId } from '../../base/ids.ts';
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
import { checkOwnSignIn, refusingProofs } from './own-sign-in.ts';
import type { RestParts } from './rest-parts.ts';
import { secondFactorResource } from './second-factor.ts';

const TAG = 'account';

export function accountResource(api: RestApi, parts: RestParts): void {
  ownAccount(api, parts);
  password(api, parts);
  secondFactorResource(api, parts);
  tokens(api, parts);
  devices(api, parts);
  sessions(api, parts);
}

function ownAccount(api: RestApi, parts: RestParts): void {
  const { identity } = parts;
  const show = async (caller: Caller) => {
    const user = await identity.users.get(caller.user);
    const { usedBytes, quotaBytes } = await parts.files.quota(caller);
    const { id, displayName, email, tenant, admin: isAdmin, createdAt } = user;
    const { hasPassword, hasSecondFactor } = user;
    return {
      id, displayName, tenant, isAdmin, hasPassword, hasSecondFactor,
      createdAt: timeText(createdAt),
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
}

function password(api: RestApi, { identity }: RestParts): void {
  api.operation({
    id: 'changePassword', tag: TAG, method: 'PUT', path: '/account/password', scope: 'account',
    summary: 'Change the own password: ends all sessions, and begins a new one for who asks by one',
    description: 'The old one is needed, whoever is signed in. App passwords and tokens stay.',
    body: PasswordChange, refusals: [429], answersSecret: true,
    success: { status: 204, description: 'It is changed.' },
    async answer({ caller, exchange, body, sessionToken }) {
      const { oldPassword, newPassword } = body;
      const device = readableDevice(exchange.req.headers['user-agent'] ?? '');
      const session = await refusingProofs(() => identity.sessions.changePassword({
        user: caller.user, password: oldPassword, newPassword, address: exchange.address,
        device: sessionToken === undefined ? undefined : device,
      }));
      if (session === undefined) return {};
      return { headers: { 'Set-Cookie': sessionCookie(exchange, session.token) } };
    },
  });
}

/** Something that people have several of: they list them, perhaps make one, and end one. */
interface Owned<List extends TSchema, Wish extends TSchema, Made extends TSchema> {
  readonly path: '/tokens' | '/devices' | '/sessions';
  readonly what: string;
  readonly list: Declared & { schema: List; of(caller: Caller): Promise<Static<List>> };
  readonly make?: Declared & {
    body: Wish; schema: Made; description: string;
    of(caller: Caller, wishes: Static<Wish>): Promise<Static<Made>>;
  };
  readonly end: Declared & { done: string; of(user: UserId, id: string): Promise<boolean> };
}

interface Declared {
  readonly id: string;
  readonly summary: string;
}

function owned<List extends TSchema, Wish extends TSchema, Made extends TSchema>(
  api: RestApi, { path, what, list, make, end }: Owned<List, Wish, Made>,
): void {
  const shared = { tag: TAG, path, scope: 'account' } as const;
  api.operation({
    ...shared, id: list.id, method: 'GET', summary: list.summary,
    success: { status: 200, description: 'Oldest first.', schema: list.schema },
    answer: async ({ caller }) => ({ body: await list.of(caller) }),
  });
  if (make !== undefined) {
    api.operation({
      ...shared, id: make.id, method: 'POST', summary: make.summary, body: make.body,
      description: 'Only who has signed in with the own password can, not a device or a token.',
      refusals: [413], answersSecret: true,
      success: { status: 201, description: make.description, schema: make.schema },
      answer: async ({ caller, body }) => ({ body: await make.of(caller, body) }),
    });
  }
  api.operation({
    ...shared, id: end.id, method: 'DELETE', path: `${path}/{id}`, summary: end.summary,
    params: ById, success: { status: 204, description: end.done },
    async answer({ caller, params }) {
      if (await end.of(caller.user, params.id)) return {};
      throw new HoldfastError('not-found', 'rest/account', `You have no such ${what}.`);
    },
  });
}

function tokens(api: RestApi, { identity: { apiTokens } }: RestParts): void {
  owned(api, {
    path: '/tokens', what: 'token',
    list: {
      id: 'listTokens', summary: 'The own tokens of this interface', schema: Tokens,
      of: async ({ user }) => ({ items: (await apiTokens.list(user)).map(tokenAnswer) }),
    },
    make: {
      id: 'makeToken', summary: 'Make a token for a program', body: NewTokenShape,
      description: 'With its secret.', schema: MadeToken,
      async of(caller, { label, scopes, expiresAt }) {
        const made = await apiTokens.create(caller, {
          label, scopes, ...(expiresAt !== undefined && { expiresAt: timeOf(expiresAt) }),
        });
        return { ...tokenAnswer(made), token: made.token };
      },
    },
    end: {
      id: 'revokeToken', summary: 'End a token', done: 'It works no more.',
      of: (user, id) => apiTokens.revoke(user, id),
    },
  });
}

function devices(api: RestApi, { identity: { appPasswords } }: RestParts): void {
  owned(api, {
    path: '/devices', what: 'device',
    list: {
      id: 'listDevices', summary: 'Devices that sign in with passwords of their own',
      schema: Devices,
      of: async ({ user }) => ({ items: (await appPasswords.list(user)).map(accessAnswer) }),
    },
    make: {
      id: 'connectDevice', summary: 'Make an app password for a device', body: NewDeviceShape,
      description: 'With its password.', schema: MadeDevice,
      async of(caller, { name }) {
        checkOwnSignIn(caller, 'Sign in with your own password to connect a device.');
        const { user } = caller;
        const made = await appPasswords.create(user, name);
        return { ...accessAnswer(made), user, password: made.password };
      },
    },
    end: {
      id: 'disconnectDevice', summary: 'Shut a device out', done: 'Its password works no more.',
      of: (user, id) => appPasswords.revoke(user, id),
    },
  });
}

function sessions(api: RestApi, { identity: { sessions: all } }: RestParts): void {
  owned(api, {
    path: '/sessions', what: 'session',
    list: {
      id: 'listSessions', summary: 'Browsers that are signed in', schema: BrowserSessions,
      of: async ({ user, credential, deviceId }) => ({
        items: (await all.list(user)).map((one) => ({
          ...accessAnswer(one), isCurrent: credential === 'session' && deviceId === one.id,
        })),
      }),
    },
    end: {
      id: 'endSession', summary: 'Sign a browser out', done: 'It is signed out.',
      of: (user, id) => all.revoke(user, id),
    },
  });
  api.operation({
    id: 'endOtherSessions', tag: TAG, method: 'DELETE', path: '/sessions', scope: 'account',
    summary: 'Sign all other browsers out',
    success: { status: 204, description: 'Only the session that asks goes on, if it is one.' },
    async answer({ caller: { user, credential, deviceId } }) {
      await all.revokeOthers(user, credential === 'session' ? deviceId : undefined);
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
