/**
 * What others share with a caller, and where it appears in the caller's own tree.
 *
 * A mount is made when somebody looks for the first time after the share, and taken away when
 * somebody looks after its end. In between it is shown only while a grant in force reaches the
 * caller, so nothing depends on how soon that happens. Both are done once per state of affairs: as
 * long as the store hands out the same lists, nothing is looked at again.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { GrantId, SpaceId, UserId } from '../../base/ids.ts';
import { NAME_BYTES_MAX, parseName } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import type { Caller } from '../../identity/index.ts';
import type {
  Actor, GrantRecord, Instant, MetadataStore, MountRecord, MountTarget, NodeRecord, ReadOptions,
  SpaceMounts, Subject,
} from '../../metadata/index.ts';
import { Effects } from '../../platform/index.ts';
import { actorOf } from '../actor.ts';
import { isInForce, isVisible, subjectList, subjectsIn } from '../access.ts';
import type { Subjects } from '../access.ts';
import type { KnownSpace, SpaceDirectory } from '../space-directory.ts';
import { GrantTable, Ground } from './ground.ts';
import { HiddenSizes } from './hidden-sizes.ts';
import { lapsedFor } from './lapse.ts';
import type { LapseParts } from './lapse.ts';
import type { Viewer } from './link-caller.ts';
import type { SeenNode } from './sight.ts';

/** Callers of whom it is remembered that all is settled. */
const SETTLED_MAX = 10_000;

/** What a caller sees at a mount. */
export interface Entered {
  ground: Ground;
  /** From the root of its space to what is mounted, which is the last. */
  chain: readonly NodeRecord[];
  /** What is mounted, under the mount's name. */
  node: SeenNode;
  sizes: HiddenSizes;
}

export interface Received {
  caller: Caller;
  own: KnownSpace;
  /** Those that count at the moment are found by `enter`. */
  mounts: readonly MountRecord[];
  /** Shown grants in force that reach the caller, without those of declined targets. */
  grants: readonly GrantRecord[];
  /** Keys of targets of which a shown grant in force reaches the caller. */
  reached: ReadonlySet<string>;
  /** Mounts were made or taken away for this very answer. */
  hasChanged: boolean;
}

interface Settled {
  grants: readonly GrantRecord[];
  mounts: SpaceMounts;
  /** When the first of the grants ends. */
  untilMs: Instant;
}

interface GroundPlace {
  spaceId: SpaceId;
  owner: UserId | undefined;
}

export interface GroundParts {
  ground: Ground;
  table: GrantTable;
  subjects: Subjects;
  lapsed: ReadonlySet<GrantId>;
}

export class ReceivedShares {
  readonly #metadata: MetadataStore;
  readonly #spaces: SpaceDirectory;
  readonly #now: () => Instant;
  readonly #settled = new Map<UserId, Settled>();
  readonly #tables = new WeakMap<readonly GrantRecord[], GrantTable>();
  readonly #subjects = new WeakMap<Caller, readonly Subject[]>();
  readonly #lapseParts: LapseParts;

  constructor(parts: { metadata: MetadataStore; spaces: SpaceDirectory; now: () => Instant }) {
    this.#lapseParts = parts;
    this.#metadata = parts.metadata;
    this.#spaces = parts.spaces;
    this.#now = parts.now;
  }

  /** undefined: nobody shares anything with this caller. Costs no statement while nothing changes.
   *  Mounts that are due are made, and over ones taken away, if that can be done. */
  async of(
    caller: Caller, own: KnownSpace, options?: ReadOptions,
  ): Promise<Received | undefined> {
    const grants = await this.#metadata.listGrantsTo(this.#subjectsOf(caller), options);
    if (grants.length === 0) return undefined;
    const now = this.#now();
    const mounts = await this.#metadata.listMounts(own.id);
    const inForce = grants.filter((grant) => isInForce(grant, now));
    const declined = new Set(mounts.declined.map(keyOf));
    const received: Received = {
      caller, own, mounts: mounts.mounts, reached: new Set(inForce.map(keyOf)), hasChanged: false,
      grants: inForce.filter((grant) => grant.role !== 'none' && grant.spaceId !== own.id
        && !declined.has(keyOf(grant))),
    };
    const settled = this.#settled.get(caller.user);
    const isSettled = settled !== undefined && settled.grants === grants
      && settled.mounts === mounts && now < settled.untilMs;
    if (isSettled) return received;
    const { changed, isDone } = await this.#settle(received, mounts);
    const after = changed ? await this.#metadata.listMounts(own.id) : mounts;
    if (isDone) {
      this.#remember(caller.user, { grants, mounts: after, untilMs: firstEnd(grants, now) });
    }
    return { ...received, mounts: after.mounts, hasChanged: changed };
  }

