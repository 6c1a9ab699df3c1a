import { unreachable } from '../../../base/assert.ts';
import { DEFAULT_TENANT } from '../../../base/ids.ts';
import type { NodeId, SpaceId, UserId } from '../../../base/ids.ts';
import type { Name } from '../../../base/names.ts';
import type { Witness } from '../../../base/witness.ts';
import type { Change, ChangeResult, PutFile } from '../../changes.ts';
import { checkChange, checkLimit } from '../../check-change.ts';
import { compareCodePoints } from '../../dead-properties.ts';
import { locksInForce } from '../../lock-rules.ts';
import {
  EVENTS_LIMIT_MAX, LIST_PAGE_MAX, MANIFESTS_LIMIT_MAX, TRASH_LIMIT_MAX,
} from '../../metadata-store.ts';
import type { ListOptions, MetadataStore, NewSpace } from '../../metadata-store.ts';
import type {
  DeadProperty, EventRecord, FolderEntry, Instant, LockRecord, ManifestPlace, ManifestRecord,
  NodeRecord, SpaceRecord, TrashRecord, UploadPartRecord, UploadRecord, VersionRecord,
} from '../../records.ts';
import { nodeMissing, spaceMissing, storeClosed, versionMissing } from '../../refusals.ts';
import {
  copy, deleteNode, makeFolder, move, putFile, restore, setChecksums, setProperties, setTimes,
} from './memory-changes.ts';
import { addLock, refreshLock, removeLock } from './memory-locks.ts';
import { MemorySpace } from './memory-space.ts';
import { MemoryUploads } from './memory-uploads.ts';

const NOTHING: ChangeResult = { node: undefined, created: false, rev: 0, count: 0 };

/** A MetadataStore in memory, for tests: naive, obviously right, and it forgets. */
export class MemoryMetadataStore implements MetadataStore {
  readonly #spaces = new Map<SpaceId, MemorySpace>();
  readonly #uploads = new MemoryUploads();
  readonly #witness = new Map<number, number>();
  #lastNodeId = 0;
  #closed = false;

  #checkOpen(): void {
    if (this.#closed) throw storeClosed();
  }

