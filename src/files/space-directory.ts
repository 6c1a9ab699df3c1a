/** Which space belongs to whom. A user's personal space is made on first use. */
import type { SpaceId, TenantId, UserId } from '../base/ids.ts';
import type { CasePolicy } from '../base/names.ts';
import type { Instant, MetadataStore, SpaceRecord } from '../metadata/index.ts';

/** Users whose space is remembered, and spaces that are; the rest are looked up again. */
const REMEMBERED_MAX = 10_000;

/** What does not change, and a quota and a team's name that may have: enough to spare a look-up per
 *  request. */
export type KnownSpace = Pick<
  SpaceRecord, 'id' | 'tenant' | 'owner' | 'kind' | 'name' | 'rootId' | 'quotaBytes'
>;

export interface SpaceDefaults {
  casePolicy: CasePolicy;
  quotaBytes: number | undefined;
}

export class SpaceDirectory {
  readonly #metadata: MetadataStore;
  readonly #defaults: SpaceDefaults;
  readonly #now: () => Instant;
  readonly #known = new Map<UserId, KnownSpace>();
  readonly #byId = new Map<SpaceId, KnownSpace>();
  /** Whether a tenant has a quota. */
  readonly #limited = new Map<TenantId, boolean>();
  /** How often quotas were forgotten: what was asked for before is not remembered after. */
  #forgotten = 0;

  constructor(parts: {
    metadata: MetadataStore;
    defaults: SpaceDefaults;
    now: () => Instant;
  }) {
    this.#metadata = parts.metadata;
    this.#defaults = parts.defaults;
    this.#now = parts.now;
  }

  get defaults(): SpaceDefaults {
    return this.#defaults;
  }

  async personalSpace(owner: UserId): Promise<KnownSpace> {
    const known = this.#known.get(owner);
    if (known !== undefined) return known;
    const forgotten = this.#forgotten;
    const made = await this.#metadata.ensureSpace({ owner, at: this.#now(), ...this.#defaults });
    return this.#remember(made, forgotten);
  }

  /** Any space, as it was when last looked at. @throws not-found. */
  async find(id: SpaceId): Promise<KnownSpace> {
    const forgotten = this.#forgotten;
    return this.#byId.get(id) ?? this.#remember(await this.#metadata.getSpace(id), forgotten);
  }

  /** As it is now. */
  async refresh({ id }: Pick<KnownSpace, 'id'>): Promise<SpaceRecord> {
    const forgotten = this.#forgotten;
    const fresh = await this.#metadata.getSpace(id);
    this.#remember(fresh, forgotten);
    return fresh;
  }

  /** Whether a quota holds in a space, its own or that of its tenant. Remembered until
   *  `forgetQuotas`: without any, asking costs nothing. @throws not-found. */
  async isLimited(id: SpaceId): Promise<boolean> {
    const { quotaBytes, tenant } = await this.find(id);
    if (quotaBytes !== undefined) return true;
    const known = this.#limited.get(tenant);
    if (known !== undefined) return known;
    const forgotten = this.#forgotten;
    const { ofTenant } = await this.#metadata.readUsage(id, this.#now());
    const isLimited = ofTenant !== undefined;
    if (forgotten === this.#forgotten && this.#limited.size < REMEMBERED_MAX) {
      this.#limited.set(tenant, isLimited);
    }
    return isLimited;
  }

  /** After a quota was set: what is remembered may be wrong. */
  forgetQuotas(): void {
    this.#forgotten += 1;
    this.#known.clear();
    this.#byId.clear();
    this.#limited.clear();
  }

  #remember(
    { id, tenant, owner, kind, name, rootId, quotaBytes }: SpaceRecord, forgotten: number,
  ): KnownSpace {
    const space = { id, tenant, owner, kind, name, rootId, quotaBytes };
    if (forgotten !== this.#forgotten) return space;
    if (this.#byId.size >= REMEMBERED_MAX) this.#byId.clear();
    this.#byId.set(id, space);
    if (owner === undefined) return space;
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear();
    this.#known.set(owner, space);
    return space;
  }
}
