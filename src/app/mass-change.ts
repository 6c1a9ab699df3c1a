/** The mass-change brake: its parts in a server, and who is told when it acts. */
import { Brake, BrakeService, Quarantines, runKeep } from '../files/index.ts';
import type { Batches, BrakePolicy, filesSlice, QuarantineLists, RunKeep } from '../files/index.ts';
import { leaveEntry } from '../audit/index.ts';
import type { NewAuditEntry } from '../audit/index.ts';
import type { Outbox } from '../mail/index.ts';
import { parseMailAddress } from '../mail/index.ts';
import type { MetadataStore, QuarantineRecord } from '../metadata/index.ts';
import type { Identity } from '../identity/index.ts';
import type { Clock, Logger, Metrics, ValuesOf } from '../platform/index.ts';
import { brakeText } from './brake-text.ts';
import { auditFolder } from './tenant-audit.ts';

/** Administrators who are written to; of more the first ones. */
const MAILS_MAX = 20;

export interface MassChangeParts {
  readonly metadata: MetadataStore;
  /** See Quarantines. */
  readonly lists?: MetadataStore | undefined;
  readonly clock: Clock;
  readonly policy: BrakePolicy;
  readonly onOpened?: ((quarantine: QuarantineRecord) => void) | undefined;
  readonly onDecided?: ((quarantine: QuarantineRecord) => Promise<void> | void) | undefined;
}

export class MassChange {
  readonly brake: Brake;
  readonly #parts: MassChangeParts;
  readonly #quarantines: Quarantines;

  constructor(parts: MassChangeParts) {
    const { metadata, lists, clock, policy, onOpened } = parts;
    this.#parts = parts;
    this.#quarantines = new Quarantines({ metadata, lists, onOpened });
    this.brake = new Brake({
      metadata, quarantines: this.#quarantines, policy, now: () => clock.now(),
    });
  }

  /** Before the first request: what devices see depends on it. See Quarantines.load. */
  async load(source?: QuarantineLists): Promise<void> {
    await this.#quarantines.load(source);
  }

  /** Where there are other servers: what they have held and decided. */
  async learn(): Promise<void> {
    await this.#quarantines.learn();
  }

  get openCount(): number {
    return this.#quarantines.openCount;
  }

  readonly keep: RunKeep = (batch, run) => {
    const { metadata } = this.#parts;
    return runKeep({ metadata, quarantines: this.#quarantines }, batch, run);
  };

  service(batches: Batches): BrakeService {
    const { metadata, clock, onDecided } = this.#parts;
    return new BrakeService({
      metadata, quarantines: this.#quarantines, batches, now: () => clock.now(), onDecided,
    });
  }
}

export function brakePolicy(
  { massChangeLimit, massChangeSeconds }: ValuesOf<typeof filesSlice.settings>,
): BrakePolicy {
  return { limit: massChangeLimit, windowMs: massChangeSeconds * 1000 };
}

/** Of a server: tells log, audit log, metrics, and by mail the administrators. */
export function openMassChange(options: {
  metadata: MetadataStore; lists: MetadataStore; identity: Identity; policy: BrakePolicy;
  clock: Clock; log: Logger; metrics: Metrics;
  note: (entry: Omit<NewAuditEntry, 'at'>) => void;
  outbox: Outbox | undefined;
}): MassChange {
  const { log, metrics, note, outbox, identity } = options;
  const opened = metrics.counter({
    name: 'quarantines_opened_total',
    help: 'Devices whose deletions and overwrites were held back.',
  });
  const massChange = new MassChange({
    ...options,
    onOpened: (quarantine) => {
      opened.inc();
      log.warn(factsOf(quarantine),
        'a device deletes or overwrites very much: its changes are held until somebody decides');
      note(appliedEntry(quarantine));
      if (outbox === undefined) return;
      tellAdministrators({ identity, outbox }, quarantine).catch((err: unknown) => {
        log.error({ err }, 'the mail about a device that was held back could not be written');
      });
    },
    onDecided: (quarantine) => {
      log.info({ ...factsOf(quarantine), state: quarantine.state }, 'held changes were decided');
      note(decidedEntry(quarantine));
    },
  });
  metrics.gaugeOf({
    name: 'quarantines_open', help: 'Devices whose changes are held and wait for a decision.',
  }, () => massChange.openCount);
  return massChange;
}

function factsOf({ id, spaceId, user }: QuarantineRecord) {
  return { quarantineId: id, spaceId, user };
}

function appliedEntry({ id, spaceId, user, device }: QuarantineRecord) {
  return {
    act: 'brake-applied', user, device, space: spaceId, note: `quarantine ${id}`,
  } as const;
}

/** While no server runs: for the next one to take into the audit log. */
export async function noteDecision(
  metadata: Pick<MetadataStore, 'getSpace'>,
  { dataPath, quarantine, at }: { dataPath: string; quarantine: QuarantineRecord; at: number },
): Promise<void> {
  const { tenant } = await metadata.getSpace(quarantine.spaceId);
  await leaveEntry(auditFolder(dataPath, tenant), { at, ...decidedEntry(quarantine) });
}

function decidedEntry(quarantine: QuarantineRecord): Omit<NewAuditEntry, 'at'> {
  const { id, spaceId, user, state, decidedBy = '' } = quarantine;
  return {
    act: 'brake-decided', user: decidedBy, space: spaceId, subject: user,
    note: `quarantine ${id}: ${state === 'undone' ? 'undone' : 'kept'}`,
  };
}

async function tellAdministrators(
  { identity, outbox }: { identity: Identity; outbox: Outbox }, quarantine: QuarantineRecord,
): Promise<void> {
  const { tenant } = await identity.users.get(quarantine.user).catch(() => ({ tenant: undefined }));
  let count = 0;
  for await (const user of identity.users.list()) {
    if (!user.admin || user.disabled || user.email === undefined) continue;
    if (tenant !== undefined && user.tenant !== tenant) continue;
    count += 1;
    if (count > MAILS_MAX) return;
    await outbox.put({
      to: parseMailAddress(user.email), about: `quarantine-${quarantine.id}`,
      ...brakeText(quarantine),
    });
  }
}
