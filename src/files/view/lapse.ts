/**
 * Grants that have lapsed: whoever made them could not make them today, because the account is
 * disabled or gone, or is no owner there any more.
 *
 * A lapsed grant gives nothing that is not given without it. What it takes away it still takes: who
 * shut somebody out of a folder and then leaves has not opened it. Nothing is stored, so what an
 * account gave is back when the account is. In a team's space nothing lapses: what is given there
 * the team has given, and it outlasts whoever typed it.
 *
 * Whether a maker is an owner depends on grants that may have lapsed themselves, so one question
 * leads to others. A grant that is asked about again on the way, in a circle, counts as lapsed: two
 * people cannot keep one another in.
 */
import type { GrantId, NodeId, SpaceId, UserId } from '../../base/ids.ts';
import type { Role } from '../../base/roles.ts';
import type { GrantRecord, Instant, MetadataStore } from '../../metadata/index.ts';
import { isInForce, roleBelow, subjectsOf } from '../access.ts';
import type { Subjects } from '../access.ts';
import type { SpaceDirectory } from '../space-directory.ts';
import type { GrantTable } from './ground.ts';

/** From a grant to that of its maker, and on; what hangs on a longer line has lapsed. */
const LINE_MAX = 8;
/** Grants looked at for one answer; the rest has lapsed. */
const LOOKS_MAX = 1_000;

const NOTHING: ReadonlySet<GrantId> = new Set();

export interface LapseParts {
  metadata: Pick<MetadataStore, 'findChain'>;
  spaces: Pick<SpaceDirectory, 'findMaker'>;
  now: () => Instant;
}

/** A space of which it is asked. */
export interface Granting {
  spaceId: SpaceId;
  /** undefined: a team. */
  owner: UserId | undefined;
  table: GrantTable;
}

/** Those that would reach these subjects in a space, if they had not lapsed. Costs a look at the
 *  owner's account; and more only where others than the owner have made such grants. */
export async function lapsedFor(
  parts: LapseParts, subjects: Subjects, granting: Granting,
): Promise<ReadonlySet<GrantId>> {
  const { owner, table } = granting;
  if (owner === undefined || owner === subjects.user) return NOTHING;
  return new Inquiry(parts, owner, granting).among(table.to(subjects), new Set());
}

/** Of grants of a space. */
export async function lapsedAmong(
  parts: LapseParts, grants: readonly GrantRecord[], granting: Granting,
): Promise<ReadonlySet<GrantId>> {
  const { owner } = granting;
  if (owner === undefined) return NOTHING;
  return new Inquiry(parts, owner, granting).among(grants, new Set());
}

/** One question, and all that it leads to. */
class Inquiry {
  readonly #parts: LapseParts;
  readonly #owner: UserId;
  readonly #granting: Granting;
  readonly #makers = new Map<UserId, Subjects | undefined>();
  #looks = 0;

  constructor(parts: LapseParts, owner: UserId, granting: Granting) {
    this.#parts = parts;
    this.#owner = owner;
    this.#granting = granting;
  }

  /** `asking`: grants that led here. */
  async among(
    grants: readonly GrantRecord[], asking: ReadonlySet<GrantId>,
  ): Promise<ReadonlySet<GrantId>> {
    const now = this.#parts.now();
    const lapsed = new Set<GrantId>();
    for (const grant of grants) {
      if (isInForce(grant, now) && await this.#hasLapsed(grant, asking)) lapsed.add(grant.id);
    }
    return lapsed;
  }

  async #hasLapsed(grant: GrantRecord, asking: ReadonlySet<GrantId>): Promise<boolean> {
    const { createdBy, id, nodeId } = grant;
    const maker = await this.#maker(createdBy);
    if (maker === undefined) return true;
    if (createdBy === this.#owner) return false;
    this.#looks += 1;
    if (asking.has(id) || asking.size >= LINE_MAX || this.#looks > LOOKS_MAX) return true;
    const chain = await this.#parts.metadata.findChain(this.#granting.spaceId, nodeId);
    const ids = (chain ?? []).map((node) => node.id);
    return await this.#roleAt(maker, ids, new Set([...asking, id])) !== 'owner';
  }

  async #roleAt(
    subjects: Subjects, chain: readonly NodeId[], asking: ReadonlySet<GrantId>,
  ): Promise<Role> {
    const { table } = this.#granting;
    const above = new Set(chain);
    const reaching = table.to(subjects).filter(({ nodeId }) => above.has(nodeId));
    const lapsed = await this.among(reaching, asking);
    const now = this.#parts.now();
    let role: Role = 'none';
    for (const node of chain) {
      role = roleBelow(role, table.at(node), { subjects, now, lapsed });
    }
    return role;
  }

  /** undefined: may not sign in. */
  async #maker(user: UserId): Promise<Subjects | undefined> {
    if (!this.#makers.has(user)) {
      const found = await this.#parts.spaces.findMaker(user);
      this.#makers.set(user, found && subjectsOf(found));
    }
    return this.#makers.get(user);
  }
}
