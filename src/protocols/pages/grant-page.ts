/**
 * "Connect this device to your account?": the browser's side of both login flows.
 *
 * Whoever grants lets somebody in, so the page says plainly what was asked for by whom, and that
 * only a request that one has just made oneself is to be granted: an address of this page may come
 * from a stranger. Nothing happens without the button, whose form is guarded like every other.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { Exchange } from '../../platform/index.ts';
import { readableDevice } from './device-name.ts';
import { flowTargetOf, pageOf, signInPageOf } from './flow-target.ts';
import type { FlowTarget } from './flow-target.ts';
import { html } from './html.ts';
import { formTokenField, sendOn } from './layout.ts';
import type { PageHandler, PageParts, PageRequest, SignedInRequest } from './page-request.ts';
import { show } from './page-request.ts';
import { isSignedIn, readForm } from './page-session.ts';

/** Login Flow v1 begins with a page. Only an app can send this header; a link cannot, so nobody is
 *  led into the flow from elsewhere. */
export function beginFlow1Handler({ identity }: PageParts): PageHandler {
  return async ({ exchange }) => {
    const { headers } = exchange.req;
    if (headers['ocs-apirequest'] === undefined) {
      const message = 'This page is opened by an app that you connect. Start from the app.';
      throw new HoldfastError('denied', 'pages/beginFlow1', message);
    }
    // Kept like a flow of version 2, whose device never comes to ask.
    const { flowToken } = await identity.loginFlows.begin(headers['user-agent'] ?? '');
    sendOn(exchange, pageOf({ version: 1, token: flowToken }));
  };
}

/** `token` is the last part of the address. */
export function showGrantHandler(parts: PageParts, version: 1 | 2): PageHandler {
  return async (request) => {
    const { exchange, visitor } = request;
    const target = targetOf(exchange, version);
    const device = target && await findDevice(parts, target);
    if (target === undefined || device === undefined) return showOver(request);
    if (!isSignedIn(visitor)) return sendOn(exchange, signInPageOf(target), visitor.headers);
    showQuestion({ exchange, visitor }, { target, device });
  };
}

export function grantHandler(parts: PageParts, version: 1 | 2): PageHandler {
  return async (request) => {
    const { exchange, visitor } = request;
    const target = targetOf(exchange, version);
    const form = await readForm(exchange, visitor);
    const device = target && await findDevice(parts, target);
    if (target === undefined || device === undefined) return showOver(request);
    if (!isSignedIn(visitor)) return sendOn(exchange, signInPageOf(target), visitor.headers);
    if (form.get('answer') !== 'grant') return showCancelled(request);
    const { loginFlows, appPasswords } = parts.identity;
    // Uses the flow up, so that pressing the button twice does not let in twice.
    await loginFlows.grant(target.token, visitor.caller);
    if (version === 2) return showGranted(request, device);
    const { user } = visitor.caller;
    const { password } = await appPasswords.create(user, device);
    sendOn(exchange, appAddress(exchange, user, password));
  };
}

/** How an app of Login Flow v1 is told, on its own screen, what it may use. */
function appAddress({ origin }: Exchange, user: string, password: string): string {
  return `nc://login/server:${origin}&user:${encodeURIComponent(user)}`
    + `&password:${encodeURIComponent(password)}`;
}

function targetOf({ path }: Exchange, version: 1 | 2): FlowTarget | undefined {
  return flowTargetOf(version, path.slice(path.lastIndexOf('/') + 1));
}

async function findDevice(
  { identity }: PageParts, { token }: FlowTarget,
): Promise<string | undefined> {
  const flow = await identity.loginFlows.find(token);
  return flow && readableDevice(flow.device);
}

function showQuestion(
  request: SignedInRequest, { target, device }: { target: FlowTarget; device: string },
): void {
  const { formToken, caller } = request.visitor;
  show(request, {
    title: 'Connect a device',
    narrow: true,
    body: html`<section class="card">
<h1>Connect this device to your account?</h1>
<p class="soft">A device that calls itself</p>
<strong class="device">${device}</strong>
<p>wants to sign in as <strong>${caller.displayName}</strong> (${caller.user}). It will be able to
see, change and delete all your files.</p>
<p>Grant this only if you have just started it yourself. If somebody sent you the link to this
page, choose Cancel.</p>
<form method="post" action="${pageOf(target)}">
${formTokenField(formToken)}
<div class="row stack"><button name="answer" value="grant">Grant access</button>
<button name="answer" value="cancel" class="quiet">Cancel</button></div>
</form>
</section>`,
  }, target.version === 1 ? { formTarget: 'nc:' } : {});
}

function showGranted(request: PageRequest, device: string): void {
  show(request, {
    title: 'Connected',
    narrow: true,
    body: html`<section class="card">
<h1>Connected</h1>
<strong class="device">${device}</strong>
<p>may now use your account. Close this window and go back to the app.</p>
<p class="soft">You can end this at any time on <a href="/account#devices">your page</a>.</p>
</section>`,
  });
}

function showCancelled(request: PageRequest): void {
  show(request, {
    title: 'Cancelled',
    narrow: true,
    body: html`<section class="card">
<h1>Nothing was connected</h1>
<p>The device was not let in. You can close this window.</p>
</section>`,
  });
}

function showOver(request: PageRequest): void {
  show(request, {
    title: 'This request is over',
    narrow: true,
    body: html`<section class="card">
<h1>This request is over</h1>
<p>It was answered already, or it waited for more than 20 minutes.
Start again on the device that you want to connect.</p>
</section>`,
  }, { status: 404 });
}
