/** Which space belongs to whom. A user's personal space is made on first use. */
import type { UserId } from '../base/ids.ts';
import type { CasePolicy } from '../base/names.ts';
import type { Instant, MetadataStore, SpaceRecord } from '../metadata/index.ts';

/** Users whose space is remembered; the rest are looked up again. */
const REMEMBERED_MAX = 10_000;

export class SpaceDirectory {
  readonly #metadata: MetadataStore;
  readonly #defaults: { casePolicy: CasePolicy; quotaBytes: number | undefined };
  readonly #now: () => Instant;
  readonly #known = new Map<UserId, Pick<SpaceRecord, 'id' | 'owner'>>();

  constructor(parts: {
    metadata: MetadataStore;
    defaults: { casePolicy: CasePolicy; quotaBytes: number | undefined };
    now: () => Instant;
  }) {
    this.#metadata = parts.metadata;
    this.#defaults = parts.defaults;
    this.#now = parts.now;
  }

  async personalSpace(owner: UserId): Promise<Pick<SpaceRecord, 'id' | 'owner'>> {
    const known = this.#known.get(owner);
    if (known !== undefined) return known;
    const { id } = await this.#metadata.ensureSpace({ owner, at: this.#now(), ...this.#defaults });
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear();
    const space = { id, owner };
    this.#known.set(owner, space);
    return space;
  }
}
