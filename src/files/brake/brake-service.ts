/** What owners and administrators see of quarantines, and how they decide. */
import { HoldfastError } from '../../base/errors.ts';
import type { NodeId, TenantId, UserId } from '../../base/ids.ts';
import type { Caller } from '../../identity/index.ts';
import { HELD_LIMIT_MAX, QUARANTINES_LIMIT_MAX } from '../../metadata/index.ts';
import type {
  Actor, BatchRecord, HeldRecord, Instant, MetadataStore, QuarantineRecord,
} from '../../metadata/index.ts';
import type { Batches } from '../time/restore/batches.ts';
import { Keeper } from './keeper.ts';
import type { Quarantines } from './quarantines.ts';

const OP = 'files/BrakeService';

export interface ShownHeld extends HeldRecord {
  /** Where it is now; undefined: somebody else has deleted it since. */
  path: string[] | undefined;
}

/** Whoever decides. */
export interface Decider {
  user: UserId;
  device: string;
  isAdmin: boolean;
  /** Administrators decide in their own tenant; undefined: in all of them. */
  tenant?: TenantId;
}

export class BrakeService {
  readonly #metadata: MetadataStore;
  readonly #quarantines: Quarantines;
  readonly #batches: Batches;
  readonly #now: () => Instant;
  readonly #onDecided: (quarantine: QuarantineRecord) => Promise<void> | void;

  constructor(parts: {
    metadata: MetadataStore; quarantines: Quarantines; batches: Batches; now: () => Instant;
    onDecided?: ((quarantine: QuarantineRecord) => Promise<void> | void) | undefined;
  }) {
    this.#metadata = parts.metadata;
    this.#quarantines = parts.quarantines;
    this.#batches = parts.batches;
    this.#now = parts.now;
    this.#onDecided = parts.onDecided ?? (() => undefined);
  }

  /** Newest first; without `all` those that wait for a decision or are being kept. */
  async list(
    { all, near }: { all: boolean; near?: TenantId },
  ): Promise<QuarantineRecord[]> {
    const where = near === undefined ? {} : { near };
    const metadata = this.#metadata;
    if (all) return metadata.listQuarantines(where, QUARANTINES_LIMIT_MAX);
    const open = await metadata.listQuarantines(
      { ...where, state: 'open' }, QUARANTINES_LIMIT_MAX);
    const keeping = await metadata.listQuarantines(
      { ...where, state: 'keeping' }, QUARANTINES_LIMIT_MAX,
    );
    return [...open, ...keeping].toSorted((a, b) => b.id - a.id);
  }

  /** @throws not-found `quarantine-missing`. */
  async get(id: number): Promise<QuarantineRecord> {
    const found = await this.#metadata.findQuarantine(id);
    if (found !== undefined) return found;
    throw new HoldfastError('not-found', OP, 'There is no such quarantine.', {
      code: 'quarantine-missing',
    });
  }

  /** What it holds, by id, at most `limit` (1 to HELD_LIMIT_MAX). @throws not-found. */
  async show(id: number, limit = HELD_LIMIT_MAX, after = 0): Promise<ShownHeld[]> {
    const { spaceId } = await this.get(id);
    const shown: ShownHeld[] = [];
    for (const held of await this.#metadata.listHeld(id, limit, after)) {
      const chain = await this.#metadata.findChain(spaceId, held.nodeId);
      shown.push({ ...held, path: chain?.slice(1).map(({ name }) => name) });
    }
    return shown;
  }

  /** Makes what is held, as a batch that can be undone. Resolves once it is noted; it then runs to
   *  its end, also after a crash. If a lock or a quota stood in the way of something, that is still
   *  held then, and can be decided again. What was undone can be kept after all until forgotten.
   *  @throws not-found; denied; conflict `quarantine-decided`, `quarantine-open`,
   *  `batch-running`. */
  async keep(id: number, by: Decider): Promise<BatchRecord> {
    const { spaceId } = await this.#check(id, by);
    const { count: batchId } = await this.#metadata.commit({
      op: 'decide-quarantine', spaceId, quarantineId: id, decision: 'keep', actor: this.#actor(by),
    });
    await this.#decided(id);
    await this.#batches.resume();
    return this.#batches.get(batchId);
  }

  /** The device sees the tree as it is again. What was held is kept as long as the trash, so that
   *  a wrong decision loses nothing either.
   *  @throws not-found; denied; conflict `quarantine-decided`. */
  async undo(id: number, by: Decider): Promise<QuarantineRecord> {
    const { spaceId } = await this.#check(id, by);
    await this.#metadata.commit({
      op: 'decide-quarantine', spaceId, quarantineId: id, decision: 'undo', actor: this.#actor(by),
    });
    return this.#decided(id);
  }

  async #decided(id: number): Promise<QuarantineRecord> {
    await this.#quarantines.refresh(id);
    const record = await this.get(id);
    await this.#onDecided(record);
    return record;
  }

  /** Those that wait for this person's decision, or are being kept; none by a link. */
  async listFor({ user, admin, tenant }: Caller): Promise<QuarantineRecord[]> {
    const all = await this.list({ all: false, near: tenant });
    const by = { user, device: '', isAdmin: admin, tenant };
    const mayDecide = await Promise.all(all.map((each) => this.#mayDecide(each, by)));
    return all.filter((_, at) => mayDecide[at]);
  }

  async #mayDecide(
    { spaceId }: QuarantineRecord, { user, isAdmin, tenant }: Decider,
  ): Promise<boolean> {
    const { owner, tenant: own } = await this.#metadata.getSpace(spaceId);
    return owner === user || (isAdmin && (tenant === undefined || tenant === own));
  }

  async #check(id: number, by: Decider): Promise<QuarantineRecord> {
    const record = await this.get(id);
    if (await this.#mayDecide(record, by)) return record;
    const message = 'Only the owner of the files or an administrator can decide this.';
    throw new HoldfastError('denied', OP, message);
  }

  #actor({ user, device }: Decider): Actor {
    return { user, device, at: this.#now(), lockTokens: [] };
  }
}

/** Runs the batch of a quarantine that is being kept. */
export async function runKeep(
  { metadata, quarantines }: { metadata: MetadataStore; quarantines: Quarantines },
  batch: BatchRecord, { actor, signal }: { actor: () => Actor; signal: AbortSignal },
): Promise<void> {
  const { spaceId } = batch;
  const { tenant: near } = await metadata.getSpace(spaceId);
  const [quarantine] = (await metadata.listQuarantines(
    { state: 'keeping', near }, QUARANTINES_LIMIT_MAX,
  )).filter(({ batchId }) => batchId === batch.id);
  if (quarantine === undefined) {
    throw new HoldfastError('corrupt', 'files/runKeep', 'The quarantine of a batch is missing.');
  }
  await quarantines.enter(quarantine); // It may have been undone before.
  const keeper = new Keeper(metadata, {
    quarantine, space: await metadata.getSpace(spaceId), actor, signal,
    deletedIds: () => quarantines.heldOf(quarantine),
    onGone: ({ nodeId, id }: { nodeId: NodeId; id: number }) =>
      quarantines.released(quarantine, { nodeId, id }),
  });
  await keeper.run();
  await metadata.commit({
    op: 'end-keep', spaceId, quarantineId: quarantine.id, at: actor().at,
    doneCount: keeper.doneCount, skippedCount: keeper.skippedCount,
  });
  await quarantines.refresh(quarantine.id);
}
