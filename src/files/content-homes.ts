/** Where content lies: each tenant's in a store of its own. */
import type { SpaceId, TenantId } from '../base/ids.ts';
import type { ContentStore } from './content-store.ts';
import type { SpaceDirectory } from './space-directory.ts';

/**
 * Finds the store in which the content of a space lies. One ContentStore is such a directory by
 * itself: then all content lies in it.
 * @throws unavailable: that tenant's content cannot be reached at the moment.
 */
export interface ContentDirectory {
  /** @throws also not-found: no such space. */
  at(spaceId: SpaceId): ContentStore | Promise<ContentStore>;
  of(tenant: TenantId): ContentStore | Promise<ContentStore>;
}

/** The directory of an installation with tenants. A space never changes its tenant. */
export class ContentHomes implements ContentDirectory {
  readonly #spaces: Pick<SpaceDirectory, 'find'>;
  readonly #of: ContentDirectory['of'];

  constructor(parts: { spaces: Pick<SpaceDirectory, 'find'>; of: ContentDirectory['of'] }) {
    this.#spaces = parts.spaces;
    this.#of = parts.of;
  }

  at(spaceId: SpaceId): ContentStore | Promise<ContentStore> {
    const space = this.#spaces.find(spaceId);
    return space instanceof Promise
      ? space.then(({ tenant }) => this.#of(tenant)) : this.#of(space.tenant);
  }

  of(tenant: TenantId): ContentStore | Promise<ContentStore> {
    return this.#of(tenant);
  }
}