  #space(id: SpaceId): MemorySpace {
    this.#checkOpen();
    const space = this.#spaces.get(id);
    if (space === undefined) throw spaceMissing(id);
    return space;
  }

  #takeId = (): NodeId => {
    this.#lastNodeId += 1;
    return this.#lastNodeId as NodeId;
  };

  #spaceRecord(space: MemorySpace): SpaceRecord {
    return { ...space.record, usedBytes: space.sizeOf(space.root) };
  }

  async ensureSpace({ owner, casePolicy, quotaBytes, at }: NewSpace): Promise<SpaceRecord> {
    this.#checkOpen();
    const there = [...this.#spaces.values()].find(({ record }) => record.owner === owner);
    if (there !== undefined) return this.#spaceRecord(there);
    const id = (this.#spaces.size + 1) as SpaceId;
    const space = new MemorySpace({
      id, tenant: DEFAULT_TENANT, owner, rootId: this.#takeId(), rev: 0, casePolicy, quotaBytes,
      createdAt: at,
    });
    this.#spaces.set(id, space);
    return this.#spaceRecord(space);
  }

  async getSpace(id: SpaceId): Promise<SpaceRecord> {
    return this.#spaceRecord(this.#space(id));
  }

  async resolve(spaceId: SpaceId, path: readonly Name[]): Promise<NodeRecord[]> {
    const space = this.#space(spaceId);
    const found = [space.root];
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

  async* listFolder(
    spaceId: SpaceId, folderId: NodeId, options: ListOptions = {},
  ): AsyncIterable<readonly FolderEntry[]> {
    options.signal?.throwIfAborted();
    const space = this.#space(spaceId);
    const folder = space.findLive(folderId);
    if (folder?.kind !== 'folder') throw nodeMissing(folderId);
    const entries = space.membersOf(folder).map((node): FolderEntry => ({
      ...space.recordOf(node),
      ...(options.withProperties === true && { properties: structuredClone(node.properties) }),
    }));
    for (let from = 0; from < entries.length; from += LIST_PAGE_MAX) {
      options.signal?.throwIfAborted();
      yield entries.slice(from, from + LIST_PAGE_MAX);
    }
  }

  async listProperties(spaceId: SpaceId, nodeId: NodeId): Promise<DeadProperty[]> {
    this.#checkOpen();
    const node = this.#spaces.get(spaceId)?.findLive(nodeId);
    return structuredClone(node?.properties ?? []);
  }

  async getVersion(
    spaceId: SpaceId, nodeId: NodeId, contentRev: number,
  ): Promise<VersionRecord> {
    const versions = await this.listVersions(spaceId, nodeId);
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
    spaceId: SpaceId, limit: number, beforeRev = Number.MAX_SAFE_INTEGER,
  ): Promise<TrashRecord[]> {
    checkLimit(limit, TRASH_LIMIT_MAX);
    const entries = this.#space(spaceId).trash.map(({ record }) => record);
    return structuredClone(entries.filter((entry) => entry.deletedRev < beforeRev)
      .toSorted((a, b) => b.deletedRev - a.deletedRev).slice(0, limit));
  }

  async listLocks(spaceId: SpaceId, at: Instant): Promise<LockRecord[]> {
    return structuredClone(locksInForce(this.#space(spaceId).locks, at));
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
    const all: ManifestRecord[] = this.#uploads.manifests();
    for (const space of this.#spaces.values()) {
      const nodes = [...space.nodes.values()].toSorted((a, b) => a.id - b.id);
      for (const { spaceId, nodeId, contentRev, manifest } of nodes.flatMap((n) => n.versions)) {
        all.push({ place: { kind: 'version', spaceId, nodeId, contentRev }, manifest });
      }
    }
    const from = after === undefined ? all : all.filter(({ place }) => isBehind(place, after));
    return structuredClone(from.slice(0, limit));
  }

  async commit(change: Change): Promise<ChangeResult> {
    this.#checkOpen();
    checkChange(change);
    const result = this.#apply(structuredClone(change));
    if ('witness' in change) {
      for (const [volumeId, bytes] of change.witness ?? []) {
        this.#witness.set(volumeId, Math.max(bytes, this.#witness.get(volumeId) ?? 0));
      }
    }
    return result;
  }

  #apply(change: Change): ChangeResult {
    switch (change.op) {
      case 'put-file': return this.#putFile(change);
      case 'make-folder': return makeFolder(this.#space(change.spaceId), change, this.#takeId);
      case 'move': return move(this.#space(change.spaceId), change);
      case 'copy': return copy(this.#space(change.spaceId), change, this.#takeId);
      case 'delete': return deleteNode(this.#space(change.spaceId), change);
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
      case 'set-quota': {
        const { record } = this.#space(change.spaceId);
        record.quotaBytes = change.quotaBytes;
        return { ...NOTHING, rev: record.rev };
      }
      default: return unreachable(change);
    }
  }

  #putFile(change: PutFile): ChangeResult {
    const space = this.#space(change.spaceId);
    const { upload } = change;
    if (upload !== undefined) this.#uploads.checkOpen(upload.owner, upload.uploadId);
    const result = putFile(space, change, this.#takeId);
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

  async close(): Promise<void> {
    this.#closed = true;
  }
}

function isBehind(place: ManifestPlace, after: ManifestPlace): boolean {
  if (place.kind === 'part') {
    return after.kind === 'part' && (compareCodePoints(place.owner, after.owner)
      || compareCodePoints(place.uploadId, after.uploadId) || place.number - after.number) > 0;
  }
  return after.kind === 'part' || (place.spaceId - after.spaceId || place.nodeId - after.nodeId
    || place.contentRev - after.contentRev) > 0;
}
