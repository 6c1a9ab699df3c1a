/**
 * Keeps the audit log of the default tenant: what the journals of its spaces say, and what else
 * somebody ought to know who did.
 *
 * Changes are taken from the journals, a moment after they were committed: so no request waits for
 * the audit log, and a crash in between loses nothing, because the journals are durable and the log
 * says up to where it has followed each of them.
 */
import { join } from 'node:path';
import { AuditLog, SpaceCursors, takeEntries } from '../audit/index.ts';
import type { AuditAct, NewAuditEntry } from '../audit/index.ts';
import { DEFAULT_TENANT } from '../base/ids.ts';
import type { SpaceId } from '../base/ids.ts';
import type { EventKind, EventRecord, MetadataStore } from '../metadata/index.ts';
import type { Clock, Logger, MetricCounter, Metrics } from '../platform/index.ts';

const EVENTS_PAGE = 500;
const SPACES_PAGE = 1_000;
/** What changes meanwhile is followed together: entries of one look share a sync. */
const GATHER_MS = 500;
/** Between looks into the inbox of commands, and before a failure is tried again. */
const PAUSE_MS = 5_000;
/** So often the cursors are written down, which spares the next start some reading. */
const SAVE_EVERY_ENTRIES = 10_000;
/** What is followed at most once the trail is being closed; the rest is for the next start. */
const CLOSING_EVENTS_MAX = 5_000;
/** Spaces that have changed and wait to be followed; above it all are looked through. */
const CHANGED_MAX = 10_000;

type Journals = Pick<MetadataStore, 'listEvents' | 'listSpaces'>;

export interface AuditTrailParts {
  /** The data directory. */
  path: string;
  metadata: Journals;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

export class AuditTrail {
  readonly #parts: AuditTrailParts;
  readonly #audit: AuditLog;
  readonly #cursors: SpaceCursors;
  readonly #refusedCount: MetricCounter;
  readonly #changed = new Set<SpaceId>();
  #mustLookThrough = true;
  #following: Promise<void> | undefined;
  #cancelPause = (): void => undefined;
  /** A change has come since the last look, and the next one is near. */
  #isGathering = false;
  #isClosed = false;
  /** Events that may still be followed. */
  #leftMax = Number.POSITIVE_INFINITY;
  #savedSeq = 0;

  private constructor(parts: AuditTrailParts, audit: AuditLog, cursors: SpaceCursors) {
    this.#parts = parts;
    this.#audit = audit;
    this.#cursors = cursors;
    this.#refusedCount = parts.metrics.counter({
      name: 'audit_entries_lost_total',
      help: 'Entries other than those of changes that could not be written to the audit log.',
    });
  }

  /** @throws unavailable: the log cannot be read or written. */
  static async open(parts: AuditTrailParts): Promise<AuditTrail> {
    const folder = auditFolder(parts.path);
    const audit = await AuditLog.open({
      folder, tenant: DEFAULT_TENANT, now: () => parts.clock.now(),
    });
    const trail = new AuditTrail(parts, audit, await SpaceCursors.open(folder));
    trail.#follow();
    return trail;
  }

  /** A space has changed. Returns at once. */
  changed(space: SpaceId): void {
    if (this.#changed.size >= CHANGED_MAX) this.#mustLookThrough = true;
    else this.#changed.add(space);
    if (this.#isGathering || this.#following !== undefined) return;
    this.#isGathering = true;
    this.#followIn(GATHER_MS);
  }

  #followIn(delayMs: number): void {
    this.#cancelPause();
    if (this.#isClosed) return;
    this.#cancelPause = this.#parts.clock.after(delayMs, () => this.#follow());
  }

  /** Something that no journal knows. Returns at once: nobody's request is held up, and what a full
   *  disk refuses is counted. */
  note(entry: Omit<NewAuditEntry, 'at'>): void {
    const { clock, log } = this.#parts;
    this.#audit.append({ at: clock.now(), ...entry }).catch((err: unknown) => {
      this.#refusedCount.inc();
      log.error({ err, act: entry.act }, 'an entry of the audit log could not be written');
    });
  }

  /** Follows what little is left. A second call does nothing more. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#leftMax = CLOSING_EVENTS_MAX;
    this.#follow();
    this.#isClosed = true;
    this.#cancelPause();
    await this.#following;
    await this.#cursors.save();
    await this.#audit.close();
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
    await takeEntries(auditFolder(this.#parts.path), (entry) => this.#audit.append(entry));
    if (this.#mustLookThrough) {
      this.#mustLookThrough = false;
      for await (const space of this.#behind()) this.#changed.add(space);
    }
    for (const space of [...this.#changed]) {
      this.#changed.delete(space);
      await this.#followSpace(space);
      if (this.#leftMax <= 0) return;
    }
  }

  async* #behind(): AsyncGenerator<SpaceId> {
    let after: SpaceId | undefined;
    for (;;) {
      const page = await this.#parts.metadata.listSpaces(SPACES_PAGE, after);
      for (const { id, rev } of page) if (rev > this.#cursors.of(id)) yield id;
      after = page.at(-1)?.id;
      if (after === undefined || page.length < SPACES_PAGE) return;
    }
  }

  async #followSpace(space: SpaceId): Promise<void> {
    while (this.#leftMax > 0) {
      const after = this.#cursors.of(space);
      const events = await this.#parts.metadata.listEvents(space, after, EVENTS_PAGE);
      await Promise.all(events.map((event) => this.#audit.append(entryOf(event))));
      this.#leftMax -= events.length;
      const last = events.at(-1);
      if (last !== undefined) this.#cursors.advance(space, last.rev, this.#audit.place.seq);
      await this.#saveNowAndThen();
      if (events.length < EVENTS_PAGE) return;
    }
  }

  async #saveNowAndThen(): Promise<void> {
    const { seq } = this.#audit.place;
    if (seq - this.#savedSeq < SAVE_EVERY_ENTRIES) return;
    this.#savedSeq = seq;
    await this.#cursors.save();
  }
}

/** Of the default tenant, in a data directory. */
export function auditFolder(path: string): string {
  return join(path, 'audit', DEFAULT_TENANT);
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
  return {
    at, act: ACTS[kind], user: by, device, ...(from !== undefined && { from }),
    space: spaceId, rev, node: nodeId,
    ...(name !== undefined && { name }),
    ...(nameBefore !== undefined && nameBefore !== name && { nameBefore }),
    ...(folder !== undefined && { folder }),
    ...(parentBefore !== undefined && parentBefore !== folder && { folderBefore: parentBefore }),
  };
}
