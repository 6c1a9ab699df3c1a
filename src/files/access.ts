/**
 * The one place where it is decided who may do what. Pure; denies by default.
 *
 * Who owns a space may everything in it. Everybody else has what grants give: walking down from the
 * space's root, at each node that has grants in force for the caller, a grant to the user itself
 * decides; else the strongest of those to the user's groups. What is decided further down replaces
 * what was decided above, to more or to less. A grant that has lapsed (view/lapse.ts) can only take
 * away. A link has its own grant and nothing else.
 */
import { HoldfastError } from '../base/errors.ts';
import type { GrantId, NodeId, TenantId, UserId } from '../base/ids.ts';
import { isAtLeast, strongerRole, weakerRole } from '../base/roles.ts';
import type { Role } from '../base/roles.ts';
import type { Caller } from '../identity/index.ts';
import type { GrantRecord, Instant, SpaceRecord, Subject } from '../metadata/index.ts';

/** What a caller may do with a node. */
export interface Access {
  /** See it and what is in it. */
  readonly read: boolean;
  /** Take its bytes away. */
  readonly download: boolean;
  /** Change content, times and properties. */
  readonly update: boolean;
  /** Add files and folders below. */
  readonly create: boolean;
  readonly delete: boolean;
  /** Rename and move. */
  readonly move: boolean;
  /** Say who else may do what. */
  readonly share: boolean;
}

export type Deed = keyof Access;

const NOTHING: Access = {
  read: false, download: false, update: false, create: false, delete: false, move: false,
  share: false,
};
export const EVERYTHING: Access = {
  read: true, download: true, update: true, create: true, delete: true, move: true, share: true,
};
const VIEWING: Access = { ...NOTHING, read: true, download: true };

const ACCESS_OF_ROLE: Readonly<Record<Role, Access>> = {
  none: NOTHING,
  viewer: VIEWING,
  uploader: { ...VIEWING, create: true },
  editor: { ...EVERYTHING, share: false },
  owner: EVERYTHING,
};

export function accessOfRole(role: Role): Access {
  return ACCESS_OF_ROLE[role];
}

/** A personal space belongs to its owner alone: not even an administrator reads along. */
export function accessOf(caller: Caller, space: Pick<SpaceRecord, 'owner'>): Access {
  return caller.user === space.owner ? EVERYTHING : NOTHING;
}

/** @throws denied. */
export function checkAccess(access: Access, deed: Deed): void {
  if (access[deed]) return;
  const message = 'You do not have permission to do this here.';
  throw new HoldfastError('denied', 'files/checkAccess', message, { facts: { deed } });
}

/** For whom grants are looked up. */
export interface Subjects {
  readonly user: UserId;
  readonly groups: ReadonlySet<string>;
}

/** No account can have this name. */
const NOBODY: Subjects = { user: '@nobody' as UserId, groups: new Set() };

export function subjectsOf({ user, groups }: Pick<Caller, 'user' | 'groups'>): Subjects {
  return { user, groups: new Set(groups) };
}

/** In a space of a tenant: whoever is of another one is nobody there. */
export function subjectsIn(
  tenant: TenantId, caller: Pick<Caller, 'user' | 'tenant' | 'groups'>,
): Subjects {
  return tenant === caller.tenant ? subjectsOf(caller) : NOBODY;
}

/** As a list, for looking up what is shared with somebody. */
export function subjectList({ user, groups }: Pick<Caller, 'user' | 'groups'>): Subject[] {
  return [{ kind: 'user', id: user }, ...groups.map((id) => ({ kind: 'group' as const, id }))];
}

export function isInForce({ expiresAt }: Pick<GrantRecord, 'expiresAt'>, now: Instant): boolean {
  return expiresAt === undefined || expiresAt > now;
}

export interface EffectiveOptions {
  subjects: Subjects;
  /** Owner of the space; undefined: a team space. */
  ownerOf: UserId | undefined;
  /** The node's ancestors and itself, the space's root first. */
  chain: readonly NodeId[];
  grantsAt: (node: NodeId) => readonly GrantRecord[];
  now: Instant;
  /** Grants to these subjects that have lapsed; without it none has. */
  lapsed?: ReadonlySet<GrantId>;
}

/** The role that somebody has at the last node of the chain. */
export function effective(options: EffectiveOptions): Role {
  const { subjects, ownerOf, chain, grantsAt, now, lapsed } = options;
  if (ownerOf !== undefined && subjects.user === ownerOf) return 'owner';
  let role: Role = 'none';
  for (const node of chain) {
    role = roleBelow(role, grantsAt(node), { subjects, now, ...(lapsed && { lapsed }) });
  }
  return role;
}

/** One step down: the role at a node, from that above it and the grants at the node itself. Not for
 *  the owner of the space. */
export function roleBelow(
  above: Role, grants: readonly GrantRecord[],
  { subjects, now, lapsed }: {
    subjects: Subjects; now: Instant; lapsed?: ReadonlySet<GrantId>;
  },
): Role {
  let ofGroups: Role | undefined;
  let ofLapsed: Role | undefined;
  for (const grant of grants) {
    const { subject, role, id } = grant;
    if (!isInForce(grant, now)) continue;
    const hasLapsed = lapsed?.has(id) === true;
    if (subject.kind === 'user' && subject.id === subjects.user) {
      return hasLapsed ? weakerRole(above, role) : role;
    }
    if (subject.kind !== 'group' || !subjects.groups.has(subject.id)) continue;
    if (hasLapsed) ofLapsed = strongest(ofLapsed, role);
    else ofGroups = strongest(ofGroups, role);
  }
  if (ofGroups === undefined && ofLapsed !== undefined) return weakerRole(above, ofLapsed);
  return ofGroups ?? above;
}

function strongest(known: Role | undefined, role: Role): Role {
  return known === undefined ? role : strongerRole(known, role);
}

/** Why somebody can see a node. */
export interface Reason {
  subject: Subject | { kind: 'space-owner'; id: UserId };
  role: Role;
  /** Where it was said; the space's root for its owner. */
  nodeId: NodeId;
  grant: GrantRecord | undefined;
}

/**
 * Who can see the last node of the chain, and why: for the space's owner, and each user, group and
 * link named on the way down, what was said last. For a user the grant to the user counts, else the
 * deepest of its groups': `effective` puts that together for one person. `none` is listed too: it
 * says who was shut out.
 */
export function explain(
  { ownerOf, chain, grantsAt, now }: Omit<EffectiveOptions, 'subjects'>,
): Reason[] {
  const reasons = new Map<string, Reason>();
  const [rootId] = chain;
  if (ownerOf !== undefined && rootId !== undefined) {
    const subject = { kind: 'space-owner' as const, id: ownerOf };
    reasons.set('owner', { subject, role: 'owner', nodeId: rootId, grant: undefined });
  }
  for (const nodeId of chain) {
    for (const grant of grantsAt(nodeId)) {
      const { subject, role } = grant;
      if (!isInForce(grant, now)) continue;
      if (subject.kind === 'user' && subject.id === ownerOf) continue;
      reasons.set(subjectKey(subject, grant), { subject, role, nodeId, grant });
    }
  }
  return [...reasons.values()];
}

function subjectKey(subject: Subject, grant: GrantRecord): string {
  return subject.kind === 'link' ? `link ${grant.id}` : `${subject.kind} ${subject.id}`;
}

/** Whether this role lets somebody see that the node is there at all. */
export function isVisible(role: Role): boolean {
  return isAtLeast(role, 'viewer');
}
