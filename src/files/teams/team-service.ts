/**
 * Spaces of teams, for administrators: which there are, who is in them, and what they may store.
 *
 * Whoever is in a team has a grant at the root of its space; whatever administrators give there the
 * team has given, so it outlasts them (`view/lapse.ts`). Durability: as metadata's `commit`.
 */
import { HoldfastError } from '../../base/errors.ts';
import { DEFAULT_TENANT, parseGroupId, parseUserId } from '../../base/ids.ts';
import type { SpaceId, TenantId, UserId } from '../../base/ids.ts';
import type { Name } from '../../base/names.ts';
import type { Role } from '../../base/roles.ts';
import type { Caller } from '../../identity/index.ts';
import { SPACES_LIMIT_MAX } from '../../metadata/index.ts';
import type {
  GrantRecord, Instant, MetadataStore, SpaceRecord, Subject,
} from '../../metadata/index.ts';
import { actorOf } from '../actor.ts';
import type { People } from '../sharing/share.ts';
import type { SpaceDirectory } from '../space-directory.ts';

/** Spaces of all kinds that one page looks through. */
const LOOKED_MAX = 10 * SPACES_LIMIT_MAX;

export interface TeamSpace {
  id: SpaceId;
  tenant: TenantId;
  name: string;
  usedBytes: number;
  /** undefined: no limit of its own. */
  quotaBytes: number | undefined;
  memberCount: number;
  createdAt: Instant;
}

export interface TeamMember {
  kind: 'user' | 'group';
  id: string;
  role: Role;
  since: Instant;
  /** undefined: for good. */
  until: Instant | undefined;
}

export interface TeamParts {
  metadata: MetadataStore;
  spaces: SpaceDirectory;
  people: Pick<People, 'hasUser' | 'hasGroup'>;
  now: () => Instant;
}

export class TeamService {
  readonly #parts: TeamParts;

  constructor(parts: TeamParts) {
    this.#parts = parts;
  }

  /** Of a tenant, by ascending id, after `after`; fewer than `limit` say nothing, `next` does.
   *  @throws denied. */
  async list(
    caller: Caller, tenant: TenantId, { after, limit }: { after?: SpaceId; limit: number },
  ): Promise<{ teams: TeamSpace[]; next: SpaceId | undefined }> {
    checkAdministers(caller, tenant);
    const teams: TeamSpace[] = [];
    let last = after;
    for (let looked = 0; looked < LOOKED_MAX; looked += SPACES_LIMIT_MAX) {
      const page = await this.#parts.metadata.listSpaces(SPACES_LIMIT_MAX, last, tenant);
      for (const space of page) {
        const isWanted = space.kind === 'team' && space.tenant === tenant;
        if (isWanted && teams.length === limit) return { teams, next: last };
        if (isWanted) teams.push(await this.#shown(space));
        last = space.id;
      }
      if (page.length < SPACES_LIMIT_MAX) return { teams, next: undefined };
    }
    return { teams, next: last };
  }

  /** @throws not-found; denied. */
  async get(caller: Caller, id: SpaceId): Promise<TeamSpace> {
    return this.#shown(await this.#team(caller, id));
  }

  /** @throws denied; invalid: the first owner is nobody of the tenant. */
  async make(
    caller: Caller,
    { tenant, name, owner, quotaBytes }: {
      tenant: TenantId; name: Name; owner: UserId; quotaBytes: number | undefined;
    },
  ): Promise<TeamSpace> {
    checkAdministers(caller, tenant);
    const { metadata, people, spaces, now } = this.#parts;
    if (!await people.hasUser(owner, tenant)) throw nobody();
    const { casePolicy } = spaces.defaults;
    const { node } = await metadata.commit({
      op: 'make-space', tenant, name, firstOwner: owner, casePolicy, quotaBytes,
      actor: actorOf(caller, now()),
    });
    if (node === undefined) throw missing();
    return this.#shown(await metadata.getSpace(node.spaceId));
  }

  /** Of whoever joins from now on; who is in it has named the folder themself.
   *  @throws not-found; denied. */
  async rename(caller: Caller, id: SpaceId, name: Name): Promise<TeamSpace> {
    await this.#team(caller, id);
    const { metadata, spaces, now } = this.#parts;
    await metadata.commit({
      op: 'rename-space', spaceId: id, name, actor: actorOf(caller, now()),
    });
    return this.#shown(await spaces.refresh({ id }));
  }

  /** By ascending id of the grant. @throws not-found; denied. */
  async members(caller: Caller, id: SpaceId): Promise<TeamMember[]> {
    const space = await this.#team(caller, id);
    return (await this.#grants(space)).flatMap(({ subject, role, createdAt, expiresAt }) => (
      subject.kind === 'link' ? [] : [{
        kind: subject.kind, id: subject.id, role, since: createdAt, until: expiresAt,
      }]));
  }

