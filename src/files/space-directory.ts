/** Which space belongs to whom. A user's personal space is made on first use. */
import type { SpaceId, TenantId, UserId } from '../base/ids.ts';
import type { CasePolicy } from '../base/names.ts';
import type { Caller } from '../identity/index.ts';
import type { Instant, MetadataStore, SpaceRecord } from '../metadata/index.ts';
import type { People } from './sharing/share.ts';
import type { Viewer } from './view/link-caller.ts';

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
  readonly #people: Pick<People, 'findViewer'> | undefined;
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
    /** Without it whoever is named in a grant may sign in: for work that no user asks for. */
    people?: Pick<People, 'findViewer'>;
  }) {
    this.#metadata = parts.metadata;
    this.#defaults = parts.defaults;
    this.#now = parts.now;
    this.#people = parts.people;
  }

  get defaults(): SpaceDefaults {
    return this.#defaults;
  }

  /** Made in the user's tenant, if there is none yet. @throws denied `other-tenant`. */
  personalSpace(owner: Pick<Caller, 'user' | 'tenant'>): KnownSpace | Promise<KnownSpace> {
    const known = this.#known.get(owner.user);
    return known?.tenant === owner.tenant ? known : this.#ensure(owner);
  }

  async #ensure(
    { user: owner, tenant }: Pick<Caller, 'user' | 'tenant'>,
  ): Promise<KnownSpace> {
    const forgotten = this.#forgotten;
    const made = await this.#metadata.ensureSpace({
      tenant, owner, at: this.#now(), ...this.#defaults,
    });
    return this.#remember(made, forgotten);
  }

  /** Any space, as it was when last looked at. @throws not-found. */
  find(id: SpaceId): KnownSpace | Promise<KnownSpace> {
    return this.#byId.get(id) ?? this.refresh({ id });
  }

  /** Whoever made a grant, as of now; undefined: may not sign in. */
  async findMaker(user: UserId): Promise<Pick<Viewer, 'user' | 'groups'> | undefined> {
    return this.#people === undefined ? { user, groups: [] } : this.#people.findViewer(user);
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

  /** After somebody else may have changed a space. */
  forget(id: SpaceId): void {
    this.#forgotten += 1;
    const owner = this.#byId.get(id)?.owner;
    if (owner !== undefined) this.#known.delete(owner);
    this.#byId.delete(id);
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
