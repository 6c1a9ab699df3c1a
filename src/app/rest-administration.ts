/** What the API administers of this program: its stores, verifiers, logs, settings and figures. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readNewestAudit } from '../audit/index.ts';
import { HoldfastError, isKind } from '../base/errors.ts';
import type { SpaceId, TenantId } from '../base/ids.ts';
import { verifyReport } from '../durability/index.ts';
import type { GcStatus, VerifyReport } from '../durability/index.ts';
import { SqliteVerifyStore } from '../durability/verify/stores/sqlite/sqlite-verify-store.ts';
import type {
  BrakeService, QuotaService, TeamService, TransferService,
} from '../files/index.ts';
import { filesSlice } from '../files/index.ts';
import type { BatchRecord } from '../metadata/index.ts';
import type { PlainRecord } from '../operations/index.ts';
import type { Clock, Config, HttpServer } from '../platform/index.ts';
import { MinuteSeries } from '../protocols/index.ts';
import type { Administration, AdministrativeAct, SeriesSources } from '../protocols/index.ts';
import type { Job } from '../wire/administration.ts';
import type { AuditNote } from './audit-trail.ts';
import type { BlockHome } from './block-home.ts';
import { readCollectionStatus } from './collection.ts';
import type { CollectionSchedule } from './collection.ts';
import { homeOperations } from './home-operations.ts';
import { retentionOperations } from './retention-operations.ts';
import { storageSettings } from './storage-policies.ts';
import type { Stores } from './stores.ts';
import { auditFolder } from './tenant-audit.ts';

const JOBS_MAX = 200;
const VERIFY_NOTES = 'verify.db';
/** Of the last quarter of an hour. */
const LIVE_STEPS = { stepMs: 10_000, stepsMax: 90 };
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
  /** Whose metadata cannot be reached. */
  readonly tenantsAway: () => readonly TenantId[];
  /** One for each series: the worst of the event loop since it was last asked, in milliseconds. */
  readonly loopDelays: readonly [() => number | undefined, () => number | undefined];
  /** undefined: nothing is collected there. */
  readonly collector: (tenant: TenantId) => CollectionSchedule | undefined;
}

/** Services that the API administers. */
export interface AdministeredServices {
  readonly stores: Stores;
  readonly quotas: QuotaService;
  readonly brakes: BrakeService;
  readonly teams: TeamService;
  readonly transfers: TransferService;
  /** Connections that wait for changes. */
  readonly listeners: () => number;
}

/** Its series begins at once, and is ended by whoever ends the server. */
export function openAdministration(
  { stores, quotas, brakes, teams, transfers, listeners }: AdministeredServices,
  sources: AdministrationSources,
): Administration {
  const { dataPath, config, clock } = sources;
  const orders = homeOperations(stores, { isServing: true });
  const startedAt = clock.now();
  const figures = {
    totals: () => sources.server()?.totals() ?? { requests: 0, errors: 0, buckets: [] },
    storedBytes: () => stores.blocks.state().storedBytes, listeners,
  } satisfies Partial<SeriesSources>;
  const [ofMinutes, ofSteps] = sources.loopDelays;
  const series = new MinuteSeries(clock, { ...figures, loopDelayMs: ofMinutes });
  const liveSeries = new MinuteSeries(clock, { ...figures, loopDelayMs: ofSteps }, LIVE_STEPS);
  return {
    quotas, brakes, teams, transfers, series, liveSeries,
    retention: retentionRules(stores, sources),
    collection: collecting(sources),
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
        closedTenants: [...new Set([...stores.homes.failed.keys(), ...sources.tenantsAway()])],
      };
    },
    async storage(tenant) {
      const home = await findHome(stores, tenant);
      if (home !== undefined) return storageOf(home);
      // Nothing is stored yet: how it will be kept is known, and what others have is not theirs.
      return { ...await storageOf(stores), storedBytes: 0, damagedCount: 0, waitingVolumes: 0 };
    },
  };
}

