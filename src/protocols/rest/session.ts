/** Who is signed in; signing in and out with the cookie of the pages. */
import { HoldfastError } from '../../base/errors.ts';
import type { Caller } from '../../identity/index.ts';
import { SessionShape, SignIn } from '../../wire/session.ts';
import type { Session } from '../../wire/session.ts';
import { readableDevice } from '../pages/device-name.ts';
import { sessionCookie, visitorOf } from '../pages/page-session.ts';
import { NodeView } from './node-view.ts';
import type { RestApi } from './operation.ts';
import { checkOwnPage } from './rest-auth.ts';
import type { RestParts } from './rest-parts.ts';

/** Of this interface; docs/api.md says what may change within one. */
const API_VERSION = '1';
const TAG = 'session';

export function sessionResource(api: RestApi, parts: RestParts): void {
  const { identity } = parts;
  api.operation({
    id: 'getSession', tag: TAG, method: 'GET', path: '/session', scope: 'files:read',
    summary: 'Who is signed in, the quota, and the root of the own files',
    success: { status: 200, description: 'Whoever asks.', schema: SessionShape },
    answer: async ({ caller }) => ({ body: await sessionOf(parts, caller) }),
  });
  api.operation({
    id: 'signIn', tag: TAG, method: 'POST', path: '/session', scope: 'nobody',
    summary: 'Begin a session: sets the cookie',
    description: 'For pages of this server. Programs use tokens. Where a second step is on, the '
      + 'password alone is refused with the code second-factor-required: ask for a code, and send '
      + 'all of it again.',
    body: SignIn, refusals: [401, 403, 429],
    success: { status: 200, description: 'Signed in.', schema: SessionShape },
    async answer({ exchange, body }) {
      checkOwnPage(exchange);
      const session = await identity.sessions.signIn({
        user: body.user.trim(), password: body.password, code: body.code,
        address: exchange.address,
        device: readableDevice(exchange.req.headers['user-agent'] ?? ''),
      });
      return {
        body: await sessionOf(parts, { ...session.caller, address: exchange.address }),
        headers: { 'Set-Cookie': sessionCookie(exchange, session.token) },
      };
    },
  });
  api.operation({
    id: 'signOut', tag: TAG, method: 'DELETE', path: '/session', scope: 'nobody',
    summary: 'End the session of the cookie',
    success: { status: 204, description: 'Signed out, or nobody was signed in.' },
    async answer({ exchange }) {
      checkOwnPage(exchange);
      const { sessionToken } = await visitorOf(exchange, identity);
      if (sessionToken !== undefined) await identity.sessions.signOut(sessionToken);
      return { headers: { 'Set-Cookie': sessionCookie(exchange, undefined) } };
    },
  });
}

async function sessionOf(parts: RestParts, caller: Caller): Promise<Session> {
  const { files, identity } = parts;
  const user = await identity.users.find(caller.user);
  if (user === undefined) {
    throw new HoldfastError('unauthenticated', 'rest/session', 'This account is gone.');
  }
  const { node } = await files.get(caller, []);
  const { usedBytes, quotaBytes } = await files.quota(caller);
  return {
    user: {
      id: caller.user, displayName: caller.displayName, isAdmin: caller.admin,
      tenant: caller.tenant, ...(user.email !== undefined && { email: user.email }),
    },
    quota: { usedBytes, ...(quotaBytes !== undefined && { limitBytes: quotaBytes }) },
    root: await new NodeView(parts, caller).one({ path: [], node }),
    server: { name: 'Holdfast', version: API_VERSION },
  };
}
