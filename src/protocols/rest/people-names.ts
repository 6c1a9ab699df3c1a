/** What people and groups are called; each is looked up once for one answer. */
import type { GroupId, UserId } from '../../base/ids.ts';
import type { Identity } from '../../identity/index.ts';

export interface NamedPerson {
  id: string;
  displayName: string;
}

export class PeopleNames {
  readonly #identity: Identity;
  readonly #known = new Map<string, Promise<NamedPerson>>();

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /** Of whoever is gone, the id. */
  user(id: UserId): Promise<NamedPerson> {
    return this.#once(`user ${id}`, id, async () => (await this.#identity.users.find(id)));
  }

  group(id: GroupId): Promise<NamedPerson> {
    return this.#once(`group ${id}`, id, async () => (await this.#identity.groups.find(id)));
  }

  #once(
    key: string, id: string, find: () => Promise<{ displayName: string } | undefined>,
  ): Promise<NamedPerson> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = find().then((one) => ({ id, displayName: one?.displayName ?? id }));
    this.#known.set(key, found);
    return found;
  }
}
