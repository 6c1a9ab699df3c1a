/** Disks, quotas, verifiers, jobs, settings, health and figures, for administrators. */
import { HoldfastError } from '../../base/errors.ts';
import { parseSpaceId, parseUserId } from '../../base/ids.ts';
import { FINDING_KINDS } from '../../durability/index.ts';
import type { QuotaRow, QuotaSubject } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import {
  DiskOrder, DiskPlanShape, DisksShape, HealthShape, JobsShape, QuotaChange, QuotaRows,
  QuotaRowShape, SeriesQuery, SeriesShape, SettingsShape, StorageShape, VerifiersShape,
} from '../../wire/administration.ts';
import { TenantQuery } from '../../wire/people.ts';
import type { Administration, ShownStorage } from './administration.ts';
import { timeText } from './node-view.ts';
import { ById } from './nodes.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';
import { checkInstallation, inReach, isInstallationAdmin, tenantMeant } from './tenant-rights.ts';

const TAG = 'administration';

export function storageAdminResource(api: RestApi, parts: RestParts): void {
  const { administration } = parts;
  if (administration === undefined) return;
  quotas(api, parts, administration);
  disks(api, administration);
  verifiers(api, administration);
  ofTheServer(api, administration);
}

function quotas(api: RestApi, parts: RestParts, administration: Administration): void {
  const { quotas: all } = administration;
  api.operation({
    id: 'listQuotas', tag: TAG, method: 'GET', path: '/quotas', scope: 'admin',
    summary: 'How much is used and may be used, by space and of a tenant', query: TenantQuery,
    success: { status: 200, description: 'The tenant first.', schema: QuotaRows },
    async answer({ caller, query }) {
      const tenant = tenantMeant(caller, query.tenant);
      const { rows, isWhole } = await all.list();
      const ofTenant = await all.of({ kind: 'tenant', tenant });
      const items = [ofTenant, ...rows.filter((row) => row.tenant === tenant)].map(quotaAnswer);
      return { body: { items, isWhole } };
    },
  });
  api.operation({
    id: 'setQuota', tag: TAG, method: 'PUT', path: '/quotas', scope: 'admin',
    summary: 'Say how much a user, a space or a tenant may store',
    description: 'In force at once; what is stored already stays. Only administrators of the '
      + 'installation can limit a tenant.',
    body: QuotaChange,
    success: { status: 200, description: 'As it is now.', schema: QuotaRowShape },
    async answer({ caller, body }) {
      const subject = await subjectOf(parts, caller, body);
      const before = await all.of(subject);
      if (before.tenant !== caller.tenant && !isInstallationAdmin(caller)) throw noSpace();
      await all.set(subject, body.limitBytes ?? undefined);
      const after = await all.of(subject);
      const { user, device, address } = caller;
      administration.note({
        act: 'quota-set', tenant: after.tenant, subject: after.subject,
        note: `${limitText(before)} before, ${limitText(after)} now`,
        by: { user, device, ...(address !== undefined && { address }) },
      });
      return { body: quotaAnswer(after) };
    },
  });
}

async function subjectOf(
  { identity }: RestParts, caller: Caller,
  wanted: { user?: string; spaceId?: string; tenant?: string },
): Promise<QuotaSubject> {
  const { user, spaceId, tenant } = wanted;
  if ([user, spaceId, tenant].filter((one) => one !== undefined).length !== 1) {
    const message = 'Say whose quota it is: a user\'s, a space\'s, or a tenant\'s.';
    throw new HoldfastError('invalid', 'rest/setQuota', message, { code: 'quota-subject' });
  }
  if (user !== undefined) {
    const found = inReach(caller, await identity.users.find(parseUserId(user)), 'user');
    return { kind: 'user', user: found.id, tenant: found.tenant };
  }
  if (spaceId !== undefined) return { kind: 'space', spaceId: parseSpaceId(Number(spaceId)) };
  checkInstallation(caller); // Else a tenant could give itself all there is.
  return { kind: 'tenant', tenant: (await identity.tenants.get(tenantMeant(caller, tenant))).id };
}

