/** Signing in and out of the pages. */
import { HoldfastError } from '../../base/errors.ts';
import { retryAfterSeconds, statusOf } from '../status.ts';
import { readableDevice } from './device-name.ts';
import type { FlowTarget } from './flow-target.ts';
import { pageOf, parseFlowTarget, writeFlowTarget } from './flow-target.ts';
import { html } from './html.ts';
import { formTokenField, note, sendOn } from './layout.ts';
import type { PageHandler, PageParts, PageRequest } from './page-request.ts';
import { show } from './page-request.ts';
import { isSignedIn, readForm, sessionCookie } from './page-session.ts';

const AUTOFOCUS = html` autofocus`;

interface SignInForm {
  target: FlowTarget | undefined;
  user: string;
  fault?: HoldfastError;
}

export const showSignIn: PageHandler = async (request) => {
  const { exchange, visitor } = request;
  const target = parseFlowTarget(exchange.query.get('device'));
  if (isSignedIn(visitor)) return sendOn(exchange, pageOf(target));
  showForm(request, { target, user: '' });
};

/** Failures are counted, and slowed down, by identity. */
export function signInHandler({ identity }: PageParts): PageHandler {
  return async (request) => {
    const { exchange, visitor } = request;
    const form = await readForm(exchange, visitor);
    const user = (form.get('user') ?? '').trim();
    const target = parseFlowTarget(form.get('device'));
    try {
      const session = await identity.sessions.signIn({
        user, password: form.get('password') ?? '', address: exchange.address,
        device: readableDevice(exchange.req.headers['user-agent'] ?? ''),
      });
      sendOn(exchange, pageOf(target), { 'Set-Cookie': [sessionCookie(exchange, session.token)] });
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      if (error.kind !== 'unauthenticated' && error.kind !== 'busy') throw error;
      showForm(request, { target, user, fault: error });
    }
  };
}

export function signOutHandler({ identity }: PageParts): PageHandler {
  return async ({ exchange, visitor }) => {
    await readForm(exchange, visitor);
    if (visitor.sessionToken !== undefined) await identity.sessions.signOut(visitor.sessionToken);
    sendOn(exchange, '/login', { 'Set-Cookie': [sessionCookie(exchange, undefined)] });
  };
}

function showForm(request: PageRequest, { target, user, fault }: SignInForm): void {
  const { formToken } = request.visitor;
  const retrySeconds = fault && retryAfterSeconds(fault);
  show(request, {
    title: 'Sign in',
    narrow: true,
    body: html`<section class="card">
<h1>Sign in</h1>
${target !== undefined && html`<p class="soft">Then you can connect your device.</p>`}
${note('bad', fault?.message)}
<form method="post" action="/login">
${formTokenField(formToken)}
${target && html`<input type="hidden" name="device" value="${writeFlowTarget(target)}">`}
<div class="field"><label for="user">User name</label>
<input id="user" name="user" type="text" value="${user}" autocomplete="username" required
 autocapitalize="none" spellcheck="false"${user === '' && AUTOFOCUS}></div>
<div class="field"><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required
${user !== '' && AUTOFOCUS}></div>
<button class="wide">Sign in</button>
</form>
</section>
<p class="soft small">No account yet, or the password is lost? Ask whoever runs this server.</p>`,
  }, {
    // A wrong password is answered with a page, so no challenge that would open a browser's dialog.
    status: fault === undefined ? 200 : fault.kind === 'busy' ? statusOf(fault) : 403,
    headers: retrySeconds === undefined ? {} : { 'Retry-After': retrySeconds },
  });
}
