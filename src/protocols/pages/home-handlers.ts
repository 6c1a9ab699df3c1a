/** What somebody who is signed in can do on their page. */
import { HoldfastError } from '../../base/errors.ts';
import { retryAfterSeconds, statusOf } from '../status.ts';
import { readableDevice } from './device-name.ts';
import { decideHeld } from './held-card.ts';
import { showAppPassword, showHome } from './home-page.ts';
import { sendOn } from './layout.ts';
import type { PageHandler, PageParts, SignedInRequest } from './page-request.ts';
import { isSignedIn, readForm, sessionCookie } from './page-session.ts';
import { passwordsDiffer } from './setup-page.ts';

type SignedInHandler = (request: SignedInRequest) => Promise<void>;

/** Everybody else is sent to sign in. */
function signedIn(handler: SignedInHandler): PageHandler {
  return async ({ exchange, visitor }) => {
    if (isSignedIn(visitor)) return handler({ exchange, visitor });
    sendOn(exchange, '/login', visitor.headers);
  };
}

/** Sentences that a redirect may lead to, by a word in the address: never the address's own. */
const DONE: Readonly<Record<string, string>> = {
  password: 'Your password is changed. Other browsers are signed out.',
  revoked: 'Done: it cannot use your account any more.',
  'held-keep': 'Done: what the device has deleted and overwritten holds for all.',
  'held-undo': 'Done: the device gets the files back. What it had done is put aside as long as the '
    + 'trash is kept: an administrator can still make it.',
};

export function showHomeHandler(parts: PageParts): PageHandler {
  return signedIn(async (request) => {
    const said = request.exchange.query.get('done') ?? '';
    await showState(parts, request, { done: Object.hasOwn(DONE, said) ? DONE[said] : undefined });
  });
}

/** What `/` shows: the web page to whoever is signed in, where there is one. Whoever has to decide
 *  about a device that is held back is asked first. */
export function showStartHandler(parts: PageParts): PageHandler {
  const { webPage, brakes } = parts;
  if (webPage === undefined) return showHomeHandler(parts);
  return signedIn(async ({ exchange, visitor }) => {
    const waiting = await brakes?.listFor(visitor.caller) ?? [];
    sendOn(exchange, waiting.length > 0 ? '/account#held' : webPage);
  });
}

async function showState(
  { identity, files, brakes, webPage }: PageParts, request: SignedInRequest,
  remark: { done?: string | undefined; fault?: string; status?: number },
): Promise<void> {
  const { caller } = request.visitor;
  const [quota, appPasswords, sessions, held] = await Promise.all([
    files.quota(caller), identity.appPasswords.list(caller.user),
    identity.sessions.list(caller.user), brakes?.listFor(caller) ?? [],
  ]);
  showHome(request, { quota, appPasswords, sessions, held, webPage, ...remark });
}

/** Says what is wrong on the page that the form stood on. */
async function showFault(
  parts: PageParts, request: SignedInRequest, error: unknown,
): Promise<void> {
  if (!(error instanceof HoldfastError) || error.kind === 'internal') throw error;
  const seconds = retryAfterSeconds(error);
  if (seconds !== undefined) request.exchange.res.setHeader('Retry-After', seconds);
  // 401 would make browsers ask for a password in a window of their own.
  const status = error.kind === 'unauthenticated' ? 403 : statusOf(error);
  await showState(parts, request, { fault: error.message, status });
}

export function createDeviceHandler(parts: PageParts): PageHandler {
  return signedIn(async (request) => {
    const { exchange, visitor } = request;
    const form = await readForm(exchange, visitor);
    try {
      const device = form.get('device') ?? '';
      const { user } = visitor.caller;
      showAppPassword(request, await parts.identity.appPasswords.create(user, device));
    } catch (error) {
      await showFault(parts, request, error);
    }
  });
}

export function revokeDeviceHandler({ identity }: PageParts): PageHandler {
  return signedIn(async ({ exchange, visitor }) => {
    const form = await readForm(exchange, visitor);
    const { user } = visitor.caller;
    const list = form.get('kind') === 'session' ? identity.sessions : identity.appPasswords;
    await list.revoke(user, form.get('id') ?? '');
    sendOn(exchange, '/account?done=revoked#devices');
  });
}

export function decideHeldHandler(parts: PageParts): PageHandler {
  return signedIn(async (request) => {
    const { brakes } = parts;
    if (brakes === undefined) return sendOn(request.exchange, '/account');
    try {
      await decideHeld(brakes, request);
    } catch (error) {
      await showFault(parts, request, error);
    }
  });
}

export function changePasswordHandler(parts: PageParts): PageHandler {
  const { identity } = parts;
  return signedIn(async (request) => {
    const { exchange, visitor } = request;
    const form = await readForm(exchange, visitor);
    const { user } = visitor.caller;
    const { address } = exchange;
    const password = form.get('password') ?? '';
    try {
      if (password !== form.get('password-again')) throw passwordsDiffer();
      // All sessions end with the old password, this one too.
      const device = readableDevice(exchange.req.headers['user-agent'] ?? '');
      const session = await identity.sessions.changePassword({
        user, password: form.get('old-password') ?? '', newPassword: password, address, device,
      });
      const cookie = sessionCookie(exchange, session?.token);
      sendOn(exchange, '/account?done=password', { 'Set-Cookie': [cookie] });
    } catch (error) {
      await showFault(parts, request, error);
    }
  });
}