async function storageOf(
  { blocks, backend, opened }: Pick<BlockHome, 'blocks' | 'backend' | 'opened'>,
): Promise<ShownStorage> {
  const { objects, mirror } = backend;
  const { damagedCount, refusesWrites, storedBytes } = blocks.state();
  const { lag, refusal, comparison } = mirror?.status() ?? {};
  return {
    kind: objects === undefined ? 'disks' : 'objects', storedBytes,
    copies: objects === undefined ? opened?.policy.copies ?? 1 : undefined,
    diskCount: opened === undefined ? 1 : (await opened.disks.list()).length,
    waitingVolumes: opened?.repair.status().volumesWaiting ?? 0, damagedCount, refusesWrites,
    mirror: lag && comparison && {
      lagBlocks: lag.blocks, lagBytes: lag.bytes, isRefusing: refusal !== undefined,
      comparedMs: comparison.comparedMs,
    },
  };
}

type ShownStorage = Awaited<ReturnType<Administration['storage']>>;

function collecting(
  { collector, dataPath, clock }: AdministrationSources,
): Administration['collection'] {
  return {
    async show(tenant) {
      const schedule = collector(tenant);
      return {
        isOn: schedule !== undefined, isRunning: schedule?.isRunning === true,
        status: await readCollectionStatus(dataPath, tenant, clock).catch(nothingYet),
      };
    },
    start(tenant) {
      if (collector(tenant)?.begin() === true) return;
      const message = 'Garbage is being collected already, or the settings have switched it off.';
      throw new HoldfastError('conflict', 'app/collection', message, { code: 'not-collecting' });
    },
  };
}

const NOTHING_COLLECTED: GcStatus = {
  censuses: [], trash: [], unlinkedCount: 0, unlinkedBytes: 0, ledgerEntries: 0,
  suspects: { count: 0, bytes: 0, agedCount: 0, agedBytes: 0, oldestAt: undefined },
};

/** Of a tenant that has stored nothing. */
function nothingYet(error: unknown): GcStatus {
  if (isKind(error, 'not-found')) return NOTHING_COLLECTED;
  throw error;
}

function entryOf({ act, by, subject, note }: AdministrativeAct): AuditNote {
  const { user, device, address } = by;
  return {
    act, user, device, subject, ...(address !== undefined && { from: address }),
    ...(note !== undefined && { note }),
  };
}

/** The same as the command does, with what the API asks in words of its own. */
function retentionRules(
  stores: Stores, { config, clock }: Pick<AdministrationSources, 'config' | 'clock'>,
): Administration['retention'] {
  const files = config.of(filesSlice);
  const operations = retentionOperations(stores, { files, now: () => clock.now() });
  const so = { progress: () => undefined, signal: new AbortController().signal };
  const act = async (name: string, input: PlainRecord): Promise<PlainRecord> => {
    const answer = await operations[name]?.(input, so);
    if (answer !== undefined) return answer;
    throw new HoldfastError('internal', 'app/retention', 'No such operation.');
  };
  const stateOf = (row: RetentionRowText): RetentionState => {
    const { kind, tenant, subject, rule, policy, scope: { spaceId } } = row;
    return { kind, tenant, subject, rule, policy, spaceId };
  };
  return {
    async show(whose) {
      const { rows } = await act('retention.show', { ...whose }) as unknown as {
        rows: [RetentionRowText];
      };
      return stateOf(rows[0]);
    },
    async set(whose, rule) {
      const wanted = Object.entries(rule).filter(([, days]) => days !== undefined);
      const input = { ...whose, ...Object.fromEntries(wanted) };
      const { after } = await act('retention.set', input) as unknown as {
        after: RetentionRowText;
      };
      return stateOf(after);
    },
  };
}

type RetentionState = Awaited<ReturnType<Administration['retention']['show']>>;
type RetentionRowText = Omit<RetentionState, 'spaceId'> & { scope: { spaceId?: SpaceId } };

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
  for (const batch of await metadata.listBatches({ near: tenant }, JOBS_MAX)) {
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
