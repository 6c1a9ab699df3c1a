/** Handing files over, retention, and the collection of garbage, for administrators. */
import { hash } from 'node:crypto';
import { HoldfastError } from '../../base/errors.ts';
import { parseUserId } from '../../base/ids.ts';
import type { TenantId } from '../../base/ids.ts';
import type { TransferOrder, TransferPlan, TransferReport } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import { TenantQuery } from '../../wire/people.ts';
import {
  CollectionShape, RetentionChange, RetentionRow, RetentionSubject, TransferOrderShape,
  TransferShape,
} from '../../wire/upkeep.ts';
import type { Administration, RetentionState } from './administration.ts';
import { pathOfText, timeText } from './node-view.ts';
import { ById } from './nodes.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';
import { spaceIdOf } from './teams-admin.ts';
import { checkInstallation, inReach, isInstallationAdmin, tenantMeant } from './tenant-rights.ts';

const TAG = 'administration';
/** Named in a plan; the rest is counted. */
const SHARES_SHOWN_MAX = 1_000;

export function upkeepAdminResource(api: RestApi, parts: RestParts): void {
  const { administration } = parts;
  if (administration === undefined) return;
  transfers(api, parts, administration);
  retention(api, parts, administration);
  collection(api, administration);
}

function transfers(api: RestApi, parts: RestParts, administration: Administration): void {
  api.operation({
    id: 'transferFiles', tag: TAG, method: 'POST', path: '/users/{id}/transfer', scope: 'admin',
    summary: 'Plan, then do: hand the files of an account over to another one, or to a team',
    description: 'With folders, times, shares and links, in one step. First without planEtag: it '
      + 'answers the plan. Then with the etag of that plan, and it is done unless something has '
      + 'changed; the answer then tells what there was before and after.',
    params: ById, body: TransferOrderShape, refusals: [409, 412, 413, 423, 503, 507],
    success: { status: 200, description: 'The plan, done or not.', schema: TransferShape },
    async answer({ caller, params, body, exchange: { signal } }) {
      const { planEtag, folder = '/' } = body;
      const from = inReach(caller, await parts.identity.users.find(parseUserId(params.id)), 'user');
      const to = await receiverIn(parts, caller, body);
      const order = { from: from.id, to, folder: pathOfText(folder) };
      const { transfers: all } = administration;
      const plan = await all.plan(caller, order, signal);
      const answer = planAnswer(plan);
      if (planEtag === undefined) return { body: { ...answer, isDone: false } };
      if (planEtag !== answer.etag) throw planChanged();
      const report = await all.transfer(caller, order);
      noteTransfer(administration, caller, report);
      return { body: { ...answer, isDone: true, report: reportAnswer(report) } };
    },
  });
}

/** @throws not-found: also for what is of a tenant that the caller does not administer. */
async function receiverIn(
  { identity, administration }: RestParts, caller: Caller,
  { toUser, toSpaceId }: { toUser?: string; toSpaceId?: string },
): Promise<TransferOrder['to']> {
  if ((toUser === undefined) === (toSpaceId === undefined)) throw noReceiver();
  if (toUser !== undefined) {
    const user = parseUserId(toUser);
    return { user: inReach(caller, await identity.users.find(user), 'user').id };
  }
  const team = spaceIdOf(toSpaceId ?? '');
  await administration?.teams.get(caller, team);
  return { team };
}

function noteTransfer(
  administration: Administration, caller: Caller, { plan, after, differences }: TransferReport,
): void {
  const { fileCount, sizeBytes, shareCount, linkCount } = after;
  administration.note({
    act: 'files-transferred', tenant: plan.tenant, subject: plan.from, by: byOf(caller),
    note: `to ${plan.to}: ${fileCount} files, ${sizeBytes} bytes, ${shareCount} shares, `
      + `${linkCount} links, ${differences.length} differences`,
  });
}

function planAnswer(plan: TransferPlan) {
  const { from, to, folderName, fileCount, folderCount, sizeBytes, shares, received } = plan;
  const { oldVersionCount, trashCount, trashBytes, isInterrupted, notes, objections } = plan;
  const said = {
    from, to, folderName, fileCount, folderCount, sizeBytes, shareCount: shares.length,
    receivedCount: received.length, oldVersionCount, trashCount, trashBytes, isInterrupted,
    notes: [...notes], objections: [...objections],
    shares: shares.slice(0, SHARES_SHOWN_MAX).map(({ kind, whom, role, path, ...share }) => ({
      kind, whom, role, path, hasPassword: share.hasPassword,
      ...(share.expiresAt !== undefined && { until: timeText(share.expiresAt) }),
    })),
  };
  return { ...said, etag: hash('sha256', JSON.stringify([said, shares])).slice(0, 32) };
}

function reportAnswer({ before, after, linksKept, remainingCount, differences }: TransferReport) {
  const figures = ({ fileCount, folderCount, sizeBytes, shareCount, linkCount }: typeof before) => (
    { fileCount, folderCount, sizeBytes, shareCount, linkCount });
  return {
    before: figures(before), after: figures(after), linksKept, remainingCount,
    differences: [...differences],
  };
}

