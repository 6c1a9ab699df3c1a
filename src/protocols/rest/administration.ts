/** What the API needs to administer an installation, and the program's own parts know. Whether the
 *  caller may ask has been decided before. */
import type { SpaceId, TenantId, UserId } from '../../base/ids.ts';
import type { AuditEntry } from '../../audit/index.ts';
import type { GcStatus, VerifyReport } from '../../durability/index.ts';
import type {
  BrakeService, QuotaService, RetentionShown, TeamService, TransferService,
} from '../../files/index.ts';
import type { BlockStoreState } from '../../storage/index.ts';
import type { Job } from '../../wire/administration.ts';
import type { MinuteSeries } from './minute-series.ts';

export interface Administration {
  readonly quotas: QuotaService;
  /** undefined: nothing is ever held back. */
  readonly brakes: BrakeService | undefined;
  readonly teams: TeamService;
  readonly transfers: TransferService;
  readonly retention: RetentionRules;
  readonly collection: Collecting;
  readonly series: MinuteSeries;
  /** The last minutes, in smaller steps. */
  readonly liveSeries: MinuteSeries;
  /** Does what commands order by the same name: `disk.list`, `disk.plan`, `disk.apply`.
   *  @throws as the operation. */
  order(name: string, input: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Leaves a line in a tenant's audit log. */
  note(act: AdministrativeAct): void;
  /** undefined: no verifier has run there. @throws not-found: a tenant without a storage. */
  verification(tenant: TenantId): Promise<VerifyReport | undefined>;
  jobs(tenant: TenantId): Promise<Job[]>;
  /** Newest first. */
  audit(tenant: TenantId, wanted: AuditWish): Promise<AuditPart>;
  settings(): readonly ShownSetting[];
  health(): ShownHealth;
  /** Where a tenant's files lie. */
  storage(tenant: TenantId): Promise<ShownStorage>;
  /** Names of the storage policies that a tenant can have. */
  readonly policies: readonly string[];
}

export interface AdministrativeAct {
  readonly act:
    | 'tenant-added' | 'user-added' | 'user-changed' | 'user-disabled' | 'user-enabled'
    | 'password-set' | 'second-factor-off' | 'group-changed' | 'quota-set' | 'space-added'
    | 'files-transferred' | 'retention-set' | 'collection-begun';
  readonly tenant: TenantId;
  readonly by: { readonly user: UserId; readonly device: string; readonly address?: string };
  readonly subject: string;
  readonly note?: string;
}

/** Whose rule is meant. */
export type RetentionOf =
  | { user: UserId } | { space: SpaceId } | { tenant: TenantId };

export interface RetentionState extends RetentionShown {
  kind: 'tenant' | 'personal' | 'team';
  tenant: TenantId;
  subject: string;
  spaceId: SpaceId | undefined;
}

export interface RetentionRules {
  /** @throws not-found. */
  show(whose: RetentionOf): Promise<RetentionState>;
  /** null: as the next rule says; undefined: as it was. @throws not-found; invalid. */
  set(whose: RetentionOf, rule: {
    keepAllDays: number | null | undefined; keepDailyDays: number | null | undefined;
    trashKeepDays: number | null | undefined;
  }): Promise<RetentionState>;
}

export interface Collecting {
  show(tenant: TenantId): Promise<{ isOn: boolean; isRunning: boolean; status: GcStatus }>;
  /** Begins a run at once, or as soon as another tenant's has ended. @throws conflict: it is
   *  switched off, or under way. */
  start(tenant: TenantId): void;
}

export interface AuditWish {
  /** Entries with smaller numbers only. */
  before: number | undefined;
  limit: number;
  user: string | undefined;
  act: string | undefined;
  /** Not earlier and not later than these, in milliseconds since 1970. */
  sinceMs: number | undefined;
  untilMs: number | undefined;
}

export interface AuditPart {
  entries: AuditEntry[];
  /** Go on before this one; undefined: that was all. */
  next: number | undefined;
}

export interface ShownSetting {
  key: string;
  value: string;
  source: string;
  isSecret: boolean;
  docs?: string;
}

export interface ShownHealth {
  state: 'starting' | 'serving' | 'draining' | 'closed';
  startedAt: number;
  version: string;
  requestsUnderWay: number;
  storage: BlockStoreState;
  closedTenants: readonly TenantId[];
}

export interface ShownStorage {
  /** undefined: not for us to say. */
  copies: number | undefined;
  /** Volumes that have too few copies at present. */
  waitingVolumes: number;
  damagedCount: number;
  refusesWrites: BlockStoreState['refusesWrites'];
  kind: 'disks' | 'objects';
  /** One copy of everything. */
  storedBytes: number;
  /** Disks that hold copies; 1 without copies. */
  diskCount: number;
  /** A second place that gets everything too; undefined: there is none. */
  mirror: {
    lagBlocks: number; lagBytes: number; isRefusing: boolean; comparedMs: number | undefined;
  } | undefined;
}
