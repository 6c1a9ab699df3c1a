/** What the API needs to administer an installation, and the program's own parts know. Whether the
 *  caller may ask has been decided before. */
import type { TenantId, UserId } from '../../base/ids.ts';
import type { AuditEntry } from '../../audit/index.ts';
import type { VerifyReport } from '../../durability/index.ts';
import type { BrakeService, QuotaService } from '../../files/index.ts';
import type { BlockStoreState } from '../../storage/index.ts';
import type { Job } from '../../wire/administration.ts';
import type { MinuteSeries } from './minute-series.ts';

export interface Administration {
  readonly quotas: QuotaService;
  /** undefined: nothing is ever held back. */
  readonly brakes: BrakeService | undefined;
  readonly series: MinuteSeries;
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
    | 'password-set' | 'group-changed' | 'quota-set';
  readonly tenant: TenantId;
  readonly by: { readonly user: UserId; readonly device: string; readonly address?: string };
  readonly subject: string;
  readonly note?: string;
}

export interface AuditWish {
  /** Entries with smaller numbers only. */
  before: number | undefined;
  limit: number;
  user: string | undefined;
  act: string | undefined;
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
}
