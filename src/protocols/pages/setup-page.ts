/** The first start: whoever has the link from the server's console makes the first account. */
import { HoldfastError } from '../../base/errors.ts';
import { PASSWORD_CHARACTERS_MIN } from '../../identity/index.ts';
import { statusOf } from '../status.ts';
import { readableDevice } from './device-name.ts';
import { html } from './html.ts';
import { formTokenField, note, sendOn } from './layout.ts';
import type { PageHandler, PageParts, PageRequest } from './page-request.ts';
import { show } from './page-request.ts';
import { readForm, sessionCookie } from './page-session.ts';

interface SetupForm {
  token: string;
  user: string;
  displayName: string;
  fault?: HoldfastError;
}

export function showSetupHandler({ identity }: PageParts): PageHandler {
  return async (request) => {
    const token = request.exchange.query.get('token') ?? '';
    if (token === '' || !(await identity.isSetupLinkUsable(token))) return showOver(request);
    showForm(request, { token, user: '', displayName: '' });
  };
}

export function setupHandler({ identity }: PageParts): PageHandler {
  return async (request) => {
    const { exchange, visitor } = request;
    const form = await readForm(exchange, visitor);
    const token = form.get('token') ?? '';
    const user = (form.get('user') ?? '').trim();
    const displayName = (form.get('display-name') ?? '').trim();
    const password = form.get('password') ?? '';
    try {
      if (password !== form.get('password-again')) throw passwordsDiffer();
      const wanted = { user, password, ...(displayName !== '' && { displayName }) };
      await identity.useSetupLink(token, wanted);
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.kind === 'internal') throw error;
      if (error.code === 'setup-link-over') return showOver(request);
      return showForm(request, { token, user, displayName, fault: error });
    }
    const device = readableDevice(exchange.req.headers['user-agent'] ?? '');
    const { address } = exchange;
    const session = await identity.sessions.signIn({ user, password, address, device });
    sendOn(exchange, '/', { 'Set-Cookie': [sessionCookie(exchange, session.token)] });
  };
}

export function passwordsDiffer(): HoldfastError {
  const message = 'The two passwords differ. Please type the same one twice.';
  return new HoldfastError('invalid', 'pages/password', message, { code: 'passwords-differ' });
}

function showForm(request: PageRequest, { token, user, displayName, fault }: SetupForm): void {
  show(request, {
    title: 'Welcome',
    narrow: true,
    body: html`<section class="card">
<h1>Welcome to Holdfast</h1>
<p>Make your account. It will be the administrator of this server.</p>
${note('bad', fault?.message)}
<form method="post" action="/setup">
${formTokenField(request.visitor.formToken)}
<input type="hidden" name="token" value="${token}">
<div class="field"><label for="user">User name</label>
<input id="user" name="user" type="text" value="${user}" autocomplete="username" required
 maxlength="64" autocapitalize="none" spellcheck="false" aria-describedby="user-hint" autofocus>
<p class="hint" id="user-hint">Lower-case letters, digits, and . _ - @</p></div>
<div class="field"><label for="display-name">Your name <span class="soft">(optional)</span></label>
<input id="display-name" name="display-name" type="text" value="${displayName}"
 autocomplete="name" maxlength="120"></div>
${newPasswordFields()}
<button class="wide">Create account</button>
</form>
</section>`,
  }, { status: fault === undefined ? 200 : statusOf(fault) === 405 ? 409 : statusOf(fault) });
}

/** A new password, twice. */
export function newPasswordFields(): ReturnType<typeof html> {
  const charactersMin = PASSWORD_CHARACTERS_MIN;
  return html`<div class="field"><label for="password">New password</label>
<input id="password" name="password" type="password" autocomplete="new-password" required
 minlength="${charactersMin}" aria-describedby="password-hint">
<p class="hint" id="password-hint">At least ${charactersMin} characters. A few words in a row are
easy to keep and hard to guess.</p></div>
<div class="field"><label for="password-again">The same password again</label>
<input id="password-again" name="password-again" type="password" autocomplete="new-password"
 required></div>`;
}

function showOver(request: PageRequest): void {
  show(request, {
    title: 'This link is over',
    narrow: true,
    body: html`<section class="card">
<h1>This link is no longer valid</h1>
<p>It works once, for 24 hours, and only until the first account is there.</p>
<p>If you have no account yet, restart the server: it prints a new link.
Otherwise <a href="/login">sign in</a>.</p>
</section>`,
  }, { status: 403 });
}
