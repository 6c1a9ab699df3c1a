import { DEFAULT_TENANT } from '../../base/ids.ts';
import type { NodeId, SpaceId, TenantId, UserId } from '../../base/ids.ts';
import type { Name } from '../../base/names.ts';
import { furthestOf } from '../../base/witness.ts';
import type { Witness } from '../../base/witness.ts';
import type { Clock } from '../../platform/index.ts';
import { GRANTS_TO_MAX, SUBJECTS_MAX } from '../access-changes.ts';
import type {
  GrantRecord, ReservationRecord, SpaceMounts, Subject, UsageFigures, UsageRecord,
} from '../access-records.ts';
import { isKind } from '../../base/errors.ts';
import type { BatchFilter, BatchRecord } from '../batch.ts';
import type { Change, ChangeResult } from '../changes.ts';
import { checkLimit } from '../check-change.ts';
import type { DiffOptions, DiffPage } from '../diff.ts';
import { QUARANTINES_LIMIT_MAX } from '../holds.ts';
import type {
  HeldRecord, OlderFilesBounds, QuarantineFilter, QuarantineRecord,
} from '../holds.ts';
import { MANIFESTS_LIMIT_MAX, SPACES_LIMIT_MAX } from '../metadata-store.ts';
import type { ListOptions, MetadataStore, NewSpace, ReadOptions } from '../metadata-store.ts';
import type { SpaceStanding } from '../following.ts';
import { BATCHES_LIMIT_MAX } from '../past.ts';
import type { Horizon, PastSpace, TrashFilter, VersionKey } from '../past.ts';
import type {
  DeadProperty, EventRecord, FolderEntry, Instant, LockRecord, ManifestPlace, ManifestRecord,
  NodeRecord, SpaceRecord, TrashRecord, UploadPartRecord, UploadRecord, VersionRecord,
} from '../records.ts';
import { otherTenant, outOfRange } from '../refusals.ts';
import type { RetentionRule, RetentionScope } from '../retention.ts';
import type { CachedDirectory } from './cached-directory.ts';
import type { TenantOf } from './known-tenants.ts';
import { LinkFinder } from './link-finder.ts';
import { mergeManifests, mergePages } from './merged-pages.ts';
import type { PageSource } from './merged-pages.ts';
import { ShardCommits } from './shard-commits.ts';
import type { ShardMap } from './shard-map.ts';
import type { ShardPool } from './shard-pool.ts';
import { ShardRouter } from './shard-router.ts';
import type { ShardStore } from './shard-store.ts';
import { ConfirmedPast, confirmed, confirmedAnswer } from './confirmed-reads.ts';
import { SureAnswers } from './sure-answers.ts';

export interface ShardedStoreOptions {
  directory: CachedDirectory;
  pool: ShardPool;
  /** As the accounts say. */
  tenantOf: TenantOf;
  clock: Clock;
}

/** What is known of the marks of content. */
export interface KnownMarks {
  witness: Witness;
  /** Shards whose marks are not among them: nobody knows what they refer to. */
  away: readonly number[];
}

/** Told of a shard that was passed over: its number. */
export type OnAway = (shard: number) => void;

/**
 * A MetadataStore over several shards. A tenant is on one of them with all that it has; so each
 * statement about a space, a user or a tenant goes to one shard, and works as long as that one can
 * be reached. What lists everything asks all of them, and is refused with `unavailable` while one
 * is away: nobody is told that there is nothing where nobody could look. Whoever can do without
 * asks `withoutAway`, and is told.
 */
export class ShardedMetadataStore implements MetadataStore {
  readonly #options: ShardedStoreOptions;
  readonly #router: ShardRouter;
  readonly #answers: SureAnswers;
  readonly #links: LinkFinder;
  readonly #commits: ShardCommits;
  readonly #onAway: OnAway | undefined;

