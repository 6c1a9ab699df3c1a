/** Which space belongs to whom. A user's personal space is made on first use. */
import type { SpaceId, UserId } from '../base/ids.ts';
import type { CasePolicy } from '../base/names.ts';
import type { Instant, MetadataStore, SpaceRecord } from '../metadata/index.ts';

/** Users whose space is remembered, and spaces that are; the rest are looked up again. */
const REMEMBERED_MAX = 10_000;

/** What does not change, and a quota and a team's name that may have: enough to spare a look-up per
 *  request. */
export type KnownSpace = Pick<
  SpaceRecord, 'id' | 'owner' | 'kind' | 'name' | 'rootId' | 'quotaBytes'
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
    const made = await this.#metadata.ensureSpace({ owner, at: this.#now(), ...this.#defaults });
    return this.#remember(made);
  }

  /** Any space, as it was when last looked at. @throws not-found. */
  async find(id: SpaceId): Promise<KnownSpace> {
    return this.#byId.get(id) ?? this.#remember(await this.#metadata.getSpace(id));
  }

  /** As it is now. */
  async refresh({ id }: Pick<KnownSpace, 'id'>): Promise<SpaceRecord> {
    const fresh = await this.#metadata.getSpace(id);
    this.#remember(fresh);
    return fresh;
  }

  #remember({ id, owner, kind, name, rootId, quotaBytes }: SpaceRecord): KnownSpace {
    const space = { id, owner, kind, name, rootId, quotaBytes };
    if (this.#byId.size >= REMEMBERED_MAX) this.#byId.clear();
    this.#byId.set(id, space);
    if (owner === undefined) return space;
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear();
    this.#known.set(owner, space);
    return space;
  }
}
