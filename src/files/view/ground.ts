/** A place in a space of others that a caller has entered: what may be done there and below. */
import type { GrantId, NodeId, UserId } from '../../base/ids.ts';
import type { Role } from '../../base/roles.ts';
import type { GrantRecord, Instant } from '../../metadata/index.ts';
import { accessOfRole, isVisible, roleBelow } from '../access.ts';
import type { Access, Subjects } from '../access.ts';
import type { Sight } from './sight.ts';

const NO_GRANTS: readonly GrantRecord[] = [];

/** All grants of a space, by node. Made once per list; the store hands out the same list until a
 *  grant changes. */
export class GrantTable {
  readonly #byNode = new Map<NodeId, GrantRecord[]>();
  readonly #bySubject = new Map<string, GrantRecord[]>();
  readonly #closing = new Set<NodeId>();
  readonly #expiries: number[] = [];

  constructor(grants: readonly GrantRecord[]) {
    for (const grant of grants) {
      addTo(this.#byNode, grant.nodeId, grant);
      const { subject } = grant;
      if (grant.role === 'none') this.#closing.add(grant.nodeId);
      if (subject.kind !== 'link') addTo(this.#bySubject, `${subject.kind} ${subject.id}`, grant);
      if (grant.expiresAt !== undefined) this.#expiries.push(grant.expiresAt);
    }
  }

  readonly at = (node: NodeId): readonly GrantRecord[] => this.#byNode.get(node) ?? NO_GRANTS;

  /** Those to a user and to the user's groups, expired ones too. */
  to({ user, groups }: Subjects): GrantRecord[] {
    const keys = [`user ${user}`, ...[...groups].map((id) => `group ${id}`)];
    return keys.flatMap((key) => this.#bySubject.get(key) ?? []);
  }

  /** Whether anything is said of groups. */
  get hasGroups(): boolean {
    return this.#bySubject.keys().some((key) => key.startsWith('group '));
  }

  get isEmpty(): boolean {
    return this.#byNode.size === 0;
  }

  has(node: NodeId): boolean {
    return this.#byNode.has(node);
  }

  /** Nodes of which somebody is shut out. */
  closing(): Iterable<NodeId> {
    return this.#closing;
  }

  /** Nodes that have grants. */
  nodes(): Iterable<NodeId> {
    return this.#byNode.keys();
  }

  /** Part of ETags: time alone changes what is in force. */
  expiredCount(now: Instant): number {
    let count = 0;
    for (const at of this.#expiries) if (at <= now) count += 1;
    return count;
  }
}

/** What one caller sees in one space of others. */
export class Ground {
  readonly owner: UserId | undefined;
  /** Goes into the ETags of folders. */
  readonly mark: string;
  readonly #table: GrantTable;
  readonly #subjects: Subjects;
  readonly #now: Instant;
  readonly #lapsed: ReadonlySet<GrantId>;
  readonly #sights = new Map<Role, Sight>();

  constructor(parts: {
    owner: UserId | undefined; mark: string; table: GrantTable; subjects: Subjects; now: Instant;
    /** Of the grants to these subjects. */
    lapsed: ReadonlySet<GrantId>;
  }) {
    this.owner = parts.owner;
    this.mark = parts.mark;
    this.#table = parts.table;
    this.#subjects = parts.subjects;
    this.#now = parts.now;
    this.#lapsed = parts.lapsed;
  }

  get isOwner(): boolean {
    return this.owner === this.#subjects.user;
  }

  /** From the role above a node to that at the node. */
  step(above: Role, node: NodeId): Role {
    if (this.isOwner || !this.#table.has(node)) return above;
    return roleBelow(above, this.#table.at(node), {
      subjects: this.#subjects, now: this.#now, lapsed: this.#lapsed,
    });
  }

  /** At the last node of a chain that begins at the space's root. */
  roleAt(chain: readonly NodeId[]): Role {
    let role: Role = this.isOwner ? 'owner' : 'none';
    for (const node of chain) role = this.step(role, node);
    return role;
  }

  /** One for each role: listings hand out the same. */
  sight(role: Role): Sight {
    let sight = this.#sights.get(role);
    if (sight === undefined) {
      sight = this.#make(role, accessOfRole(role), false);
      this.#sights.set(role, sight);
    }
    return sight;
  }

  /** Of what is mounted: the mount itself is the caller's to move, rename and take away. */
  rootSight(role: Role): Sight {
    const access = { ...accessOfRole(role), ...(isVisible(role) && { delete: true, move: true }) };
    return this.#make(role, access, true);
  }

  #make(role: Role, access: Access, isMountRoot: boolean): Sight {
    return { role, access, isShared: true, isMountRoot, mark: this.mark, owner: this.owner };
  }
}

function addTo<K>(index: Map<K, GrantRecord[]>, key: K, grant: GrantRecord): void {
  const others = index.get(key);
  if (others === undefined) index.set(key, [grant]);
  else others.push(grant);
}
