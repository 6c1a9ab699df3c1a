/** Which space belongs to whom. A user's personal space is made on first use. */
import type { UserId } from '../base/ids.ts';
import type { CasePolicy } from '../base/names.ts';
import type { Instant, MetadataStore, SpaceRecord } from '../metadata/index.ts';

/** Users whose space is remembered; the rest are looked up again. */
const REMEMBERED_MAX = 10_000;

/** What does not change, and a quota that may have: enough to spare a look-up per request. */
export type KnownSpace = Pick<SpaceRecord, 'id' | 'owner' | 'quotaBytes'>;

export class SpaceDirectory {
  readonly #metadata: MetadataStore;
  readonly #defaults: { casePolicy: CasePolicy; quotaBytes: number | undefined };
  readonly #now: () => Instant;
  readonly #known = new Map<UserId, KnownSpace>();

  constructor(parts: {
    metadata: MetadataStore;
    defaults: { casePolicy: CasePolicy; quotaBytes: number | undefined };
    now: () => Instant;
  }) {
    this.#metadata = parts.metadata;
    this.#defaults = parts.defaults;
    this.#now = parts.now;
  }

  async personalSpace(owner: UserId): Promise<KnownSpace> {
    const known = this.#known.get(owner);
    if (known !== undefined) return known;
    const made = await this.#metadata.ensureSpace({ owner, at: this.#now(), ...this.#defaults });
    return this.#remember(made);
  }

  /** As it is now. */
  async refresh(space: KnownSpace): Promise<SpaceRecord> {
    const fresh = await this.#metadata.getSpace(space.id);
    this.#remember(fresh);
    return fresh;
  }

  #remember({ id, owner, quotaBytes }: SpaceRecord): KnownSpace {
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear();
    const space = { id, owner, quotaBytes };
    this.#known.set(owner, space);
    return space;
  }
}