  /** Takes somebody in, or gives them another role.
   *  @throws not-found; denied; invalid: nobody of the tenant; conflict `last-owner`. */
  async setMember(
    caller: Caller, id: SpaceId, { kind, who, role }: {
      kind: 'user' | 'group'; who: string; role: Exclude<Role, 'none'>;
    },
  ): Promise<void> {
    const space = await this.#team(caller, id);
    const subject = await this.#subject(space.tenant, kind, who);
    if (role !== 'owner') await this.#checkNotLastOwner(space, subject);
    await this.#parts.metadata.commit({
      op: 'put-grant', spaceId: id, nodeId: space.rootId, subject, role, isShown: true,
      expiresAt: undefined, terms: '{}', actor: actorOf(caller, this.#parts.now()),
    });
  }

  /** Calm when they are not in it. @throws not-found; denied; conflict `last-owner`. */
  async removeMember(
    caller: Caller, id: SpaceId, { kind, who }: { kind: 'user' | 'group'; who: string },
  ): Promise<void> {
    const space = await this.#team(caller, id);
    const isMeant = ({ subject }: GrantRecord): boolean =>
      subject.kind === kind && subject.id === who;
    const grant = (await this.#grants(space)).find(isMeant);
    if (grant === undefined) return;
    await this.#checkNotLastOwner(space, grant.subject);
    await this.#parts.metadata.commit({
      op: 'remove-grant', spaceId: id, grantId: grant.id,
      actor: actorOf(caller, this.#parts.now()),
    });
  }

  async #team(caller: Caller, id: SpaceId): Promise<SpaceRecord> {
    if (!caller.admin) throw administratorsOnly();
    const space = await this.#parts.metadata.getSpace(id);
    const isTheirs = space.tenant === caller.tenant || caller.tenant === DEFAULT_TENANT;
    if (space.kind !== 'team' || !isTheirs) throw missing();
    return space;
  }

  async #grants({ id, rootId }: SpaceRecord): Promise<GrantRecord[]> {
    const grants = await this.#parts.metadata.listGrants(id);
    return grants.filter(({ nodeId }) => nodeId === rootId);
  }

  async #shown(space: SpaceRecord): Promise<TeamSpace> {
    const { id, tenant, name, usedBytes, quotaBytes, createdAt } = space;
    const members = (await this.#grants(space)).filter(({ subject }) => subject.kind !== 'link');
    return { id, tenant, name, usedBytes, quotaBytes, createdAt, memberCount: members.length };
  }

  async #subject(tenant: TenantId, kind: 'user' | 'group', who: string): Promise<Subject> {
    const { people } = this.#parts;
    if (kind === 'group') {
      const id = parseGroupId(who);
      if (!await people.hasGroup(id, tenant)) throw nobody();
      return { kind, id };
    }
    const id = parseUserId(who);
    if (!await people.hasUser(id, tenant)) throw nobody();
    return { kind, id };
  }

  /** A team without an owner could never be shared, renamed or cleared up again. */
  async #checkNotLastOwner(space: SpaceRecord, { kind, ...named }: Subject): Promise<void> {
    const owners = (await this.#grants(space)).filter(({ subject, role, expiresAt }) =>
      role === 'owner' && subject.kind === 'user' && expiresAt === undefined);
    const isOne = ({ subject }: GrantRecord): boolean =>
      subject.kind === kind && 'id' in subject && 'id' in named && subject.id === named.id;
    if (!owners.some(isOne) || owners.length > 1) return;
    const message = 'A team folder needs an owner. Name another one first.';
    throw new HoldfastError('conflict', 'files/teams', message, { code: 'last-owner' });
  }
}

/** @throws denied. */
function checkAdministers({ admin, tenant: of }: Caller, tenant: TenantId): void {
  if (admin && (of === tenant || of === DEFAULT_TENANT)) return;
  throw administratorsOnly();
}

function administratorsOnly(): HoldfastError {
  return new HoldfastError('denied', 'files/teams', 'Team folders are kept by administrators.');
}

function missing(): HoldfastError {
  const message = 'There is no such team folder.';
  return new HoldfastError('not-found', 'files/teams', message, { code: 'space-missing' });
}

function nobody(): HoldfastError {
  const message = 'There is nobody of this name who could be in the team.';
  return new HoldfastError('invalid', 'files/teams', message, { code: 'nobody' });
}
