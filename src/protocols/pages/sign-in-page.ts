/** Signing in and out of the pages. */
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import { retryAfterSeconds, statusOf } from '../status.ts';
import { readableDevice } from './device-name.ts';
import type { FlowTarget } from './flow-target.ts';
import { pageOf, parseFlowTarget, writeFlowTarget } from './flow-target.ts';
import { HalfSignIns } from './half-sign-in.ts';
import { html } from './html.ts';
import type { SendOptions } from './layout.ts';
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
export function signInHandler({ identity, clock }: PageParts & { clock: Clock }): PageHandler {
  const halves = new HalfSignIns(identity.sealFor('half sign-in'), clock);
  return async (request) => {
    const { exchange, visitor } = request;
    const form = await readForm(exchange, visitor);
    const target = parseFlowTarget(form.get('device'));
    const half = halves.read(form.get('half') ?? '', visitor);
    const user = half?.user ?? (form.get('user') ?? '').trim();
    const password = half?.password ?? form.get('password') ?? '';
    const code = form.get('code') ?? '';
    try {
      const session = await identity.sessions.signIn({
        user, password, code, address: exchange.address,
        device: readableDevice(exchange.req.headers['user-agent'] ?? ''),
      });
      sendOn(exchange, pageOf(target), { 'Set-Cookie': [sessionCookie(exchange, session.token)] });
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      if (error.kind !== 'unauthenticated' && error.kind !== 'busy') throw error;
      const isHalf = error.code === 'second-factor-required' || half !== undefined;
      if (error.code === 'sign-in-refused' || !isHalf) {
        return showForm(request, { target, user, fault: error });
      }
      const sealed = halves.issue({ user, password }, visitor);
      showCodeForm(request, { target, half: sealed, ...(code !== '' && { fault: error }) });
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
  }, answerOf(fault));
}

/** The second step. Browsers and password managers fill in a field that says what it is for. */
function showCodeForm(
  request: PageRequest, { target, half, fault }: {
    target: FlowTarget | undefined; half: string; fault?: HoldfastError;
  },
): void {
  show(request, {
    title: 'Enter the code',
    narrow: true,
    body: html`<section class="card">
<h1>One more step</h1>
<p>Enter the six digits that your authenticator app shows for this server.</p>
${note('bad', fault?.message)}
<form method="post" action="/login">
${formTokenField(request.visitor.formToken)}
${target && html`<input type="hidden" name="device" value="${writeFlowTarget(target)}">`}
<input type="hidden" name="half" value="${half}">
<div class="field"><label for="code">Code</label>
<input id="code" name="code" type="text" autocomplete="one-time-code" required maxlength="40"
 autocapitalize="none" spellcheck="false" aria-describedby="code-help"${AUTOFOCUS}>
<p class="soft small" id="code-help">No phone at hand? Enter one of your recovery codes
instead.</p></div>
<button class="wide">Sign in</button>
</form>
</section>
<p class="soft small"><a href="/login">Use another account</a></p>`,
  }, answerOf(fault));
}

/** A wrong password is answered with a page, so no challenge that would open a browser's dialog. */
function answerOf(fault: HoldfastError | undefined): SendOptions {
  const retrySeconds = fault && retryAfterSeconds(fault);
  return {
    status: fault === undefined ? 200 : fault.kind === 'busy' ? statusOf(fault) : 403,
    headers: retrySeconds === undefined ? {} : { 'Retry-After': retrySeconds },
  };
}
