import {
  DEFAULT_TENANT, parseGroupId, parseTenantId, type GroupId, type TenantId, type UserId,
} from '../base/ids.ts';
import type { Clock } from '../platform/index.ts';
import { noSuchGroup } from './identity-errors.ts';
import { USERS_PAGE_MAX, type IdentityStore } from './identity-store.ts';
import { parseDisplayName } from './labels.ts';
import type { GroupRecord } from './records.ts';

export interface Group {
  readonly id: GroupId;
  readonly tenant: TenantId;
  readonly displayName: string;
  /** Milliseconds since 1970 UTC. */
  readonly createdAt: number;
}

export interface NewGroup {
  /** Checked by `parseGroupId`. */
  id: string;
  /** The id, when left out. */
  displayName?: string;
  /** Checked by `parseTenantId`; for good. DEFAULT_TENANT, when left out. */
  tenant?: string;
}

/**
 * Groups of users, to share with. Whether the caller may ask for a change is decided above; a
 * change is in force, in every process, with the next request of whom it concerns. Errors besides
 * those listed: as IdentityStore.
 */
export class Groups {
  readonly #store: IdentityStore;
  readonly #clock: Clock;

  constructor(store: IdentityStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @throws invalid: the name breaks a rule; exists: there is or was one of this id;
   *  not-found: no such tenant. */
  async add({ id: rawId, displayName, tenant = DEFAULT_TENANT }: NewGroup): Promise<Group> {
    const id = parseGroupId(rawId);
    const record: GroupRecord = {
      id,
      tenant: parseTenantId(tenant),
      displayName: parseDisplayName(displayName ?? id),
      createdAt: this.#clock.now(),
    };
    return this.#store.addGroup(record);
  }

  /** Nobody is in it from now on, and its id is never given out again. @throws not-found. */
  async remove(id: GroupId): Promise<void> {
    if (!(await this.#store.removeGroup(id, this.#clock.now()))) {
      throw noSuchGroup('identity/Groups.remove');
    }
  }

  async find(id: GroupId): Promise<Group | undefined> {
    return this.#store.findGroup(id);
  }

  /** @throws not-found. */
  async get(id: GroupId): Promise<Group> {
    const group = await this.find(id);
    if (group === undefined) throw noSuchGroup('identity/Groups.get');
    return group;
  }

  /** All groups, or those of one tenant, in ascending order of id, read page by page. */
  async *list(tenant?: TenantId): AsyncIterable<Group> {
    let after: GroupId | undefined;
    for (;;) {
      const page = await this.#store.listGroups(USERS_PAGE_MAX, after, tenant);
      yield* page;
      after = page.at(-1)?.id;
      if (after === undefined || page.length < USERS_PAGE_MAX) return;
    }
  }

  /** False when the user is in it already. @throws not-found: no such group or user; too-large;
   *  denied `other-tenant`. */
  async join(group: GroupId, user: UserId): Promise<boolean> {
    return this.#store.joinGroup(group, user, this.#clock.now());
  }

  /** False when the user was not in it. */
  async leave(group: GroupId, user: UserId): Promise<boolean> {
    return this.#store.leaveGroup(group, user, this.#clock.now());
  }

  /** In ascending order of id, read page by page. */
  async *members(group: GroupId): AsyncIterable<UserId> {
    let after: UserId | undefined;
    for (;;) {
      const page = await this.#store.listMembers(group, USERS_PAGE_MAX, after);
      yield* page;
      after = page.at(-1);
      if (after === undefined || page.length < USERS_PAGE_MAX) return;
    }
  }

  /** The groups that a user is in, ascending. */
  async of(user: UserId): Promise<GroupId[]> {
    return this.#store.listGroupsOf(user);
  }

  /** The groups that a user was in at a moment (milliseconds since 1970 UTC), ascending, removed
   *  ones too. What was forgotten of a very long history counts as not having been in the group. */
  async groupsAt(user: UserId, at: number): Promise<GroupId[]> {
    return this.#store.listGroupsAt(user, at);
  }
}