function retention(api: RestApi, parts: RestParts, administration: Administration): void {
  const { retention: rules } = administration;
  api.operation({
    id: 'getRetention', tag: TAG, method: 'GET', path: '/retention', scope: 'admin',
    summary: 'For how long what is past is kept: of a user, a space or a tenant',
    query: RetentionSubject,
    success: { status: 200, description: 'What was set, and what is in force.',
      schema: RetentionRow },
    async answer({ caller, query }) {
      const row = await rules.show(await whoseOf(parts, caller, query));
      return { body: retentionAnswer(inTenant(caller, row)) };
    },
  });
  api.operation({
    id: 'setRetention', tag: TAG, method: 'PUT', path: '/retention', scope: 'admin',
    summary: 'Say for how long what is past is kept',
    description: 'What a shorter time lets go is forgotten within an hour or so, and does not come '
      + 'back. A rule of a space comes before that of its tenant, and that before the settings.',
    body: RetentionChange,
    success: { status: 200, description: 'As it is now.', schema: RetentionRow },
    async answer({ caller, body: { keepAllDays, keepDailyDays, trashKeepDays, ...named } }) {
      const whose = await whoseOf(parts, caller, named);
      const before = inTenant(caller, await rules.show(whose));
      const after = await rules.set(whose, { keepAllDays, keepDailyDays, trashKeepDays });
      const subject = after.kind === 'team' ? `team space ${after.spaceId}` : after.subject;
      administration.note({
        act: 'retention-set', tenant: after.tenant, subject, by: byOf(caller),
        note: `${ruleText(before)} before, ${ruleText(after)} now`,
      });
      return { body: retentionAnswer(after) };
    },
  });
}

async function whoseOf(
  { identity }: RestParts, caller: Caller,
  wanted: { user?: string; spaceId?: string; tenant?: string },
): Promise<Parameters<Administration['retention']['show']>[0]> {
  const { user, spaceId, tenant } = wanted;
  if ([user, spaceId, tenant].filter((one) => one !== undefined).length > 1) {
    const message = 'Name a user, a space, or a tenant.';
    throw new HoldfastError('invalid', 'rest/retention', message, { code: 'retention-subject' });
  }
  if (user !== undefined) {
    return { user: inReach(caller, await identity.users.find(parseUserId(user)), 'user').id };
  }
  if (spaceId !== undefined) return { space: spaceIdOf(spaceId) };
  return { tenant: (await identity.tenants.get(tenantMeant(caller, tenant))).id };
}

/** @throws not-found: it is of a tenant that the caller does not administer. */
function inTenant(caller: Caller, row: RetentionState): RetentionState {
  if (row.tenant === caller.tenant || isInstallationAdmin(caller)) return row;
  throw new HoldfastError('not-found', 'rest/retention', 'There is no such space.');
}

function retentionAnswer({ kind, subject, tenant, spaceId, rule, policy }: RetentionState) {
  const { keepAllDays, keepDailyDays, trashKeepDays } = policy;
  return {
    kind, subject, tenant, rule, policy: { keepAllDays, keepDailyDays, trashKeepDays },
    ...(spaceId !== undefined && { spaceId: String(spaceId) }),
  };
}

function ruleText({ policy: { keepAllDays, keepDailyDays, trashKeepDays } }: RetentionState) {
  return `history ${keepAllDays}, versions-daily ${keepDailyDays}, trash ${trashKeepDays}`;
}

function collection(api: RestApi, administration: Administration): void {
  const { collection: garbage } = administration;
  const show = async (tenant: TenantId) => {
    const { isOn, isRunning, status } = await garbage.show(tenant);
    const { censuses, trash, unlinkedCount, unlinkedBytes } = status;
    return {
      isOn, isRunning, unlinkedVolumes: unlinkedCount, unlinkedBytes,
      trashVolumes: trash.length,
      trashBytes: trash.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      censuses: censuses.map(({ census: number, begunAt, endedAt, ...rest }) => {
        const { referenceCount, absentCount, unmetCount, unmetBytes } = rest;
        const { condemnedCount, condemnedBytes, pendingBytes } = rest;
        return {
          number, beganAt: timeText(begunAt), referenceCount, absentCount, unmetCount, unmetBytes,
          condemnedCount, condemnedBytes, pendingBytes,
          ...(endedAt !== undefined && { endedAt: timeText(endedAt) }),
        };
      }),
    };
  };
  api.operation({
    id: 'getCollection', tag: TAG, method: 'GET', path: '/collection', scope: 'admin',
    summary: 'What is garbage, what waits to be given back, and what was', query: TenantQuery,
    success: { status: 200, description: 'As the collector has noted.', schema: CollectionShape },
    answer: async ({ caller, query }) => ({ body: await show(tenantMeant(caller, query.tenant)) }),
  });
  api.operation({
    id: 'startCollection', tag: TAG, method: 'POST', path: '/collection', scope: 'admin',
    summary: 'Collect garbage now, instead of at its time',
    description: 'Nothing is removed sooner than it would be: what nobody needs waits for two '
      + 'looks a day apart, and then two weeks in the trash.',
    query: TenantQuery, refusals: [409],
    success: { status: 202, description: 'It has begun.', schema: CollectionShape },
    async answer({ caller, query }) {
      checkInstallation(caller); // It is work for disks that all share.
      const tenant = tenantMeant(caller, query.tenant);
      garbage.start(tenant);
      const act = 'collection-begun';
      administration.note({ act, tenant, subject: tenant, by: byOf(caller) });
      return { body: await show(tenant) };
    },
  });
}

function byOf({ user, device, address }: Caller) {
  return { user, device, ...(address !== undefined && { address }) };
}

function noReceiver(): HoldfastError {
  const message = 'Say who gets the files: a user, or a team\'s space.';
  return new HoldfastError('invalid', 'rest/transferFiles', message, { code: 'transfer-receiver' });
}

function planChanged(): HoldfastError {
  const message = 'Something has changed since this was planned. Look at the new plan.';
  return new HoldfastError('precondition', 'rest/transferFiles', message, { code: 'plan-changed' });
}
