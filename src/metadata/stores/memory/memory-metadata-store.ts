import { unreachable } from '../../../base/assert.ts';
import type { NodeId, SpaceId, TenantId, UserId } from '../../../base/ids.ts';
import type { Name } from '../../../base/names.ts';
import type { Witness } from '../../../base/witness.ts';
import { GRANTS_TO_MAX, SUBJECTS_MAX } from '../../access-changes.ts';
import type { MakeSpace } from '../../access-changes.ts';
import type {
  GrantRecord, ReservationRecord, SpaceMounts, Subject, UsageFigures, UsageRecord,
} from '../../access-records.ts';
import type { Change, ChangeResult, Copy, Move, PutFile } from '../../changes.ts';
import { checkChange, checkLimit } from '../../check-change.ts';
import { HELD_LIMIT_MAX, QUARANTINES_LIMIT_MAX } from '../../holds.ts';
import type {
  HeldRecord, OlderFilesBounds, QuarantineRecord, QuarantineState,
} from '../../holds.ts';
import type { BatchRecord, BatchState } from '../../batch.ts';
import { DIFF_LIMIT_MAX } from '../../diff.ts';
import type { DiffOptions, DiffPage } from '../../diff.ts';
import { BATCHES_LIMIT_MAX, VERSION_KEYS_LIMIT_MAX } from '../../past.ts';
import type { Horizon, PastSpace, TrashFilter, VersionKey } from '../../past.ts';
import { locksInForce } from '../../lock-rules.ts';
import { noteMade } from '../../noted-commit.ts';
import type { ShardFigures, ShardStore } from '../../shards/shard-store.ts';
import {
  EVENTS_LIMIT_MAX, LIST_PAGE_MAX, MANIFESTS_LIMIT_MAX, SPACES_LIMIT_MAX, TRASH_LIMIT_MAX,
} from '../../metadata-store.ts';
import type { ListOptions, NewSpace } from '../../metadata-store.ts';
import type {
  DeadProperty, EventRecord, FolderEntry, Instant, LockRecord, ManifestPlace, ManifestRecord,
  NodeRecord, SpaceRecord, TrashRecord, UploadPartRecord, UploadRecord, VersionRecord,
} from '../../records.ts';
import {
  nodeMissing, outOfRange, spaceMissing, storeClosed, versionMissing,
} from '../../refusals.ts';
import {
  checkUserOf, countDownload, isSameSubject, mount, mountsOf, putGrant, removeGrant, renameSpace,
  unmount,
} from './memory-access.ts';
import {
  deleteNode, makeFolder, move, putFile, restore, setChecksums, setProperties, setTimes,
} from './memory-changes.ts';
import { copy, moveAcross } from './memory-copies.ts';
import { findChains, listStandings } from './memory-following.ts';
import { countOlderFiles, MemoryHolds } from './memory-holds.ts';
import { MemoryIds, figuresOf } from './memory-ids.ts';
import { manifestsBehind, versionManifests } from './memory-manifests.ts';
import { addLock, refreshLock, removeLock } from './memory-locks.ts';
import {
  dropReservation, recount, reservationsOf, reserveQuota, setQuota, tenantUsageOf, usageOf,
} from './memory-quota.ts';
import type { MemoryTenant } from './memory-quota.ts';
import { MemoryBatches } from './memory-batches.ts';
import {
  MemoryPast, diff, findDeleted, horizonOf, listVersionKeys, revisionAt,
} from './memory-past.ts';
import { isDropped } from '../../retention.ts';
import type { RetentionRule, RetentionScope, SetRetention } from '../../retention.ts';
import { dropTrash, dropVersions, purgeSlice } from './memory-purge.ts';
import { MemoryRetention } from './memory-retention.ts';
import { MemorySpace } from './memory-space.ts';
import { MemoryUploads } from './memory-uploads.ts';

const NOTHING: ChangeResult = { node: undefined, created: false, rev: 0, count: 0 };

/** A MetadataStore in memory, for tests: naive, obviously right, and it forgets. */
export class MemoryMetadataStore implements ShardStore {
  readonly #spaces = new Map<SpaceId, MemorySpace>();
  readonly #uploads = new MemoryUploads();
  readonly #witness = new Map<number, number>();
  readonly #tenants = new Map<TenantId, MemoryTenant>();
  readonly #batches: MemoryBatches;
  readonly #holds: MemoryHolds;
  readonly #retention = new MemoryRetention();
  readonly #ids: MemoryIds;
  #closed = false;