function quotaAnswer(row: QuotaRow) {
  const { kind, subject, tenant, spaceId, usedBytes, reservedBytes, quotaBytes } = row;
  return {
    kind, subject, tenant, usedBytes, ...(spaceId !== undefined && { spaceId: String(spaceId) }),
    ...(reservedBytes !== undefined && { reservedBytes }),
    ...(quotaBytes !== undefined && { limitBytes: quotaBytes }),
  };
}

function limitText({ quotaBytes }: QuotaRow): string {
  return quotaBytes === undefined ? 'no quota' : `a quota of ${quotaBytes} bytes`;
}

/** As `disk.list` answers. */
interface DiskList {
  single: boolean;
  storedBytes?: number;
  policy?: { copies: number };
  disks?: {
    id: string; where: string; state: string; answers: boolean; silentMs?: number;
    labels: { host: string; rack: string; zone: string };
    freeBytes?: number; totalBytes?: number;
    volumeCount: number; volumeBytes: number; neededCount: number;
  }[];
  repair?: {
    volumesWaiting: number; toDoBytes: number; doneBytes: number; remainingMs?: number;
    damaged: unknown[]; blocked: unknown[];
  };
  erasure?: { sets: number; ending: number; blocked: unknown[] };
}

/** As `disk.plan` answers. */
interface Plan {
  action: string;
  diskId: string;
  volumeCount: number;
  volumeBytes: number;
  objections: string[];
  notes: string[];
  etag: string;
}

/** They are parts of the machine: those of every tenant are the installation's. */
function disks(api: RestApi, administration: Administration): void {
  api.operation({
    id: 'listDisks', tag: TAG, method: 'GET', path: '/disks', scope: 'admin',
    summary: 'Disks, and copies that are being made anew', query: TenantQuery, refusals: [409],
    success: { status: 200, description: 'Disks.', schema: DisksShape },
    async answer({ caller, query }) {
      checkInstallation(caller);
      const tenant = tenantMeant(caller, query.tenant);
      const list = await administration.order('disk.list', { tenant }) as DiskList;
      return { body: disksAnswer(list) };
    },
  });
  api.operation({
    id: 'getStorage', tag: TAG, method: 'GET', path: '/storage', scope: 'admin',
    summary: 'Where the files of a tenant lie, and how often', query: TenantQuery,
    success: { status: 200, description: 'At this moment.', schema: StorageShape },
    async answer({ caller, query }) {
      const shown = await administration.storage(tenantMeant(caller, query.tenant));
      return { body: storageAnswer(shown) };
    },
  });
  api.operation({
    id: 'changeDisk', tag: TAG, method: 'POST', path: '/disks/{id}', scope: 'admin',
    summary: 'Plan, then do: empty a disk, keep it after all, or let it go',
    description: 'First without planEtag: it answers the plan. Then with the etag of that plan, '
      + 'and it is done unless something has changed.',
    params: ById, body: DiskOrder, refusals: [409, 412],
    success: { status: 200, description: 'The plan, done or not.', schema: DiskPlanShape },
    async answer({ caller, params: { id: diskId }, body }) {
      checkInstallation(caller);
      const { tenant: wanted, action, acceptLoss = false, planEtag } = body;
      const order = { tenant: tenantMeant(caller, wanted), action, diskId, acceptLoss };
      const plan = planAnswer(await administration.order('disk.plan', order) as Plan);
      if (planEtag === undefined) return { body: { ...plan, isDone: false } };
      if (planEtag !== plan.etag) throw planChanged();
      if (plan.objections.length > 0) throw refused();
      const { action: planned, ...rest } = plan;
      await administration.order('disk.apply', { ...order, plan: { ...rest, action: planned } });
      return { body: { ...plan, isDone: true } };
    },
  });
}