  /** The pool and the directory are closed with it. */
  constructor(options: ShardedStoreOptions, view?: { of: ShardedMetadataStore; onAway: OnAway }) {
    const { directory, pool, tenantOf, clock } = options;
    this.#options = options;
    const { of, onAway } = view ?? {};
    const router = of && of.#router;
    this.#router = router ?? new ShardRouter({ directory, pool, tenantOf, clock });
    this.#answers = (of && of.#answers) ?? new SureAnswers(this.#router);
    this.#links = (of && of.#links) ?? new LinkFinder(clock);
    this.#commits = (of && of.#commits) ?? new ShardCommits(this.#router);
    this.#onAway = onAway;
  }

  /** The same store, whose lists of spaces, batches and quarantines leave out what is on shards
   *  that are away, and tell of each. Never for manifests and marks: they stay refused. It is
   *  closed with this one. */
  withoutAway(onAway: OnAway): MetadataStore {
    return new ShardedMetadataStore(this.#options, { of: this, onAway });
  }

  /** What all shards have, or with `near` the one of a tenant. */
  #merged<R extends { id: number }>(
    { ask, spaceOf, near }: {
      ask: (store: ShardStore, count: number, last: R | undefined) => Promise<R[]>;
      spaceOf: (record: R) => SpaceId; near: TenantId | undefined;
    }, limit: number, order: (a: R, b: R) => number,
  ): Promise<R[]> {
    const merge = (map: ShardMap): Promise<R[]> => {
      const only = near === undefined ? undefined : this.#router.numberOfTenant(near);
      const asked = this.#router.inUse.filter(({ number }) =>
        only === undefined || number === only);
      return mergePages(asked.map(({ number, store }): PageSource<R> => ({
        ask: (count, last) => this.#orAway(number, async () => ask(await store(), count, last)),
        keeps: (record) => map.shardOfSpace(spaceOf(record)) === number,
      })), limit, order);
    };
    return near === undefined ? this.#answers.ofAll(merge)
      : this.#answers.ofTenants(async () => [near], () => merge(this.#router.directory.map));
  }

  async #orAway<R>(shard: number, ask: () => Promise<R[]>): Promise<R[]> {
    try {
      return await ask();
    } catch (error) {
      if (this.#onAway === undefined || !isKind(error, 'unavailable')) throw error;
      this.#onAway(shard);
      return [];
    }
  }

  /** What is not there and lists: see SureAnswers. */
  #at<T>(
    spaceId: SpaceId, ask: (store: ShardStore) => Promise<T>, isFound?: (answer: T) => boolean,
  ): Promise<T> {
    return this.#answers.ofSpace(spaceId, ask, isFound);
  }

  async ensureSpace(wanted: NewSpace): Promise<SpaceRecord> {
    const { tenant, owner: id } = wanted;
    const known = await this.#router.tenantOf({ kind: 'user', id });
    if (known !== undefined && known !== tenant) throw otherTenant();
    return this.#router.following(() =>
      this.#router.writeTo(tenant, (store) => store.ensureSpace(wanted)));
  }

  getSpace(id: SpaceId): Promise<SpaceRecord> {
    return this.#at(id, (store) => store.getSpace(id), isThere);
  }

  async listSpaces(limit: number, after?: SpaceId, near?: TenantId): Promise<SpaceRecord[]> {
    checkLimit(limit, SPACES_LIMIT_MAX);
    return this.#merged<SpaceRecord>({
      ask: (store, count, last) => store.listSpaces(count, last?.id ?? after),
      spaceOf: ({ id }) => id, near,
    }, limit, (a, b) => a.id - b.id);
  }

  resolve(
    spaceId: SpaceId, path: readonly Name[], from?: NodeId, options?: ReadOptions,
  ): Promise<NodeRecord[]> {
    return this.#at(spaceId, (store) => store.resolve(spaceId, path, from, options),
      (found) => found.length === path.length + 1);
  }

  findChain(spaceId: SpaceId, nodeId: NodeId): Promise<NodeRecord[] | undefined> {
    return this.#at(spaceId, (store) => store.findChain(spaceId, nodeId), isThere);
  }

  async findChains(spaceId: SpaceId, nodeIds: readonly NodeId[]) {
    return this.#at(spaceId, (store) => store.findChains(spaceId, nodeIds));
  }

  /** Of each shard as of one moment. */
  async listStandings(
    spaceIds: readonly SpaceId[],
  ): Promise<ReadonlyMap<SpaceId, SpaceStanding>> {
    return this.#answers.ofAll(async (map) => {
      const byShard = [...Map.groupBy(spaceIds, (id) => map.shardOfSpace(id)).values()];
      if (byShard.length === 0) byShard.push([]);
      const parts = await Promise.all(byShard.map(async (ids) =>
        (await this.#router.ofSpace(ids[0] ?? (0 as SpaceId))).listStandings(ids)));
      const [only = new Map<SpaceId, SpaceStanding>(), ...others] = parts;
      return others.length === 0 ? only : new Map(parts.flatMap((part) => [...part]));
    }, (found) => found.size === spaceIds.length);
  }

  async* listFolder(
    spaceId: SpaceId, folderId: NodeId, options: ListOptions = {},
  ): AsyncIterable<readonly FolderEntry[]> {
    const { store, confirm } = await this.#answers.where(spaceId);
    yield* confirmed(store.listFolder(spaceId, folderId, options), confirm);
  }

  async listProperties(spaceId: SpaceId, nodeId: NodeId): Promise<DeadProperty[]> {
    return this.#at(spaceId, (store) => store.listProperties(spaceId, nodeId));
  }

  getVersion(
    spaceId: SpaceId, nodeId: NodeId, contentRev: number,
  ): Promise<VersionRecord> {
    return this.#at(spaceId,
      (store) => store.getVersion(spaceId, nodeId, contentRev), isThere);
  }

  async listVersions(spaceId: SpaceId, nodeId: NodeId): Promise<VersionRecord[]> {
    return this.#at(spaceId, (store) => store.listVersions(spaceId, nodeId));
  }

  async listEvents(spaceId: SpaceId, afterRev: number, limit: number): Promise<EventRecord[]> {
    return this.#at(spaceId, (store) => store.listEvents(spaceId, afterRev, limit));
  }

  async listTrash(
    spaceId: SpaceId, limit: number, beforeRev?: number, filter?: TrashFilter,
  ): Promise<TrashRecord[]> {
    return this.#at(spaceId, (store) => store.listTrash(spaceId, limit, beforeRev, filter));
  }

  async revisionAt(spaceId: SpaceId, at: Instant): Promise<number> {
    return this.#at(spaceId, (store) => store.revisionAt(spaceId, at));
  }

  /** What is read of it later may be read when the tenant has moved. */
  async past(spaceId: SpaceId, rev: number): Promise<PastSpace> {
    const { store, confirm } = await this.#answers.where(spaceId);
    return new ConfirmedPast(await confirmedAnswer(store.past(spaceId, rev), confirm), confirm);
  }

  async getHorizon(spaceId: SpaceId): Promise<Horizon> {
    return this.#at(spaceId, (store) => store.getHorizon(spaceId));
  }

  async diff(
    spaceId: SpaceId, fromRev: number, toRev: number, options?: DiffOptions,
  ): Promise<DiffPage> {
    return this.#at(spaceId, (store) => store.diff(spaceId, fromRev, toRev, options));
  }

  async findDeleted(spaceId: SpaceId, nodeId: NodeId): Promise<TrashRecord | undefined> {
    return this.#at(spaceId, (store) => store.findDeleted(spaceId, nodeId));
  }

  async listVersionKeys(
    spaceId: SpaceId, limit: number, after?: { nodeId: NodeId; contentRev: number },
  ): Promise<VersionKey[]> {
    return this.#at(spaceId, (store) => store.listVersionKeys(spaceId, limit, after));
  }

  async readRetention(scope: RetentionScope): Promise<RetentionRule> {
    if (scope.kind === 'space') {
      return this.#at(scope.spaceId, (store) => store.readRetention(scope));
    }
    return this.#ofTenant(scope.tenant, (store) => store.readRetention(scope));
  }

  async findBatch(batchId: number): Promise<BatchRecord | undefined> {
    return this.#answers.ofAll((map) => this.#router.search(batchId, async ({ number, store }) => {
      const batch = await store.findBatch(batchId);
      return batch && map.shardOfSpace(batch.spaceId) === number ? batch : undefined;
    }), isThere);
  }

  async listBatches(
    filter: BatchFilter, limit: number, before?: number,
  ): Promise<BatchRecord[]> {
    checkLimit(limit, BATCHES_LIMIT_MAX);
    const { spaceId, near } = filter;
    if (spaceId !== undefined) {
      return this.#at(spaceId, (store) => store.listBatches(filter, limit, before));
    }
    return this.#merged<BatchRecord>({
      ask: (store, count, last) => store.listBatches(filter, count, last?.id ?? before),
      spaceOf: (batch) => batch.spaceId, near,
    }, limit, (a, b) => b.id - a.id);
  }

  async findQuarantine(id: number): Promise<QuarantineRecord | undefined> {
    return this.#answers.ofAll((map) => this.#router.search(id, async ({ number, store }) => {
      const record = await store.findQuarantine(id);
      return record && map.shardOfSpace(record.spaceId) === number ? record : undefined;
    }), isThere);
  }

  async listQuarantines(
    filter: QuarantineFilter, limit: number, before?: number,
  ): Promise<QuarantineRecord[]> {
    checkLimit(limit, QUARANTINES_LIMIT_MAX);
    return this.#merged<QuarantineRecord>({
      ask: (store, count, last) => store.listQuarantines(filter, count, last?.id ?? before),
      spaceOf: ({ spaceId }) => spaceId, near: filter.near,
    }, limit, (a, b) => b.id - a.id);
  }

  async listHeld(quarantineId: number, limit: number, after?: number): Promise<HeldRecord[]> {
    const there = await this.findQuarantine(quarantineId);
    const list = (store: ShardStore) => store.listHeld(quarantineId, limit, after);
    return there === undefined ? list(await this.#router.ofNothing())
      : this.#at(there.spaceId, list);
  }

  async countOlderFiles(
    spaceId: SpaceId, folderId: NodeId, bounds: OlderFilesBounds,
  ): Promise<number> {
    return this.#at(spaceId, (store) => store.countOlderFiles(spaceId, folderId, bounds));
  }

  async listLocks(spaceId: SpaceId, at: Instant): Promise<LockRecord[]> {
    return this.#at(spaceId, (store) => store.listLocks(spaceId, at));
  }

  listGrants(spaceId: SpaceId): Promise<readonly GrantRecord[]> {
    return this.#at(spaceId, (store) => store.listGrants(spaceId));
  }

  accessRev(spaceId: SpaceId): Promise<number> {
    return this.#at(spaceId, (store) => store.accessRev(spaceId), isThere);
  }

  /** Whom all of them are of one tenant, as a user and its groups are, one shard is asked. */
  listGrantsTo(
    subjects: readonly Subject[], options?: ReadOptions,
  ): Promise<readonly GrantRecord[]> {
    const tenants = async (): Promise<TenantId[]> => {
      const found = await Promise.all(subjects.flatMap((subject) =>
        (subject.kind === 'link' ? [] : [this.#router.tenantOf(subject)])));
      return [...new Set(found.map((tenant) => tenant ?? DEFAULT_TENANT))];
    };
    // The same list goes in and out: callers and shards know it again.
    return this.#answers.ofTenants(tenants, () =>
      this.#router.onlyNow()?.listGrantsTo(subjects, options)
        ?? this.#listGrantsTo(subjects, options));
  }

  async #listGrantsTo(
    subjects: readonly Subject[], options: ReadOptions | undefined,
  ): Promise<readonly GrantRecord[]> {
    if (subjects.length > SUBJECTS_MAX) throw outOfRange('subjects');
    const numbers = new Map<Subject, number>();
    for (const subject of subjects) {
      if (subject.kind !== 'link') numbers.set(subject, await this.#router.numberOf(subject));
    }
    const byShard = Map.groupBy(numbers.keys(), (subject) => numbers.get(subject) as number);
    const parts = await Promise.all([...byShard].map(async ([number, asked]) => {
      const found = await (await this.#router.numbered(number)).listGrantsTo(asked, options);
      const isHome = ({ spaceId }: GrantRecord): boolean => this.#router.isHome(spaceId, number);
      return found.every(isHome) ? found : found.filter(isHome);
    }));
    if (parts.length <= 1) return parts[0] ?? [];
    return parts.flat().sort((a, b) => a.id - b.id).slice(0, GRANTS_TO_MAX);
  }

  findLink(tokenHash: string): Promise<GrantRecord | undefined> {
    return this.#answers.ofAll((map) => {
      const asked = this.#router.inUse.map(({ number, store }) => ({
        number, store,
        isHome: ({ spaceId }: GrantRecord) => map.shardOfSpace(spaceId) === number,
      }));
      return this.#links.find(tokenHash, asked);
    }, isThere);
  }

  listMounts(spaceId: SpaceId): Promise<SpaceMounts> {
    return this.#at(spaceId, (store) => store.listMounts(spaceId));
  }

  async readUsage(spaceId: SpaceId, at: Instant): Promise<UsageRecord> {
    return this.#at(spaceId, (store) => store.readUsage(spaceId, at));
  }

  async readTenantUsage(tenant: TenantId, at: Instant): Promise<UsageFigures> {
    return this.#ofTenant(tenant, (store) => store.readTenantUsage(tenant, at));
  }

  #ofTenant<T>(
    tenant: TenantId, ask: (store: ShardStore) => Promise<T>, isFound?: (answer: T) => boolean,
  ): Promise<T> {
    return this.#answers.ofTenants(async () => [tenant],
      async () => ask(await this.#router.ofTenant(tenant)), isFound);
  }

  async #ofOwner<T>(
    owner: UserId, ask: (store: ShardStore) => Promise<T>, isFound?: (answer: T) => boolean,
  ): Promise<T> {
    const tenant = await this.#router.tenantOf({ kind: 'user', id: owner }) ?? DEFAULT_TENANT;
    return this.#ofTenant(tenant, ask, isFound);
  }

  async listReservations(spaceId: SpaceId, at: Instant): Promise<ReservationRecord[]> {
    return this.#at(spaceId, (store) => store.listReservations(spaceId, at));
  }

  async findUpload(owner: UserId, uploadId: string): Promise<UploadRecord | undefined> {
    return this.#ofOwner(owner, (store) => store.findUpload(owner, uploadId), isThere);
  }

  async listParts(owner: UserId, uploadId: string): Promise<UploadPartRecord[]> {
    return this.#ofOwner(owner, (store) => store.listParts(owner, uploadId));
  }

  /** Those of tenants that are not at home on a shard too: nobody must miss any. So whoever cannot
   *  be sure to know of every shard is refused, too. */
  async listManifests(limit: number, after?: ManifestPlace): Promise<ManifestRecord[]> {
    checkLimit(limit, MANIFESTS_LIMIT_MAX);
    await this.#router.beSure();
    const [only, ...others] = await this.#router.all();
    if (only !== undefined && others.length === 0) return only.store.listManifests(limit, after);
    const shards = only === undefined ? [] : [only, ...others];
    const pages = await Promise.all(shards.map(({ store }) => store.listManifests(limit, after)));
    return mergeManifests(pages, limit);
  }

  commit(change: Change): Promise<ChangeResult> {
    return this.#router.following(() => this.#commits.commit(change));
  }

  async readWitness(): Promise<Witness> {
    const shards = await this.#router.all();
    return furthestOf(await Promise.all(shards.map(({ store }) => store.readWitness())));
  }

  /** As far as shards can be asked, for whoever can do with less than all. */
  async readMarks(): Promise<KnownMarks> {
    const away: number[] = [];
    const found = await Promise.all(this.#router.inUse.map(async ({ number, store }) => {
      try {
        return await (await store()).readWitness();
      } catch (error) {
        // Nothing can be done without the first.
        if (number === 0 || !isKind(error, 'unavailable')) throw error;
        away.push(number);
        return [];
      }
    }));
    return { witness: furthestOf(found), away };
  }

  async close(): Promise<void> {
    await this.#router.close();
  }
}

function isThere(answer: unknown): boolean {
  return answer !== undefined;
}
