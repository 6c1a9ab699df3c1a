/**
 * Keeps the audit logs, one for each tenant: what the journals of its spaces say, and what else
 * somebody ought to know who did.
 *
 * Changes are taken from the journals, a moment after they were committed: so no request waits for
 * the audit log, and a crash in between loses nothing, because the journals are durable and the log
 * says up to where it has followed each of them.
 */
import type { AuditAct, NewAuditEntry } from '../audit/index.ts';
import { isKind } from '../base/errors.ts';
import { DEFAULT_TENANT } from '../base/ids.ts';
import type { SpaceId, TenantId } from '../base/ids.ts';
import type { EventKind, EventRecord, MetadataStore } from '../metadata/index.ts';
import type { Clock, Logger, MetricCounter, Metrics } from '../platform/index.ts';
import { TenantAudit } from './tenant-audit.ts';

const EVENTS_PAGE = 500;
const SPACES_PAGE = 1_000;
/** What changes meanwhile is followed together: entries of one look share a sync. */
const GATHER_MS = 500;
/** Between looks into the inbox of commands, and before a failure is tried again. */
const PAUSE_MS = 5_000;
/** What is followed at most once the trail is being closed; the rest is for the next start. */
const CLOSING_EVENTS_MAX = 5_000;
/** After a space could not be reached, and was not heard of any more. */
const LOOK_AGAIN_MS = 60_000;
/** Spaces that cannot be reached, each of which may take seconds to say so, in one look. */
const AWAY_MAX = 3;
/** Spaces that have changed and wait to be followed; above it all are looked through. */
const CHANGED_MAX = 10_000;

type Journals = Pick<MetadataStore, 'getSpace' | 'listEvents' | 'listSpaces'>;

/** What nobody else writes down. */
export type AuditNote = Omit<NewAuditEntry, 'at'>;

export interface AuditTrailParts {
  /** The data directory. */
  path: string;
  metadata: Journals;
  /** All tenants there are. */
  listTenants: () => Promise<readonly { readonly id: TenantId }[]>;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  /** Whether this server follows the journals; left out: it does. */
  mayFollow?: () => boolean;
  /** Others change spaces too, and this one does not hear of it at once. */
  hasOthers?: boolean;
}

export class AuditTrail {
  readonly #parts: AuditTrailParts;
  /** One for each tenant; as many as there are tenants. */
  readonly #logs = new Map<TenantId, Promise<TenantAudit>>();
  readonly #refusedCount: MetricCounter;
  readonly #changed = new Set<SpaceId>();
  /** Entries on their way; each log bounds how many wait. */
  readonly #noting = new Set<Promise<void>>();
  #mustLookThrough = true;
  /** When all spaces are looked through again, by the clock that never runs backwards. */
  #lookAtMs: number | undefined;
  #following: Promise<void> | undefined;
  #cancelPause = (): void => undefined;
  /** A change has come since the last look, and the next one is near. */
  #isGathering = false;
  #isClosed = false;
  /** Events that may still be followed. */
  #leftMax = Number.POSITIVE_INFINITY;