function storageAnswer(storage: ShownStorage) {
  const { kind, copies, diskCount, storedBytes, waitingVolumes, damagedCount } = storage;
  const { refusesWrites, mirror } = storage;
  return {
    kind, diskCount, storedBytes, waitingVolumes, damagedCount,
    ...(copies !== undefined && { copies }),
    ...(refusesWrites !== undefined && { refusesWrites }),
    ...(mirror !== undefined && {
      mirror: {
        lagBlocks: mirror.lagBlocks, lagBytes: mirror.lagBytes, isRefusing: mirror.isRefusing,
        ...(mirror.comparedMs !== undefined && { comparedAt: timeText(mirror.comparedMs) }),
      },
    }),
  };
}

function disksAnswer(list: DiskList) {
  const { single, storedBytes, policy, disks: all = [], repair, erasure } = list;
  return {
    isSingle: single, ...(storedBytes !== undefined && { storedBytes }),
    ...(policy !== undefined && { copies: policy.copies }),
    items: all.map(({ labels: { host, rack, zone }, ...disk }) => {
      const { id, where, state, answers, silentMs, freeBytes, totalBytes } = disk;
      const { volumeCount, volumeBytes, neededCount } = disk;
      return {
        id, where, host, rack, zone, state, answers, volumeCount, volumeBytes, neededCount,
        ...(silentMs !== undefined && { silentMs }), ...(freeBytes !== undefined && { freeBytes }),
        ...(totalBytes !== undefined && { totalBytes }),
      };
    }),
    ...(repair !== undefined && {
      repair: {
        volumesWaiting: repair.volumesWaiting, toDoBytes: repair.toDoBytes,
        doneBytes: repair.doneBytes, damagedCount: repair.damaged.length,
        blockedCount: repair.blocked.length,
        ...(repair.remainingMs !== undefined && { remainingMs: repair.remainingMs }),
      },
    }),
    ...(erasure !== undefined && {
      erasure: {
        sets: erasure.sets, ending: erasure.ending, blockedCount: erasure.blocked.length,
      },
    }),
  };
}

function planAnswer(plan: Plan): Plan {
  const { action, diskId, volumeCount, volumeBytes, objections, notes, etag } = plan;
  return { action, diskId, volumeCount, volumeBytes, objections, notes, etag };
}

function verifiers(api: RestApi, administration: Administration): void {
  api.operation({
    id: 'listVerifiers', tag: TAG, method: 'GET', path: '/verifiers', scope: 'admin',
    summary: 'What was checked of a tenant\'s storage, how long ago, and what was found',
    query: TenantQuery,
    success: { status: 200, description: 'All verifiers.', schema: VerifiersShape },
    async answer({ caller, query }) {
      const report = await administration.verification(tenantMeant(caller, query.tenant));
      if (report === undefined) {
        return { body: { hasRun: false, items: [], findings: [], openDamage: 0, openNotices: 0 } };
      }
      return { body: { hasRun: true, ...verifiersAnswer(report) } };
    },
  });
  api.operation({
    id: 'listJobs', tag: TAG, method: 'GET', path: '/jobs', scope: 'admin',
    summary: 'What goes on in the background, and what went on lately', query: TenantQuery,
    success: { status: 200, description: 'Jobs.', schema: JobsShape },
    answer: async ({ caller, query }) => ({
      body: { items: await administration.jobs(tenantMeant(caller, query.tenant)) },
    }),
  });
}

type Report = NonNullable<Awaited<ReturnType<Administration['verification']>>>;

