/** What administrators see and set of quotas. It asks for no permission. */
import { HoldfastError } from '../../base/errors.ts';
import { DEFAULT_TENANT } from '../../base/ids.ts';
import type { SpaceId, UserId } from '../../base/ids.ts';
import { SPACES_LIMIT_MAX } from '../../metadata/index.ts';
import type { Instant, MetadataStore } from '../../metadata/index.ts';
import type { SpaceDirectory } from '../space-directory.ts';

/** Spaces that one answer tells of. */
export const QUOTA_ROWS_MAX = 10_000;

export interface QuotaRow {
  /** Of a personal space its owner; of a team space its name; of the tenant its id. */
  subject: string;
  kind: 'personal' | 'team' | 'tenant';
  spaceId: SpaceId | undefined;
  usedBytes: number;
  /** Promised to uploads under way; undefined: not looked up. */
  reservedBytes: number | undefined;
  /** undefined: no limit of its own. */
  quotaBytes: number | undefined;
}

/** Whose quota: of a user, of a space, or of all together. */
export type QuotaSubject =
  | { kind: 'user'; user: UserId } | { kind: 'space'; spaceId: SpaceId } | { kind: 'tenant' };

export class QuotaService {
  readonly #metadata: MetadataStore;
  readonly #spaces: SpaceDirectory;
  readonly #now: () => Instant;

  constructor(parts: {
    metadata: MetadataStore; spaces: SpaceDirectory; now: () => Instant;
  }) {
    this.#metadata = parts.metadata;
    this.#spaces = parts.spaces;
    this.#now = parts.now;
  }

  /** From the next upload on; what is used already stays. undefined: no limit.
   *  @throws not-found: no such space. */
  async set(subject: QuotaSubject, quotaBytes: number | undefined): Promise<void> {
    if (subject.kind === 'tenant') {
      await this.#metadata.commit({ op: 'set-tenant-quota', tenant: DEFAULT_TENANT, quotaBytes });
    } else {
      const spaceId = await this.#spaceOf(subject);
      await this.#metadata.commit({ op: 'set-quota', spaceId, quotaBytes });
    }
    this.#spaces.forgetQuotas();
  }

  /** @throws not-found: no such space. */
  async of(subject: QuotaSubject): Promise<QuotaRow> {
    const spaceId = subject.kind === 'tenant'
      ? (await this.#metadata.listSpaces(1))[0]?.id : await this.#spaceOf(subject);
    if (subject.kind === 'tenant') return this.#ofTenant(spaceId);
    if (spaceId === undefined) throw noSpace();
    const { kind, name, owner = name } = await this.#metadata.getSpace(spaceId);
    const { usedBytes, reservedBytes, quotaBytes } =
      await this.#metadata.readUsage(spaceId, this.#now());
    return { subject: owner, kind, spaceId, usedBytes, reservedBytes, quotaBytes };
  }

  async #ofTenant(anySpace: SpaceId | undefined): Promise<QuotaRow> {
    const tenant = { subject: DEFAULT_TENANT, kind: 'tenant', spaceId: undefined } as const;
    const usage = anySpace === undefined
      ? undefined : await this.#metadata.readUsage(anySpace, this.#now());
    if (usage?.ofTenant !== undefined) return { ...tenant, ...usage.ofTenant };
    let usedBytes = 0;
    for await (const space of this.#all()) usedBytes += space.usedBytes;
    return { ...tenant, usedBytes, reservedBytes: undefined, quotaBytes: undefined };
  }

  /** By ascending id of the space, at most QUOTA_ROWS_MAX. */
  async list(): Promise<{ rows: QuotaRow[]; isWhole: boolean }> {
    const rows: QuotaRow[] = [];
    for await (const { id, kind, name, owner = name, usedBytes, quotaBytes } of this.#all()) {
      if (rows.length >= QUOTA_ROWS_MAX) return { rows, isWhole: false };
      rows.push({
        subject: owner, kind, spaceId: id, usedBytes, reservedBytes: undefined, quotaBytes,
      });
    }
    return { rows, isWhole: true };
  }

  async *#all() {
    for (let after: SpaceId | undefined; ;) {
      const page = await this.#metadata.listSpaces(SPACES_LIMIT_MAX, after);
      yield* page;
      after = page.at(-1)?.id;
      if (after === undefined) return;
    }
  }

  async #spaceOf(subject: Exclude<QuotaSubject, { kind: 'tenant' }>): Promise<SpaceId> {
    if (subject.kind === 'space') return (await this.#metadata.getSpace(subject.spaceId)).id;
    return (await this.#spaces.personalSpace(subject.user)).id;
  }
}

function noSpace(): HoldfastError {
  return new HoldfastError('not-found', 'files/QuotaService', 'There is no such space.');
}
