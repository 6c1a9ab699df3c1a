/** The page of somebody who is signed in: how to connect, what is connected, room, password. */
import type { QuotaState } from '../../files/index.ts';
import type { QuarantineRecord } from '../../metadata/index.ts';
import type { Access } from '../../identity/index.ts';
import { DEVICE_NAME_CHARACTERS_MAX } from '../../identity/index.ts';
import { readableDevice } from './device-name.ts';
import type { Html } from './html.ts';
import { heldCard } from './held-card.ts';
import { html } from './html.ts';
import { formTokenField, note } from './layout.ts';
import type { SignedInRequest } from './page-request.ts';
import { show } from './page-request.ts';
import { readableBytes, readableDay } from './readable.ts';
import { newPasswordFields } from './setup-page.ts';

export interface HomeView {
  quota: QuotaState;
  appPasswords: readonly Access[];
  sessions: readonly Access[];
  /** Devices about which this person may decide. */
  held: readonly QuarantineRecord[];
  /** Where the web page is. */
  webPage?: string | undefined;
  /** What was just done, or refused. */
  done?: string | undefined;
  fault?: string | undefined;
  status?: number | undefined;
}

export function showHome(request: SignedInRequest, view: HomeView): void {
  const { exchange, visitor: { caller, formToken } } = request;
  show(request, {
    title: 'Your files',
    body: html`${note('good', view.done)}${note('bad', view.fault)}
${heldCard(view.held, request.visitor)}
${webCard(view.webPage)}
${connectCard(exchange.origin, caller.user)}
${quotaCard(view.quota)}
${devicesCard(view, formToken)}
${passwordCard(formToken, caller.user)}`,
  }, { status: view.status ?? 200 });
}

/** An app password, this once. */
export function showAppPassword(
  request: SignedInRequest, { device, password }: { device: string; password: string },
): void {
  show(request, {
    title: 'App password',
    narrow: true,
    body: html`<section class="card">
<h1>App password for</h1>
<strong class="device">${device}</strong>
<p>Type or paste it on the device. It is shown only now.</p>
<code class="copy secret">${password}</code>
<p>Your user name there is <code>${request.visitor.caller.user}</code>.</p>
<p><a class="button" href="/account#devices">Done</a></p>
</section>`,
  });
}

function webCard(webPage: string | undefined): Html | undefined {
  if (webPage === undefined) return undefined;
  return html`<p class="soft small">Two-step sign-in, QR codes and API tokens are in
<a href="${webPage}account">the account of the web page</a>.</p>`;
}

function connectCard(origin: string, user: string): Html {
  const files = `${origin}/remote.php/dav/files/${user}/`;
  return html`<section class="card">
<h1>Connect a device</h1>
<p id="address">The address of this server:</p>
<code class="copy" aria-describedby="address">${origin}</code>
<details><summary>Nextcloud, on a computer or a phone</summary>
<ol><li>Install the Nextcloud app and choose “Log in”.</li>
<li>Enter the address above. The app opens a page here.</li>
<li>Grant access, and go back to the app.</li></ol></details>
<details><summary>ownCloud desktop, version 2</summary>
<ol><li>Enter the address above.</li>
<li>Enter your user name <code>${user}</code> and an app password (make one below).</li></ol>
<p class="soft">Newer versions of that client need services that this server does not have. Take
the Nextcloud client instead.</p></details>
<details><summary>rclone</summary>
<p>With an app password from below:</p>
<code class="copy">rclone config create holdfast webdav url=${files} vendor=nextcloud user=${user}
pass=APP-PASSWORD</code></details>
<details><summary>Other programs that speak WebDAV</summary>
<p>The address of your files, with your user name <code>${user}</code> and an app password:</p>
<code class="copy">${origin}/dav/</code></details>
</section>`;
}

function quotaCard({ usedBytes, quotaBytes }: QuotaState): Html {
  const used = readableBytes(usedBytes);
  if (quotaBytes === undefined) {
    return html`<section class="card"><h2>Storage</h2>
<p>You use ${used}. There is no limit for you.</p></section>`;
  }
  const text = `${used} of ${readableBytes(quotaBytes)} are in use.`;
  const max = Math.max(quotaBytes, 1);
  return html`<section class="card"><h2>Storage</h2>
<p id="storage">${text}</p>
<meter aria-labelledby="storage" min="0" max="${max}" high="${Math.round(max * 0.9)}"
 value="${Math.min(usedBytes, max)}">${text}</meter></section>`;
}

function devicesCard({ appPasswords, sessions }: HomeView, formToken: string): Html {
  const devices = appPasswords.map((one) => deviceRow(one, 'app-password', formToken));
  const browsers = sessions.map((one) => deviceRow(one, 'session', formToken));
  return html`<section class="card" id="devices">
<h2>Connected devices</h2>
${devices.length === 0
    ? html`<p class="soft">None yet.</p>` : html`<ul class="list">${devices}</ul>`}
<h2>Make an app password</h2>
<p class="soft">For programs that ask for a user name and a password. One for each device, so that
you can shut out one alone.</p>
<form method="post" action="/devices/create">${formTokenField(formToken)}
<div class="field"><label for="device">Name of the device</label>
<input id="device" name="device" type="text" required maxlength="${DEVICE_NAME_CHARACTERS_MAX}"
 autocomplete="off" placeholder="Laptop in the kitchen"></div>
<button>Make app password</button></form>
</section>
<section class="card">
<h2>Browsers that are signed in</h2>
<ul class="list">${browsers}</ul>
</section>`;
}

function deviceRow(
  { id, device, createdAt, usedAt }: Access, kind: 'app-password' | 'session', formToken: string,
): Html {
  const used = usedAt === undefined ? 'not used yet' : `last used ${readableDay(usedAt)}`;
  const name = readableDevice(device);
  const act = kind === 'session' ? 'Sign out' : 'Disconnect';
  return html`<li><div class="what"><strong>${name}</strong><br>
<span class="soft small">since ${readableDay(createdAt)}, ${used}</span></div>
<form method="post" action="/devices/revoke">${formTokenField(formToken)}
<input type="hidden" name="kind" value="${kind}"><input type="hidden" name="id" value="${id}">
<button class="danger slim" aria-label="${act} ${name}">${act}</button></form></li>`;
}

function passwordCard(formToken: string, user: string): Html {
  return html`<section class="card">
<h2>Change your password</h2>
<p class="soft">Browsers are signed out then. Connected devices stay connected: they have app
passwords of their own.</p>
<form method="post" action="/password">${formTokenField(formToken)}
<input type="text" name="user" value="${user}" autocomplete="username" hidden>
<div class="field"><label for="old-password">Your password now</label>
<input id="old-password" name="old-password" type="password" autocomplete="current-password"
 required></div>
${newPasswordFields()}
<button>Change password</button></form>
</section>`;
}
