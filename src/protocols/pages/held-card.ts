/** Devices that are held back, on the page of who may decide about them. */
import type { BrakeService } from '../../files/index.ts';
import type { QuarantineRecord } from '../../metadata/index.ts';
import { HoldfastError } from '../../base/errors.ts';
import { readableDevice } from './device-name.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import { formTokenField, sendOn } from './layout.ts';
import type { SignedIn } from './page-session.ts';
import { readForm } from './page-session.ts';
import type { SignedInRequest } from './page-request.ts';

export function heldCard(
  quarantines: readonly QuarantineRecord[], { caller, formToken }: SignedIn,
): Html | undefined {
  if (quarantines.length === 0) return undefined;
  return html`<section class="card" id="held">
<h1>Much was deleted or overwritten at once</h1>
<p>The device sees it done; all others still have the files. Was it meant so?</p>
<ul class="list">${quarantines.map((one) => heldRow(one, { user: caller.user, formToken }))}</ul>
</section>`;
}

function heldRow(
  { id, user, device, heldCount, state }: QuarantineRecord,
  own: { user: string; formToken: string },
): Html {
  const name = readableDevice(device);
  const whose = user === own.user ? '' : ` of ${user}`;
  const count = heldCount === 1 ? '1 file or folder waits'
    : `${heldCount} files and folders wait`;
  const form = (decision: 'keep' | 'undo', label: string): Html => html`
<form method="post" action="/held">${formTokenField(own.formToken)}
<input type="hidden" name="id" value="${id}">
<input type="hidden" name="decision" value="${decision}">
<button class="slim" aria-label="${label}: ${name}">${label}</button></form>`;
  const forms = [form('undo', 'No: give the files back'), form('keep', 'Yes: do it for all')];
  return html`<li><div class="what"><strong>${name}</strong>${whose}<br>
<span class="soft small">${count} for your decision</span></div>
${state === 'open' ? forms : html`<span class="soft">being done</span>`}</li>`;
}

/** @throws as BrakeService.keep and undo. */
export async function decideHeld(
  brakes: BrakeService, { exchange, visitor }: SignedInRequest,
): Promise<void> {
  const form = await readForm(exchange, visitor);
  const { user, device, admin, tenant } = visitor.caller;
  const by = { user, device, isAdmin: admin, tenant };
  const id = Number(form.get('id'));
  const decision = form.get('decision');
  if (!Number.isSafeInteger(id) || id < 1) throw unclear();
  if (decision === 'keep') await brakes.keep(id, by);
  else if (decision === 'undo') await brakes.undo(id, by);
  else throw unclear();
  sendOn(exchange, `/account?done=held-${decision}`);
}

function unclear(): HoldfastError {
  return new HoldfastError('invalid', 'pages/decideHeld', 'This form is not whole. Try again.');
}