function verifiersAnswer({ verifiers: all, findings, ...report }: Report) {
  const { openDamage, openNotices, provedMs } = report;
  return {
    openDamage, openNotices, ...(provedMs !== undefined && { provedAt: timeText(provedMs) }),
    items: all.map(({ id, unit, cycleMs, coverage, ...status }) => {
      const { lastBegunMs, lastEndedMs, idleReason } = status;
      const { checked, total, oldestUncheckedMs } = coverage;
      return {
        id, unit, cycleMs, checked, total,
        ...(oldestUncheckedMs !== undefined && { oldestUncheckedAt: timeText(oldestUncheckedMs) }),
        ...(lastBegunMs !== undefined && { lastBegunAt: timeText(lastBegunMs) }),
        ...(lastEndedMs !== undefined && { lastEndedAt: timeText(lastEndedMs) }),
        ...(idleReason !== undefined && { idleReason }),
        openDamage: status.openDamage, openNotices: status.openNotices, days: status.days,
      };
    }),
    findings: findings.filter(({ state }) => state === 'open').map((finding) => {
      const { id, verifier, kind, severity, where, firstSeenMs, lastSeenMs, times } = finding;
      return {
        id, verifier, kind, says: FINDING_KINDS[kind].says, severity, where, times,
        firstSeenAt: timeText(firstSeenMs), lastSeenAt: timeText(lastSeenMs),
      };
    }),
  };
}

function ofTheServer(api: RestApi, administration: Administration): void {
  api.operation({
    id: 'listSettings', tag: TAG, method: 'GET', path: '/configuration', scope: 'admin',
    summary: 'The settings in force and where each comes from; of secrets nothing',
    success: { status: 200, description: 'Settings.', schema: SettingsShape },
    async answer({ caller }) {
      checkInstallation(caller);
      return { body: { items: administration.settings().map((one) => ({ ...one })) } };
    },
  });
  api.operation({
    id: 'getHealth', tag: TAG, method: 'GET', path: '/health', scope: 'admin',
    summary: 'How the server is',
    success: { status: 200, description: 'At this moment.', schema: HealthShape },
    async answer({ caller }) {
      checkInstallation(caller);
      const { startedAt, storage, closedTenants, ...health } = administration.health();
      const { refusesWrites, blockCount, storedBytes, queuedBytes, damagedCount } = storage;
      return {
        body: {
          ...health, startedAt: timeText(startedAt), closedTenants: [...closedTenants],
          storage: {
            blockCount, storedBytes, queuedBytes, damagedCount,
            ...(refusesWrites !== undefined && { refusesWrites }),
          },
        },
      };
    },
  });
  api.operation({
    id: 'getSeries', tag: TAG, method: 'GET', path: '/series', scope: 'admin',
    summary: 'Figures of the last 24 hours or of the last minutes, for plots', query: SeriesQuery,
    success: { status: 200, description: 'Step by step.', schema: SeriesShape },
    async answer({ caller, query }) {
      checkInstallation(caller);
      const series = administration[query.range === 'live' ? 'liveSeries' : 'series'];
      const minutes = series.list();
      const column = (name: 'requests' | 'errors' | 'p50Ms' | 'p99Ms' | 'storedBytes'
        | 'loopDelayMs' | 'listeners') => minutes.map((one) => one[name] ?? null);
      return {
        body: {
          stepMs: series.stepMs, at: minutes.map(({ at }) => timeText(at)),
          requests: column('requests'), errors: column('errors'), p50Ms: column('p50Ms'),
          p99Ms: column('p99Ms'), storedBytes: column('storedBytes'),
          loopDelayMs: column('loopDelayMs'), listeners: column('listeners'),
        },
      };
    },
  });
}

function noSpace(): HoldfastError {
  return new HoldfastError('not-found', 'rest/setQuota', 'There is no such space.');
}

function planChanged(): HoldfastError {
  const message = 'Something has changed since this was planned. Look at the new plan.';
  return new HoldfastError('precondition', 'rest/changeDisk', message, { code: 'plan-changed' });
}

function refused(): HoldfastError {
  const message = 'This cannot be done: the plan says why.';
  return new HoldfastError('conflict', 'rest/changeDisk', message, { code: 'plan-refused' });
}