  /** `shard`: which one it is; 0 unless said. */
  constructor({ shard = 0 }: { shard?: number } = {}) {
    this.#ids = new MemoryIds(shard);
    this.#batches = new MemoryBatches(this.#ids.first);
    this.#holds = new MemoryHolds(this.#batches, this.#uploads, this.#ids.first);
  }

  #checkOpen(): this {
    if (this.#closed) throw storeClosed();
    return this;
  }

  #space(id: SpaceId): MemorySpace {
    this.#checkOpen();
    const space = this.#spaces.get(id);
    if (space === undefined) throw spaceMissing(id);
    return space;
  }

  #tenant(id: TenantId): MemoryTenant {
    const there = this.#tenants.get(id);
    if (there !== undefined) return there;
    const made = { quotaBytes: undefined, spaces: [] };
    this.#tenants.set(id, made);
    return made;
  }

  #makeSpace(
    wanted: Omit<SpaceRecord, 'id' | 'rootId' | 'rev' | 'accessRev' | 'usedBytes'>,
  ): MemorySpace {
    const id = this.#ids.takeSpaceId();
    const space = new MemorySpace({
      id, rootId: this.#ids.takeNodeId(), rev: 0, accessRev: 0, ...wanted,
    }, this.#tenant(wanted.tenant));
    this.#spaces.set(id, space);
    return space;
  }

  #spaceRecord(space: MemorySpace): SpaceRecord {
    return { ...space.record, usedBytes: space.sizeOf(space.root) };
  }

  async ensureSpace(
    { tenant, owner, casePolicy, quotaBytes, at }: NewSpace,
  ): Promise<SpaceRecord> {
    this.#checkOpen();
    checkUserOf(this.#spaces.values(), tenant, owner);
    const there = [...this.#spaces.values()].find(({ record }) => record.owner === owner);
    if (there !== undefined) return this.#spaceRecord(there);
    return this.#spaceRecord(this.#makeSpace({
      kind: 'personal', tenant, name: '', owner, casePolicy, quotaBytes, createdAt: at,
    }));
  }

  async getSpace(id: SpaceId): Promise<SpaceRecord> {
    return this.#spaceRecord(this.#space(id));
  }

  async listSpaces(limit: number, after = 0): Promise<SpaceRecord[]> {
    this.#checkOpen();
    checkLimit(limit, SPACES_LIMIT_MAX);
    const later = [...this.#spaces.values()].filter(({ id }) => id > after);
    return later.slice(0, limit).map((space) => this.#spaceRecord(space));
  }

  async resolve(spaceId: SpaceId, path: readonly Name[], from?: NodeId): Promise<NodeRecord[]> {
    const space = this.#space(spaceId);
    const start = from === undefined ? space.root : space.findLive(from);
    if (start === undefined) return [];
    const found = [start];
    for (const name of path) {
      const next = found.at(-1)?.members.get(space.canon(name));
      if (next === undefined) break;
      found.push(next);
    }
    return found.map((node) => space.recordOf(node));
  }

  async findChain(spaceId: SpaceId, nodeId: NodeId): Promise<NodeRecord[] | undefined> {
    this.#checkOpen();
    const space = this.#spaces.get(spaceId);
    return space?.chainOf(nodeId)?.toReversed().map((node) => space.recordOf(node));
  }

  async findChains(spaceId: SpaceId, nodeIds: readonly NodeId[]) {
    return findChains(this.#checkOpen().#spaces.get(spaceId), nodeIds);
  }

  async listStandings(spaceIds: readonly SpaceId[]) {
    return listStandings(this.#checkOpen().#spaces, spaceIds);
  }

  async* listFolder(
    spaceId: SpaceId, folderId: NodeId, options: ListOptions = {},
  ): AsyncIterable<readonly FolderEntry[]> {
    options.signal?.throwIfAborted();
    const space = this.#space(spaceId);
    const folder = space.findLive(folderId);
    if (folder?.kind !== 'folder') throw nodeMissing(folderId);
    const { after = '', pageMax = LIST_PAGE_MAX } = options;
    const entries = space.membersOf(folder, after).map((node): FolderEntry => ({
      ...space.recordOf(node),
      ...(options.withProperties === true && { properties: structuredClone(node.properties) }),
    }));
    for (let from = 0; from < entries.length; from += pageMax) {
      options.signal?.throwIfAborted();
      yield entries.slice(from, from + pageMax);
    }
  }

  async listProperties(spaceId: SpaceId, nodeId: NodeId): Promise<DeadProperty[]> {
    this.#checkOpen();
    return structuredClone(this.#spaces.get(spaceId)?.findLive(nodeId)?.properties ?? []);
  }

  async getVersion(
    spaceId: SpaceId, nodeId: NodeId, contentRev: number,
  ): Promise<VersionRecord> {
    const held = contentRev < 0;
    const versions = held ? this.#holds.versionsOf(this.#space(spaceId), nodeId, contentRev)
      : await this.listVersions(spaceId, nodeId);
    const found = versions.find((version) => version.contentRev === contentRev);
    if (found === undefined) throw versionMissing(nodeId, contentRev);
    return found;
  }

  async listVersions(spaceId: SpaceId, nodeId: NodeId): Promise<VersionRecord[]> {
    this.#checkOpen();
    const versions = this.#spaces.get(spaceId)?.nodes.get(nodeId)?.versions ?? [];
    return structuredClone(versions.toReversed());
  }

  async listEvents(spaceId: SpaceId, afterRev: number, limit: number): Promise<EventRecord[]> {
    checkLimit(limit, EVENTS_LIMIT_MAX);
    const { events } = this.#space(spaceId);
    return structuredClone(events.filter(({ rev }) => rev > afterRev).slice(0, limit));
  }

  async listTrash(
    spaceId: SpaceId, limit: number, beforeRev = Number.MAX_SAFE_INTEGER, filter: TrashFilter = {},
  ): Promise<TrashRecord[]> {
    const { by, parentId } = filter;
    checkLimit(limit, TRASH_LIMIT_MAX);
    const entries = this.#space(spaceId).trash.map(({ record }) => record);
    return structuredClone(entries.filter((entry) => entry.deletedRev < beforeRev
      && !isDropped(entry)
      && (by === undefined || entry.deletedBy === by)
      && (parentId === undefined || entry.parentId === parentId))
      .toSorted((a, b) => b.deletedRev - a.deletedRev).slice(0, limit));
  }

  async revisionAt(spaceId: SpaceId, at: Instant): Promise<number> {
    return revisionAt(this.#space(spaceId), at);
  }

  async past(spaceId: SpaceId, rev: number): Promise<PastSpace> {
    return new MemoryPast(() => this.#space(spaceId), rev);
  }

  async getHorizon(spaceId: SpaceId): Promise<Horizon> {
    return horizonOf(this.#space(spaceId));
  }

  async diff(
    spaceId: SpaceId, fromRev: number, toRev: number, options: DiffOptions = {},
  ): Promise<DiffPage> {
    if (options.limit !== undefined) checkLimit(options.limit, DIFF_LIMIT_MAX);
    return diff(this.#space(spaceId), fromRev, toRev, options);
  }

  async findDeleted(spaceId: SpaceId, nodeId: NodeId): Promise<TrashRecord | undefined> {
    const space = this.#space(spaceId);
    return space.findLive(nodeId) === undefined ? findDeleted(space, nodeId) : undefined;
  }

  async readRetention(scope: RetentionScope): Promise<RetentionRule> {
    return this.#checkOpen().#retention.read(scope);
  }

  async listVersionKeys(
    spaceId: SpaceId, limit: number, after = { nodeId: 0 as NodeId, contentRev: 0 },
  ): Promise<VersionKey[]> {
    checkLimit(limit, VERSION_KEYS_LIMIT_MAX);
    return listVersionKeys(this.#space(spaceId), limit, after);
  }

  async findBatch(batchId: number): Promise<BatchRecord | undefined> {
    return this.#checkOpen().#batches.find(batchId);
  }

  async listBatches(
    filter: { spaceId?: SpaceId; state?: BatchState }, limit: number,
    before = Number.MAX_SAFE_INTEGER,
  ): Promise<BatchRecord[]> {
    checkLimit(limit, BATCHES_LIMIT_MAX);
    return this.#checkOpen().#batches.list(filter, limit, before);
  }

  async findQuarantine(id: number): Promise<QuarantineRecord | undefined> {
    return this.#checkOpen().#holds.find(id);
  }

  async listQuarantines(
    { state }: { state?: QuarantineState }, limit: number, before = Number.MAX_SAFE_INTEGER,
  ): Promise<QuarantineRecord[]> {
    checkLimit(limit, QUARANTINES_LIMIT_MAX);
    return this.#checkOpen().#holds.list(state, limit, before);
  }

  async listHeld(quarantineId: number, limit: number, after = 0): Promise<HeldRecord[]> {
    checkLimit(limit, HELD_LIMIT_MAX);
    return this.#checkOpen().#holds.listHeld(quarantineId, limit, after);
  }

  async countOlderFiles(
    spaceId: SpaceId, folderId: NodeId, bounds: OlderFilesBounds,
  ): Promise<number> {
    return countOlderFiles(this.#space(spaceId), folderId, bounds);
  }

  async listLocks(spaceId: SpaceId, at: Instant): Promise<LockRecord[]> {
    return structuredClone(locksInForce(this.#space(spaceId).locks, at));
  }

  async listGrants(spaceId: SpaceId): Promise<readonly GrantRecord[]> {
    const grants = [...this.#space(spaceId).grants.values()];
    return structuredClone(grants.toSorted((a, b) => a.id - b.id));
  }

  async accessRev(spaceId: SpaceId): Promise<number> {
    return this.#space(spaceId).record.accessRev;
  }

  async listGrantsTo(subjects: readonly Subject[]): Promise<readonly GrantRecord[]> {
    if (subjects.length > SUBJECTS_MAX) throw outOfRange('subjects');
    const grants = this.#allGrants().filter((grant) => grant.isShown
      && grant.subject.kind !== 'link'
      && subjects.some((subject) => isSameSubject(subject, grant.subject)));
    return structuredClone(grants.toSorted((a, b) => a.id - b.id).slice(0, GRANTS_TO_MAX));
  }

  #allGrants(): GrantRecord[] {
    this.#checkOpen();
    return [...this.#spaces.values()].flatMap((space) => [...space.grants.values()]);
  }

  async findLink(tokenHash: string): Promise<GrantRecord | undefined> {
    return structuredClone(this.#allGrants().find(({ subject }) =>
      subject.kind === 'link' && subject.tokenHash === tokenHash));
  }

  async listMounts(spaceId: SpaceId): Promise<SpaceMounts> {
    return mountsOf(this.#space(spaceId));
  }

  async readUsage(spaceId: SpaceId, at: Instant): Promise<UsageRecord> {
    return usageOf(this.#space(spaceId), at);
  }

  async readTenantUsage(tenant: TenantId, at: Instant): Promise<UsageFigures> {
    this.#checkOpen();
    return tenantUsageOf(this.#tenants.get(tenant), at);
  }

  async listReservations(spaceId: SpaceId, at: Instant): Promise<ReservationRecord[]> {
    return reservationsOf(this.#space(spaceId), at);
  }

  async findUpload(owner: UserId, uploadId: string): Promise<UploadRecord | undefined> {
    this.#checkOpen();
    return structuredClone(this.#uploads.find(owner, uploadId));
  }

  async listParts(owner: UserId, uploadId: string): Promise<UploadPartRecord[]> {
    this.#checkOpen();
    return structuredClone(this.#uploads.parts(owner, uploadId));
  }

  async listManifests(limit: number, after?: ManifestPlace): Promise<ManifestRecord[]> {
    this.#checkOpen();
    checkLimit(limit, MANIFESTS_LIMIT_MAX);
    const held = [...this.#uploads.manifests(), ...this.#holds.manifests()];
    return manifestsBehind([...held, ...versionManifests(this.#spaces.values())], after, limit);
  }

  async commit(change: Change): Promise<ChangeResult> {
    this.#checkOpen();
    checkChange(change);
    const result = this.#apply(structuredClone(change));
    for (const space of this.#spaces.values()) space.settle();
    if ('witness' in change) {
      for (const [volumeId, bytes] of change.witness ?? []) {
        this.#witness.set(volumeId, Math.max(bytes, this.#witness.get(volumeId) ?? 0));
      }
    }
    return noteMade(change, result);
  }

  // eslint-disable-next-line complexity -- One line for each kind of change.
  #apply(change: Change): ChangeResult {
    const { takeNodeId } = this.#ids;
    switch (change.op) {
      case 'put-file': return this.#putFile(change);
      case 'make-folder': return makeFolder(this.#space(change.spaceId), change, takeNodeId);
      case 'move': return this.#move(change);
      case 'copy': return copy(this.#fromAndTo(change), change, takeNodeId);
      case 'delete': {
        const space = this.#space(change.spaceId);
        return this.#holds.making(change, space, () => deleteNode(space, change));
      }
      case 'restore': return restore(this.#space(change.spaceId), change);
      case 'set-times': return setTimes(this.#space(change.spaceId), change);
      case 'set-checksums': return setChecksums(this.#space(change.spaceId), change);
      case 'set-properties': return setProperties(this.#space(change.spaceId), change);
      case 'add-lock': return addLock(this.#space(change.lock.spaceId), change);
      case 'refresh-lock': return refreshLock(this.#space(change.spaceId), change);
      case 'remove-lock': return removeLock(this.#space(change.spaceId), change);
      case 'begin-upload': return { ...NOTHING, created: this.#uploads.begin(change) };
      case 'put-part': this.#uploads.putPart(change); return NOTHING;
      case 'drop-upload': this.#uploads.drop(change.owner, change.uploadId); return NOTHING;
      case 'expire-uploads': return { ...NOTHING, count: this.#uploads.expire(change.at) };
      case 'begin-batch': {
        return this.#batches.begin(change, this.#space(change.spaceId).record.rev);
      }
      case 'note-batch': {
        return this.#batches.note(change, (spaceId) => this.#space(spaceId).record.rev);
      }
      case 'purge-slice': return purgeSlice(this.#space(change.spaceId), change);
      case 'drop-versions': return dropVersions(this.#space(change.spaceId), change);
      case 'drop-trash': return dropTrash(this.#space(change.spaceId), change);
      case 'open-quarantine':
      case 'hold':
      case 'decide-quarantine':
      case 'end-keep':
      case 'drop-held': return this.#holds.apply(change, this.#space(change.spaceId));
      case 'set-retention': return this.#setRetention(change);
      case 'set-quota': return setQuota(this.#space(change.spaceId), change);
      case 'put-grant': {
        const spaces = [...this.#spaces.values()];
        return putGrant(this.#space(change.spaceId), change, { spaces, ids: this.#ids });
      }
      case 'remove-grant': return removeGrant(this.#space(change.spaceId), change);
      case 'count-download': return countDownload(this.#space(change.spaceId), change);
      case 'make-space': return this.#makeTeamSpace(change);
      case 'rename-space': return renameSpace(this.#space(change.spaceId), change);
      case 'mount': {
        const space = this.#space(change.spaceId);
        const targetSpace = this.#space(change.target.spaceId);
        return mount(space, change, { targetSpace, takeId: this.#ids.takeNodeId });
      }
      case 'unmount': return unmount(this.#space(change.spaceId), change);
      case 'reserve-quota': {
        return reserveQuota(this.#space(change.spaceId), change, this.#spaces.values());
      }
      case 'drop-reservation': return dropReservation(this.#space(change.spaceId), change);
      case 'set-tenant-quota': {
        this.#tenant(change.tenant).quotaBytes = change.quotaBytes;
        return NOTHING;
      }
      case 'recount': return recount(this.#space(change.spaceId));
      default: return unreachable(change);
    }
  }

  #setRetention({ scope, rule }: SetRetention): ChangeResult {
    if (scope.kind === 'space') this.#space(scope.spaceId);
    this.#retention.set(scope, rule);
    return NOTHING;
  }

  #fromAndTo(change: Copy | Move): { from: MemorySpace; to: MemorySpace } {
    const from = this.#space(change.spaceId);
    return { from, to: this.#space(change.toSpaceId ?? change.spaceId) };
  }

  #move(change: Move): ChangeResult {
    const spaces = this.#fromAndTo(change);
    const { from, to } = spaces;
    return from === to ? move(from, change) : moveAcross(spaces, change, this.#ids.takeNodeId);
  }

  #makeTeamSpace(
    { tenant, name, firstOwner, casePolicy, quotaBytes, actor }: MakeSpace,
  ): ChangeResult {
    checkUserOf(this.#spaces.values(), tenant, firstOwner);
    const space = this.#makeSpace({
      kind: 'team', tenant, name, owner: undefined, casePolicy, quotaBytes, createdAt: actor.at,
    });
    const { rootId } = space.record;
    return this.#apply({
      op: 'put-grant', spaceId: space.id, nodeId: rootId, role: 'owner', isShown: true,
      subject: { kind: 'user', id: firstOwner }, expiresAt: undefined, terms: '{}', actor,
    });
  }

  #putFile(change: PutFile): ChangeResult {
    const space = this.#space(change.spaceId);
    const { upload } = change;
    if (upload !== undefined) this.#uploads.checkOpen(upload.owner, upload.uploadId);
    const make = (): ChangeResult => putFile(space, change, this.#ids.takeNodeId);
    const result = this.#holds.making(change, space, make);
    const { node, created } = result;
    if (upload !== undefined && node !== undefined) {
      const { owner, uploadId } = upload;
      const ended = { spaceId: space.id, nodeId: node.id, mark: node.mark, created };
      this.#uploads.end(owner, uploadId, ended);
    }
    return result;
  }

  async readWitness(): Promise<Witness> {
    this.#checkOpen();
    return [...this.#witness].toSorted(([a], [b]) => a - b);
  }

  async readFigures(): Promise<ShardFigures> {
    const known = [...this.#checkOpen().#tenants.keys(), ...this.#retention.tenants];
    return figuresOf(this.#spaces.values(), known, this.#ids);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
