/** What the API administers of this program: its stores, verifiers, logs, settings and figures. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readNewestAudit } from '../audit/index.ts';
import { HoldfastError, isKind } from '../base/errors.ts';
import type { SpaceId, TenantId } from '../base/ids.ts';
import { verifyReport } from '../durability/index.ts';
import type { VerifyReport } from '../durability/index.ts';
import { SqliteVerifyStore } from '../durability/verify/stores/sqlite/sqlite-verify-store.ts';
import type { BrakeService, QuotaService } from '../files/index.ts';
import type { BatchRecord } from '../metadata/index.ts';
import type { PlainRecord } from '../operations/index.ts';
import type { Clock, Config, HttpServer } from '../platform/index.ts';
import { MinuteSeries } from '../protocols/index.ts';
import type { Administration, AdministrativeAct } from '../protocols/index.ts';
import type { Job } from '../wire/administration.ts';
import type { AuditNote } from './audit-trail.ts';
import type { BlockHome } from './block-home.ts';
import { readCollectionStatus } from './collection.ts';
import { homeOperations } from './home-operations.ts';
import { storageSettings } from './storage-policies.ts';
import type { Stores } from './stores.ts';
import { auditFolder } from './tenant-audit.ts';

const JOBS_MAX = 200;
const VERIFY_NOTES = 'verify.db';
/** Given by the API; what else operations do is done by commands. */
const ORDERS: ReadonlySet<string> = new Set(['disk.list', 'disk.plan', 'disk.apply']);

const { version: VERSION } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

export interface AdministrationSources {
  readonly dataPath: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly server: () => HttpServer | undefined;
  readonly note: (entry: AuditNote, tenant: TenantId) => void;
  /** The worst of the event loop since it was last asked, in milliseconds. */
  readonly loopDelayMs: () => number | undefined;
}

/** Its series begins at once, and is ended by whoever ends the server. */
export function openAdministration(
  { stores, quotas, brakes }: { stores: Stores; quotas: QuotaService; brakes: BrakeService },
  sources: AdministrationSources,
): Administration {
  const { dataPath, config, clock } = sources;
  const orders = homeOperations(stores, { isServing: true });
  const startedAt = clock.now();
  const series = new MinuteSeries(clock, {
    totals: () => sources.server()?.totals() ?? { requests: 0, errors: 0, buckets: [] },
    storedBytes: () => stores.blocks.state().storedBytes,
    loopDelayMs: sources.loopDelayMs,
  });
  return {
    quotas, brakes, series,
    policies: ['default', ...storageSettings(config).policies.keys()],
    async order(name, input) {
      const act = ORDERS.has(name) ? orders[name] : undefined;
      if (act === undefined) {
        throw new HoldfastError('internal', 'app/administration', 'No such operation.');
      }
      const { signal } = new AbortController(); // What was begun is ended.
      return act(input as PlainRecord, { progress: () => undefined, signal });
    },
    note: (act) => sources.note(entryOf(act), act.tenant),
    verification: (tenant) => verificationOf(stores, tenant, clock),
    jobs: (tenant) => jobsOf({ stores, dataPath, clock }, tenant),
    audit: (tenant, wanted) => readNewestAudit(auditFolder(dataPath, tenant), wanted),
    settings: () => config.list(),
    health: () => {
      const server = sources.server();
      return {
        state: server?.state ?? 'starting', startedAt, version: VERSION,
        requestsUnderWay: server?.inFlight ?? 0, storage: stores.blocks.state(),
        closedTenants: [...stores.homes.failed.keys()],
      };
    },
    async storage(tenant) {
      const home = await findHome(stores, tenant);
      const { damagedCount, refusesWrites } = (home ?? stores).blocks.state();
      const isElsewhere = (home ?? stores).backend.objects !== undefined;
      const opened = (home ?? stores).opened;
      return {
        copies: isElsewhere ? undefined : opened?.policy.copies ?? 1,
        waitingVolumes: opened?.repair.status().volumesWaiting ?? 0, damagedCount, refusesWrites,
      };
    },
  };
}

function entryOf({ act, by, subject, note }: AdministrativeAct): AuditNote {
  const { user, device, address } = by;
  return {
    act, user, device, subject, ...(address !== undefined && { from: address }),
    ...(note !== undefined && { note }),
  };
}

/** undefined: the tenant has stored nothing yet. */
async function findHome(
  { homes }: Pick<Stores, 'homes'>, tenant: TenantId,
): Promise<BlockHome | undefined> {
  try {
    return await homes.knownHome(tenant);
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  }
}

async function verificationOf(
  stores: Pick<Stores, 'homes'>, tenant: TenantId, clock: Clock,
): Promise<VerifyReport | undefined> {
  const home = await findHome(stores, tenant);
  const notes = home && SqliteVerifyStore.openReadonly(join(home.place.root, VERIFY_NOTES));
  if (notes === undefined) return undefined;
  try {
    return verifyReport(notes, clock.now());
  } finally {
    notes.close();
  }
}

interface JobSources {
  stores: Pick<Stores, 'homes' | 'metadata'>;
  dataPath: string;
  clock: Clock;
}

/** Newest first within each kind. */
async function jobsOf({ stores, dataPath, clock }: JobSources, tenant: TenantId): Promise<Job[]> {
  const { metadata } = stores;
  const jobs: Job[] = [];
  const tenants = new Map<SpaceId, TenantId>();
  for (const batch of await metadata.listBatches({}, JOBS_MAX)) {
    const { spaceId } = batch;
    if (!tenants.has(spaceId)) tenants.set(spaceId, (await metadata.getSpace(spaceId)).tenant);
    if (tenants.get(spaceId) === tenant) jobs.push(batchJob(batch));
  }
  const home = await findHome(stores, tenant);
  if (home === undefined) return jobs;
  const report = await verificationOf(stores, tenant, clock);
  for (const { id, lastBegunMs, lastEndedMs } of report?.verifiers ?? []) {
    if (lastBegunMs === undefined) continue;
    const isRunning = lastEndedMs === undefined || lastEndedMs < lastBegunMs;
    jobs.push({
      id: `verification ${id}`, kind: 'verification', state: isRunning ? 'running' : 'waiting',
      what: id, beganAt: timeText(lastBegunMs),
      ...(!isRunning && { endedAt: timeText(lastEndedMs) }),
    });
  }
  const { censuses: [census] } = await readCollectionStatus(dataPath, tenant, clock);
  if (census !== undefined) {
    const { begunAt, endedAt } = census;
    jobs.push({
      id: `census ${census.census}`, kind: 'collection',
      state: endedAt === undefined ? 'running' : 'waiting', beganAt: timeText(begunAt),
      ...(endedAt !== undefined && { endedAt: timeText(endedAt) }),
    });
  }
  const waiting = home.opened?.repair.status().volumesWaiting;
  if (waiting !== undefined) {
    jobs.push({
      id: 'repair', kind: 'repair', state: waiting > 0 ? 'running' : 'waiting', totalCount: waiting,
    });
  }
  return jobs;
}

function batchJob({ id, kind, state, by, at, endedAt, doneCount, skippedCount }: BatchRecord): Job {
  return {
    id: `batch ${id}`, kind, state: state === 'running' ? 'running' : 'done', by,
    beganAt: timeText(at), ...(endedAt !== undefined && { endedAt: timeText(endedAt) }),
    doneCount, skippedCount,
  };
}

function timeText(at: number): string {
  return new Date(at).toISOString();
}