  /** The same list for the same caller: so the store knows it again without reading it. */
  #subjectsOf(caller: Caller): readonly Subject[] {
    let subjects = this.#subjects.get(caller);
    if (subjects === undefined) {
      subjects = subjectList(caller);
      this.#subjects.set(caller, subjects);
    }
    return subjects;
  }

  /** What the caller sees at a mount; undefined: nothing, as if it were not there. */
  async enter(
    received: Received, mount: Pick<MountRecord, 'target' | 'name'>,
  ): Promise<Entered | undefined> {
    if (!received.reached.has(keyOf(mount.target))) return undefined;
    return this.#enter(received, mount.target, mount.name);
  }

  async #enter(
    { caller }: Received, { spaceId, nodeId }: MountTarget, name: string,
  ): Promise<Entered | undefined> {
    const chain = await this.#metadata.findChain(spaceId, nodeId);
    const target = chain?.at(-1);
    if (chain === undefined || target === undefined) return undefined;
    const { owner } = await this.#spaces.find(spaceId);
    const { ground, sizes } = await this.ground(caller, { spaceId, owner });
    const role = ground.roleAt(chain.map(({ id }) => id));
    if (!isVisible(role)) return undefined;
    const node = { ...sizes.shown(target), name, sight: ground.rootSight(role) };
    return { ground, chain, node, sizes };
  }

  async ground(
    caller: Viewer, where: GroundPlace,
  ): Promise<{ ground: Ground; table: GrantTable; sizes: HiddenSizes }> {
    const { ground, table } = await this.groundAlone(caller, where);
    const sizes = await HiddenSizes.of(this.#metadata, where.spaceId, { ground, table });
    return { ground, table, sizes };
  }

  /** Without the sizes of what is hidden, and so without any look into the tree but where grants
   *  of others than the owner may have lapsed. */
  async groundAlone(caller: Viewer, { spaceId, owner }: GroundPlace): Promise<GroundParts> {
    const table = await this.grantsOf(spaceId);
    const accessRev = await this.#metadata.accessRev(spaceId);
    const now = this.#now();
    const { tenant } = await this.#spaces.find(spaceId);
    const subjects = subjectsIn(tenant, caller);
    const granting = { spaceId, owner, table };
    const lapsed = await lapsedFor(this.#lapseParts, subjects, granting);
    const parts = [accessRev, caller.groupsRev ?? 0, table.expiredCount(now), ...lapsed];
    const mark = parts.map((part) => part.toString(16)).join('.');
    const ground = new Ground({ owner, mark, table, subjects, now, lapsed });
    return { ground, table, subjects, lapsed };
  }

  async grantsOf(spaceId: SpaceId): Promise<GrantTable> {
    const grants = await this.#metadata.listGrants(spaceId);
    let table = this.#tables.get(grants);
    if (table === undefined) {
      table = new GrantTable(grants);
      this.#tables.set(grants, table);
    }
    return table;
  }

  /** `isDone`: there is nothing to be done that could be done later. */
  async #settle(
    received: Received, { mounts }: SpaceMounts,
  ): Promise<{ changed: boolean; isDone: boolean }> {
    const known = new Set(mounts.map(({ target }) => keyOf(target)));
    let changed = false;
    let isDone = true;
    for (const { nodeId, target } of mounts) {
      if (received.reached.has(keyOf(target))) continue;
      const spaceId = received.own.id;
      const actor = this.#actor(received.caller);
      const end = await tried(() =>
        this.#metadata.commit({ op: 'unmount', spaceId, nodeId, isDeclined: false, actor }));
      changed ||= end === 'done';
      isDone &&= end !== 'later';
    }
    for (const target of targetsOf(received.grants)) {
      if (known.has(keyOf(target))) continue;
      const end = await this.#mount(received, target);
      changed ||= end === 'done';
      isDone &&= end !== 'later';
    }
    return { changed, isDone };
  }

  async #mount(received: Received, target: MountTarget): Promise<'done' | 'never' | 'later'> {
    const { caller, own } = received;
    const space = await this.#spaces.find(target.spaceId);
    if (space.owner === caller.user) return 'never';
    const entered = await this.#enter(received, target, '');
    if (entered === undefined) return 'later'; // It may be in the trash, and come back.
    const under = entered.chain.at(-1)?.name ?? '';
    const name = under === '' ? mountName(space.name) : mountName(under);
    return tried(() => this.#metadata.commit({
      op: 'mount', spaceId: own.id, parentId: own.rootId, name, target,
      actor: this.#actor(caller),
    }));
  }

  #actor(caller: Caller): Actor {
    return actorOf(caller, this.#now());
  }

  #remember(user: UserId, settled: Settled): void {
    if (this.#settled.size >= SETTLED_MAX) this.#settled.clear();
    this.#settled.set(user, settled);
  }
}

/** Looking at one's files must not fail because a mount cannot be noted at the moment, nor is one
 *  what a request has changed that only came first. */
async function tried(act: () => Promise<unknown>): Promise<'done' | 'never' | 'later'> {
  try {
    await Effects.aside(act);
    return 'done';
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.kind === 'internal') throw error;
    const isOver = ['not-found', 'denied', 'conflict', 'invalid', 'too-large'].includes(error.kind);
    return isOver ? 'never' : 'later';
  }
}

export function keyOf({ spaceId, nodeId }: MountTarget): string {
  return `${spaceId}/${nodeId}`;
}

function targetsOf(grants: readonly GrantRecord[]): MountTarget[] {
  const targets = new Map<string, MountTarget>();
  for (const grant of grants) {
    targets.set(keyOf(grant), { spaceId: grant.spaceId, nodeId: grant.nodeId });
  }
  return [...targets.values()];
}

function firstEnd(grants: readonly GrantRecord[], now: Instant): Instant {
  let first = Number.POSITIVE_INFINITY;
  for (const { expiresAt } of grants) {
    if (expiresAt !== undefined && expiresAt > now && expiresAt < first) first = expiresAt;
  }
  return first;
}

const FALLBACK = parseName('Shared');

function mountName(raw: string): Name {
  if (raw === '' || Buffer.byteLength(raw) > NAME_BYTES_MAX) return FALLBACK;
  return parseName(raw);
}
