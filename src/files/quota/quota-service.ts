/** What administrators see and set of quotas. It asks for no permission. */
import type { SpaceId, TenantId, UserId } from '../../base/ids.ts';
import { SPACES_LIMIT_MAX } from '../../metadata/index.ts';
import type { Instant, MetadataStore } from '../../metadata/index.ts';
import type { SpaceDirectory } from '../space-directory.ts';

/** Spaces that one answer tells of. */
export const QUOTA_ROWS_MAX = 10_000;

export interface QuotaRow {
  /** Of a personal space its owner; of a team space its name; of the tenant its id. */
  subject: string;
  kind: 'personal' | 'team' | 'tenant';
  tenant: TenantId;
  spaceId: SpaceId | undefined;
  usedBytes: number;
  /** Promised to uploads under way; undefined: not looked up. */
  reservedBytes: number | undefined;
  /** undefined: no limit of its own. */
  quotaBytes: number | undefined;
}

/** Whose quota: of a user, of a space, or of a tenant's spaces together. */
export type QuotaSubject =
  | { kind: 'user'; user: UserId; tenant: TenantId } | { kind: 'space'; spaceId: SpaceId }
  | { kind: 'tenant'; tenant: TenantId };

export class QuotaService {
  readonly #metadata: MetadataStore;
  readonly #lists: Pick<MetadataStore, 'listSpaces'>;
  readonly #spaces: SpaceDirectory;
  readonly #now: () => Instant;

  constructor(parts: {
    metadata: MetadataStore; spaces: SpaceDirectory; now: () => Instant;
    /** For `list`: which may leave out what cannot be reached. */
    lists?: Pick<MetadataStore, 'listSpaces'> | undefined;
  }) {
    this.#metadata = parts.metadata;
    this.#lists = parts.lists ?? parts.metadata;
    this.#spaces = parts.spaces;
    this.#now = parts.now;
  }

  /** From the next upload on; what is used already stays. undefined: no limit.
   *  @throws not-found: no such space. */
  async set(subject: QuotaSubject, quotaBytes: number | undefined): Promise<void> {
    if (subject.kind === 'tenant') {
      const { tenant } = subject;
      await this.#metadata.commit({ op: 'set-tenant-quota', tenant, quotaBytes });
    } else {
      const spaceId = await this.#spaceOf(subject);
      await this.#metadata.commit({ op: 'set-quota', spaceId, quotaBytes });
    }
    this.#spaces.forgetQuotas();
  }

  /** @throws not-found: no such space. */
  async of(subject: QuotaSubject): Promise<QuotaRow> {
    if (subject.kind === 'tenant') return this.#ofTenant(subject.tenant);
    const spaceId = await this.#spaceOf(subject);
    const { kind, tenant, name, owner = name } = await this.#metadata.getSpace(spaceId);
    const { usedBytes, reservedBytes, quotaBytes } =
      await this.#metadata.readUsage(spaceId, this.#now());
    return { subject: owner, kind, tenant, spaceId, usedBytes, reservedBytes, quotaBytes };
  }

  async #ofTenant(tenant: TenantId): Promise<QuotaRow> {
    const usage = await this.#metadata.readTenantUsage(tenant, this.#now());
    return { subject: tenant, kind: 'tenant', tenant, spaceId: undefined, ...usage };
  }

  /** By ascending id of the space, at most QUOTA_ROWS_MAX. */
  async list(): Promise<{ rows: QuotaRow[]; isWhole: boolean }> {
    const rows: QuotaRow[] = [];
    for await (const space of this.#all()) {
      if (rows.length >= QUOTA_ROWS_MAX) return { rows, isWhole: false };
      const { id: spaceId, kind, tenant, name, owner = name, usedBytes, quotaBytes } = space;
      rows.push({
        subject: owner, kind, tenant, spaceId, usedBytes, reservedBytes: undefined, quotaBytes,
      });
    }
    return { rows, isWhole: true };
  }

  async *#all() {
    for (let after: SpaceId | undefined; ;) {
      const page = await this.#lists.listSpaces(SPACES_LIMIT_MAX, after);
      yield* page;
      after = page.at(-1)?.id;
      if (after === undefined) return;
    }
  }

  async #spaceOf(subject: Exclude<QuotaSubject, { kind: 'tenant' }>): Promise<SpaceId> {
    if (subject.kind === 'space') return (await this.#metadata.getSpace(subject.spaceId)).id;
    return (await this.#spaces.personalSpace(subject)).id;
  }
}