  private constructor(parts: AuditTrailParts) {
    this.#parts = parts;
    this.#refusedCount = parts.metrics.counter({
      name: 'audit_entries_lost_total',
      help: 'Entries other than those of changes that could not be written to the audit log.',
    });
  }

  /** @throws unavailable: a log cannot be read or written. */
  static async open(parts: AuditTrailParts): Promise<AuditTrail> {
    const trail = new AuditTrail(parts);
    try {
      for (const { id } of await parts.listTenants()) await trail.#logOf(id);
    } catch (error) {
      await trail.#closeLogs();
      throw error;
    }
    trail.#follow();
    return trail;
  }

  /** A space has changed. Returns at once. */
  changed(space: SpaceId): void {
    if (this.#parts.mayFollow?.() === false) return;
    if (this.#changed.size >= CHANGED_MAX) this.#mustLookThrough = true;
    else this.#changed.add(space);
    if (this.#isGathering || this.#following !== undefined) return;
    this.#isGathering = true;
    this.#followIn(GATHER_MS);
  }

  /** All spaces are to be looked through: others may have changed any. */
  lookThrough(): void {
    this.#mustLookThrough = true;
  }

  /** As `lookThrough`, in a while: some spaces could not be reached. */
  lookThroughLater(): void {
    this.#lookAtMs ??= this.#parts.clock.monotonic() + LOOK_AGAIN_MS;
  }

  get #isLookDue(): boolean {
    const { clock, hasOthers } = this.#parts;
    const isLate = this.#lookAtMs !== undefined && clock.monotonic() >= this.#lookAtMs;
    return this.#mustLookThrough || hasOthers === true || isLate;
  }

  #followIn(delayMs: number): void {
    this.#cancelPause();
    if (this.#isClosed) return;
    this.#cancelPause = this.#parts.clock.after(delayMs, () => this.#follow());
  }

  /** Something that no journal knows. It goes into the log of the tenant that is named, else of
   *  that of the space in the entry, else of the default one. Returns at once: nobody's request is
   *  held up, and what a full disk refuses is counted. */
  note(entry: AuditNote, tenant?: TenantId): void {
    const { clock, log } = this.#parts;
    const at = clock.now();
    const noting = this.#append({ at, ...entry }, tenant).catch((err: unknown) => {
      this.#refusedCount.inc();
      log.error({ err, act: entry.act }, 'an entry of the audit log could not be written');
    }).finally(() => this.#noting.delete(noting));
    this.#noting.add(noting);
  }

  async #append(entry: NewAuditEntry, tenant: TenantId | undefined): Promise<void> {
    const audit = await this.#logOf(tenant ?? await this.#tenantOf(entry));
    await audit.append(entry);
  }

  async #tenantOf({ space }: NewAuditEntry): Promise<TenantId> {
    if (space === undefined) return DEFAULT_TENANT;
    return (await this.#parts.metadata.getSpace(space as SpaceId)).tenant;
  }

  /** A tenant may be new. One whose log cannot be opened is tried again the next time. */
  #logOf(tenant: TenantId): Promise<TenantAudit> {
    const known = this.#logs.get(tenant);
    if (known !== undefined) return known;
    const { path, clock } = this.#parts;
    const opening = TenantAudit.open(path, { tenant, now: () => clock.now() });
    this.#logs.set(tenant, opening);
    opening.catch(() => this.#logs.delete(tenant));
    return opening;
  }

  /** Follows what little is left. A second call does nothing more. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#leftMax = CLOSING_EVENTS_MAX;
    this.#follow();
    this.#isClosed = true;
    this.#cancelPause();
    await this.#following;
    await Promise.all(this.#noting);
    await this.#closeLogs();
  }

  async #closeLogs(): Promise<void> {
    const closing = [...this.#logs.values()].map(async (log) => (await log).close());
    this.#logs.clear();
    await Promise.allSettled(closing); // All of them, whatever befalls one.
    await Promise.all(closing);
  }

  #follow(): void {
    if (this.#isClosed || this.#following !== undefined) return;
    this.#isGathering = false;
    this.#cancelPause();
    this.#following = this.#catchUp().catch((err: unknown) => {
      this.#mustLookThrough = true;
      this.#parts.log.error({ err }, 'the audit log could not follow; trying again in a moment');
    }).finally(() => {
      this.#following = undefined;
      this.#followIn(this.#changed.size > 0 ? GATHER_MS : PAUSE_MS);
    });
  }

  async #catchUp(): Promise<void> {
    for (const { id } of await this.#parts.listTenants()) await (await this.#logOf(id)).takeInbox();
    if (this.#parts.mayFollow?.() === false) return;
    if (this.#isLookDue) {
      this.#mustLookThrough = false;
      this.#lookAtMs = undefined;
      for await (const space of this.#behind()) this.#changed.add(space);
    }
    let failures = 0;
    for (const space of [...this.#changed]) {
      this.#changed.delete(space);
      if (!await this.#followIfThere(space)) failures += 1;
      if (this.#leftMax <= 0 || failures >= AWAY_MAX) return;
    }
  }

  /** A database that is away holds up its own tenants alone: their journals keep what is to be
   *  followed. */
  async #followIfThere(space: SpaceId): Promise<boolean> {
    try {
      await this.#followSpace(space);
      return true;
    } catch (error) {
      if (!isKind(error, 'unavailable')) throw error;
      this.lookThroughLater();
      this.#parts.log.error({ err: error, space }, 'what happened in a space could not be '
        + 'followed; trying again in a minute');
      return false;
    }
  }

  async* #behind(): AsyncGenerator<SpaceId> {
    let after: SpaceId | undefined;
    for (;;) {
      const page = await this.#parts.metadata.listSpaces(SPACES_PAGE, after);
      for (const { id, tenant, rev } of page) {
        if (rev > (await this.#logOf(tenant)).revOf(id)) yield id;
      }
      after = page.at(-1)?.id;
      if (after === undefined || page.length < SPACES_PAGE) return;
    }
  }

  async #followSpace(space: SpaceId): Promise<void> {
    const { metadata } = this.#parts;
    const audit = await this.#logOf((await metadata.getSpace(space)).tenant);
    while (this.#leftMax > 0) {
      const events = await metadata.listEvents(space, audit.revOf(space), EVENTS_PAGE);
      const last = events.at(-1);
      if (last === undefined) return;
      await audit.follow(space, { entries: events.map(entryOf), rev: last.rev });
      this.#leftMax -= events.length;
      if (events.length < EVENTS_PAGE) return;
    }
  }
}

/** Kinds of events and acts have the same names. */
const ACTS: Readonly<Record<EventKind, AuditAct>> = {
  create: 'create', update: 'update', move: 'move', delete: 'delete', restore: 'restore',
  properties: 'properties', grant: 'grant', revoke: 'revoke',
};

function entryOf(event: EventRecord): NewAuditEntry {
  const { at, kind, by, device, from, spaceId, rev, nodeId } = event;
  const { nameBefore, nameAfter, parentBefore, parentAfter } = event;
  const name = nameAfter ?? nameBefore;
  const folder = parentAfter ?? parentBefore;
  // One for each change: assignments are cheaper than spreading what may be missing.
  const entry: NewAuditEntry = { at, act: ACTS[kind], user: by, device };
  if (from !== undefined) entry.from = from;
  entry.space = spaceId;
  entry.rev = rev;
  entry.node = nodeId;
  if (name !== undefined) entry.name = name;
  if (nameBefore !== undefined && nameBefore !== name) entry.nameBefore = nameBefore;
  if (folder !== undefined) entry.folder = folder;
  if (parentBefore !== undefined && parentBefore !== folder) entry.folderBefore = parentBefore;
  return entry;
}
