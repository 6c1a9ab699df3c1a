/**
 * What somebody could do in a space at a moment, and can do there now: the weaker of the two is
 * what counts for whoever looks back. Nobody sees what was hidden then, or has been taken away
 * since. For either time it is asked who was in which group at that time.
 */
import type { GrantId, GroupId, NodeId, UserId } from '../../base/ids.ts';
import { weakerRole } from '../../base/roles.ts';
import type { Role } from '../../base/roles.ts';
import type { Caller } from '../../identity/index.ts';
import type {
  GrantRecord, Instant, MetadataStore, PastNode, PastSpace, SpaceRecord,
} from '../../metadata/index.ts';
import { effective, isVisible, subjectsIn } from '../access.ts';
import type { Subjects } from '../access.ts';
import { GrantTable } from '../view/ground.ts';
import { lapsedFor } from '../view/lapse.ts';
import type { LapseParts } from '../view/lapse.ts';

/** The groups that a user was in at a moment. */
export type GroupsAt = (user: UserId, at: Instant) => Promise<readonly GroupId[]>;

export interface ThenParts extends LapseParts {
  metadata: MetadataStore;
  groupsAt: GroupsAt;
}

/** What is looked at. */
export interface Then {
  space: SpaceRecord;
  rev: number;
  /** The instant that stands for the revision: a span of time belongs to each. */
  at: Instant;
  /** Grants that count for then; undefined: all that there were. */
  counts?: (grant: GrantRecord) => boolean;
}

interface Times {
  then: { at: Instant; subjects: Subjects; table: GrantTable };
  now: { subjects: Subjects; table: GrantTable; lapsed: ReadonlySet<GrantId> };
}

const NOBODY_ELSE = new GrantTable([]);

export class ThenAndNow {
  readonly past: PastSpace;
  readonly space: SpaceRecord;
  readonly #parts: ThenParts;
  readonly #then: Times['then'];
  readonly #now: Times['now'];

  private constructor(
    parts: ThenParts, { past, space }: { past: PastSpace; space: SpaceRecord },
    times: Times,
  ) {
    this.#parts = parts;
    this.past = past;
    this.space = space;
    this.#then = times.then;
    this.#now = times.now;
  }

  /** For the owner of the space nothing is read but the past's first row. @throws as
   *  MetadataStore.past. */
  static async open(parts: ThenParts, caller: Caller, what: Then): Promise<ThenAndNow> {
    const { space, rev, at, counts = () => true } = what;
    const { metadata, groupsAt } = parts;
    const past = await metadata.past(space.id, rev);
    const subjects = subjectsIn(space.tenant, caller);
    const places = { past, space };
    if (space.owner === caller.user) {
      const then = { at, subjects, table: NOBODY_ELSE };
      return new ThenAndNow(parts, places, {
        then, now: { subjects, table: NOBODY_ELSE, lapsed: new Set() },
      });
    }
    const table = new GrantTable(await metadata.listGrants(space.id));
    const lapsed = await lapsedFor(parts, subjects, {
      spaceId: space.id, owner: space.owner, table,
    });
    const groups = await groupsAt(caller.user, at);
    const then = {
      at, subjects: subjectsIn(space.tenant, { ...caller, groups }),
      table: new GrantTable((await past.listGrants()).filter(counts)),
    };
    return new ThenAndNow(parts, places, { then, now: { subjects, table, lapsed } });
  }

  /** The weaker of the roles that the caller had and has at a node. */
  async roleAt(nodeId: NodeId): Promise<Role> {
    const { owner: ownerOf, id } = this.space;
    if (ownerOf !== undefined && this.#now.subjects.user === ownerOf) return 'owner';
    const chain = await this.past.findChain(nodeId) ?? [];
    const live = await this.#parts.metadata.findChain(id, nodeId);
    const then = this.#roleThen(chain);
    // What is deleted has no place now: today's grants are looked for where it was.
    const now = effective({
      subjects: this.#now.subjects, ownerOf, chain: (live ?? chain).map((node) => node.id),
      grantsAt: this.#now.table.at, now: this.#parts.now(), lapsed: this.#now.lapsed,
    });
    return weakerRole(then, now);
  }

  #roleThen(chain: readonly PastNode[]): Role {
    const { at, subjects, table } = this.#then;
    return effective({
      subjects, ownerOf: this.space.owner, chain: chain.map((node) => node.id),
      grantsAt: table.at, now: at,
    });
  }

  /** Whether nothing at or below a node was hidden from the caller then. */
  async sawAllBelow(nodeId: NodeId): Promise<boolean> {
    if (this.space.owner === this.#now.subjects.user) return true;
    for (const id of [nodeId, ...this.#then.table.nodes()]) {
      const chain = await this.past.findChain(id) ?? [];
      const isBelow = chain.some((node) => node.id === nodeId);
      if (isBelow && !isVisible(this.#roleThen(chain))) return false;
    }
    return true;
  }
}
