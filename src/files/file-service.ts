/**
 * The only place where a name meets its bytes. Every protocol calls these methods; who may do what,
 * the order "bytes durable, then metadata, then the answer", and conflict rules are decided here.
 *
 * Paths are those of the caller's tree, as names from the root; the empty path is the root.
 * Durability: a resolved promise means that the change survives a power cut.
 */
import { HoldfastError } from '../base/errors.ts';
import { parseSpaceId } from '../base/ids.ts';
import type { NodeId, SpaceId, TenantId } from '../base/ids.ts';
import { canonicalName } from '../base/names.ts';
import type { Name } from '../base/names.ts';
import type { Caller } from '../identity/index.ts';
import type {
  Actor, Change, ChangeResult, DeadProperty, Instant, ListOptions, LockRecord, MetadataStore, Move,
  NodeRecord, ReadOptions, SetProperties,
} from '../metadata/index.ts';
import { failpoint } from '../platform/index.ts';
import type { BlockClaim } from '../storage/index.ts';
import { checkAccess, isInForce } from './access.ts';
import { actorOf } from './actor.ts';
import { aimAgain, aimAt, checkNotInside, mayReplace, mountStays, takeNode } from './aim.ts';
import type { Target } from './aim.ts';
import type { BodySource } from './body.ts';
import { bodyOf } from './body.ts';
import type { Brake } from './brake/brake.ts';
import type { Checksum, ChecksumAlgorithm } from './checksums.ts';
import { checkChecksum, formatChecksum, newHasher, withChecksum } from './checksums.ts';
import type { ContentDirectory } from './content-homes.ts';
import type { ContentStore } from './content-store.ts';
import { asTarget, exists, isFolder } from './deal.ts';
import type { Deal, UploadOptions } from './deal.ts';
import type { FileContent } from './download.ts';
import { findIn, getIn } from './found.ts';
import type { FolderListing, Found, SharesAt, Written } from './found.ts';
import { FileLocks } from './locks.ts';
import type { BrokenLock } from './locks.ts';
import type { Landing } from './quota/piece-rooms.ts';
import { landingOf } from './quota/landing.ts';
import { quotaState, quotaStates } from './quota/quota-figures.ts';
import type { QuotaState } from './quota/quota-figures.ts';
import { toldTo, UploadRooms } from './quota/upload-room.ts';
import type { BodyRoom } from './quota/upload-room.ts';
import { notesOf } from './sharing/terms.ts';
import type { NotesAt } from './sharing/terms.ts';
import type { SpaceDirectory } from './space-directory.ts';
import { isLinkCaller } from './view/link-caller.ts';
import { accessAt, roleAt } from './view/sight.ts';
import type { SeenNode } from './view/sight.ts';
import { DeviceViews } from './view/device-views.ts';
import { Views } from './view/views.ts';
import type { WriteWatch } from './write-watch.ts';

export class FileService {
  readonly #metadata: MetadataStore;
  readonly #content: ContentDirectory;
  readonly #spaces: SpaceDirectory;
  readonly #views: Views;
  readonly #brake: Brake | undefined;
  readonly #rooms: UploadRooms;
  /** Locks that name a file and no token. */
  readonly locks: FileLocks;
  readonly #now: () => Instant;
  readonly #watch: (tenant: TenantId) => WriteWatch | undefined;

  constructor(parts: {
    metadata: MetadataStore;
    content: ContentDirectory;
    spaces: SpaceDirectory;
    now: () => Instant;
    /** Asked for each upload: who looks on at the moment. */
    watch?: (tenant: TenantId) => WriteWatch | undefined;
    onLockBroken?: ((broken: BrokenLock) => void) | undefined;
    /** How long room is kept for an upload that nothing more comes of. */
    reservationMs?: number | undefined;
    /** undefined: no device is held back, and what is held is not shown to anybody. */
    brake?: Brake | undefined;
  }) {
    this.#brake = parts.brake;
    this.#metadata = parts.metadata;
    this.#content = parts.content;
    this.#spaces = parts.spaces;
    this.#now = parts.now;
    const holds = parts.brake?.quarantines;
    this.#views = holds === undefined ? new Views(parts) : new DeviceViews(parts, holds);
    this.#rooms = new UploadRooms(parts);
    this.locks = new FileLocks({ ...parts, views: this.#views });
    this.#watch = parts.watch ?? (() => undefined);
  }

  /** undefined when nothing is there, or nothing that the caller may see. */
  async find(caller: Caller, path: readonly Name[]): Promise<Found | undefined> {
    return findIn(await this.#views.walk(caller, path), path);
  }

  /** Where a caller sees a node, in whatever space it lives; undefined: nowhere. */
  async findById(
    caller: Caller, nodeId: NodeId,
  ): Promise<{ path: Name[]; node: SeenNode } | undefined> {
    for (const spaceId of await this.spacesOf(caller)) {
      const place = await this.#views.placeOf(caller, { spaceId, nodeId });
      if (place !== undefined) return place;
    }
    return undefined;
  }

  /** The caller's own space, and those in which others share something with the caller. */
  async spacesOf(caller: Caller): Promise<Set<SpaceId>> {
    const { id } = await this.#views.ownSpace(caller);
    const grants = await this.#views.receivedGrants(caller);
    return new Set([id, ...grants.map(({ spaceId }) => spaceId)]);
  }

  /** With `options`, for whoever only reads: the answer may be as old as they say.
   *  @throws not-found. */
  async get(caller: Caller, path: readonly Name[], options?: ReadOptions): Promise<Found> {
    return getIn(await this.#views.walk(caller, path, options), path, 'get');
  }

  /** With `afterName` only what comes after that name. @throws not-found; denied; conflict
   *  `not-folder`. */
  async list(
    caller: Caller,
    path: readonly Name[],
    { afterName, ...options }: Omit<ListOptions, 'after'> & { afterName?: string } = {},
  ): Promise<FolderListing> {
    const walk = await this.#views.walk(caller, path);
    const { node, access, ids } = getIn(walk, path, 'list');
    if (node.kind !== 'folder') {
      const message = 'This is a file, not a folder.';
      throw new HoldfastError('conflict', 'files/list', message, { code: 'not-folder' });
    }
    const after = afterName === undefined ? undefined
      : canonicalName(afterName, (await this.#metadata.getSpace(node.spaceId)).casePolicy);
    const listed = await this.#views.list(caller, node, {
      ...options, ...(after !== undefined && { after }), shared: walk.shared,
    });
    return { folder: node, access, ids, ...listed };
  }

  /** @throws not-found; denied; conflict `is-folder`; corrupt. */
  async open(caller: Caller, path: readonly Name[]): Promise<FileContent> {
    const { node } = await this.get(caller, path);
    return this.openNode(node);
  }

  /** Opens what `find` or `get` has found. @throws as open. */
  async openNode(node: SeenNode): Promise<FileContent> {
    if (node.kind !== 'file') throw isFolder('open');
    checkAccess(accessAt(node), 'download');
    return (await this.#content.at(node.spaceId)).open(node);
  }

  /** Stores a file's new content under this path. The parent folder must be there. Refusals that
   *  can be known early come before the body is read.
   *  @throws conflict `parent-missing`, `name-clash`, `is-folder`; precondition; locked; quota;
   *  full; invalid `body-cut`, `checksum-mismatch`; denied. Nothing becomes visible then. */
  async upload(
    caller: Caller, path: readonly Name[], body: BodySource, options: UploadOptions = {},
  ): Promise<Written> {
    const target = await this.aim(caller, path, options);
    const content = await this.#content.at(target.spaceId);
    content.checkWritable();
    const growth = { oldBytes: target.current?.sizeBytes ?? 0, lengthBytes: body.lengthBytes };
    return this.#rooms.held(caller, target.spaceId, growth, (room) =>
      content.claimed((claim) =>
        this.#receiveAndCommit({ caller, target, claim, room, content }, body, options)));
  }

  async #receiveAndCommit(
    deed: {
      caller: Caller; target: Target; claim: BlockClaim; room: BodyRoom | undefined;
      content: ContentStore;
    },
    body: BodySource,
    options: UploadOptions,
  ): Promise<Written> {
    const { caller, target, claim, room, content } = deed;
    const { signal, checksum } = options;
    const sample = this.#watch(content.tenant)?.begin();
    const stored = await content.receive(body, {
      algorithm: checksum?.algorithm, claim, sample, ...(signal && { signal }),
      reserve: room && ((totalBytes) => room.take(totalBytes)),
    });
    if (checksum !== undefined && stored.checksum !== undefined) {
      checkChecksum(checksum, stored.checksum);
    }
    failpoint('files.blocks-durable');
    const written = await this.commitAimed(caller, target, {
      op: 'put-file',
      spaceId: target.spaceId,
      parentId: target.parentId,
      name: target.name,
      content: {
        sizeBytes: stored.sizeBytes,
        manifest: stored.manifest,
        checksums: stored.checksum === undefined ? '' : formatChecksum(stored.checksum),
      },
      modifiedAt: options.modifiedAt,
      ...(options.createdAt !== undefined && { createdAt: options.createdAt }),
      ...(target.expect !== undefined && { expect: target.expect }),
      ...(room !== undefined && { reservationId: room.reservationId }),
      witness: content.witness(),
      actor: this.#actor(caller, options),
    });
    const { spaceId, id, contentRev } = written.node;
    sample?.finish(`${spaceId}/${id}/${contentRev}`);
    return written;
  }

  /** The bytes of a write that a WriteSample was told of, also when the file was changed since.
   *  For verifiers: it asks for no permission. @throws not-found; corrupt; unavailable. */
  async readBack(address: string, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const [spaceId = '', id = '', contentRev = ''] = address.split('/');
    const version = await this.#metadata.getVersion(
      parseSpaceId(Number(spaceId)), Number(id) as NodeId, Number(contentRev),
    );
    return (await this.#content.at(version.spaceId)).readManifest(version.manifest, signal);
  }

  /** @throws exists; conflict `parent-missing`, `name-clash`; locked; denied. */
  async makeFolder(
    caller: Caller, path: readonly Name[], options: Deal & { createdAt?: Instant | undefined } = {},
  ): Promise<Written> {
    if (path.length === 0) throw exists('makeFolder');
    const target = await aimAt(this.#views, caller, {
      path, deal: options, replacing: 'nothing',
    });
    return this.commitAimed(caller, target, {
      op: 'make-folder',
      spaceId: target.spaceId,
      parentId: target.parentId,
      name: target.name,
      ...(options.createdAt !== undefined && { createdAt: options.createdAt }),
      actor: this.#actor(caller, options),
    });
  }

  /** Moves to the trash of the space where it lives, with all below it; a constant cost. What is
   *  mounted is only taken out of the caller's own folders, and stays out.
   *  @throws not-found; denied: also the root; precondition; locked. */
  async remove(caller: Caller, path: readonly Name[], options: Deal = {}): Promise<void> {
    const { node, expect, mount } = await takeNode(this.#views, caller, {
      path, deed: 'delete', deal: options,
    });
    const actor = this.#actor(caller, options);
    if (mount?.node !== undefined) {
      const { spaceId, id: nodeId } = mount.node;
      await this.#metadata.commit({ op: 'unmount', spaceId, nodeId, isDeclined: true, actor });
      return;
    }
    await this.#views.checkAllBelow(caller, node, 'delete');
    if (await this.#brake?.holdRemoval(caller, node, { expect, actor }) === true) return;
    await this.#metadata.commit({
      op: 'delete', spaceId: node.spaceId, nodeId: node.id,
      ...(expect !== undefined && { expect }), actor,
    });
  }

  /** Renames or moves; a constant cost within a space. Into another space it becomes something new
   *  there, and what it was goes to the trash of the space it leaves. What is mounted is moved and
   *  renamed for the caller alone. What was at the target goes to the trash if `replace`.
   *  @throws not-found; precondition: the target exists and `replace` is false, or a condition;
   *  conflict `parent-missing`, `name-clash`; denied `cycle`, `is-mount`, or by permission; locked;
   *  into another space also quota, too-large, busy. */
  async move(
    caller: Caller, from: readonly Name[], to: readonly Name[],
    options: Deal & { replace: boolean; modifiedAt?: Instant | undefined },
  ): Promise<Written> {
    const source = await takeNode(this.#views, caller, {
      path: from, deed: 'move', deal: options,
    });
    const target = await aimAt(this.#views, caller, asTarget(to, options));
    const moved = source.mount?.node ?? source.node;
    const isAway = target.spaceId !== moved.spaceId;
    if (isAway && source.mount !== undefined) throw mountStays();
    if (isAway) {
      checkAccess(accessAt(source.node), 'delete');
      await checkNotInside(this.#views, caller, source, to);
      await this.#views.checkAllBelow(caller, source.node, 'delete');
    }
    const replace = await mayReplace(this.#views, caller, target, options.replace);
    const actor = this.#actor(caller, options);
    const expect = source.mount === undefined ? source.expect : undefined;
    const change: Move = {
      op: 'move', spaceId: moved.spaceId, nodeId: moved.id,
      ...(isAway && { toSpaceId: target.spaceId }),
      toParentId: target.parentId, toName: target.name, replace,
      ...(expect !== undefined && { expect }), actor,
    };
    const held = await this.#brake?.insteadOfMove(caller, { source, target }, change);
    const { node, created } = held ?? await this.#commit(change);
    if (source.mount !== undefined) {
      return { node: (await this.get(caller, to)).node, created };
    }
    const timed = held === undefined
      ? await this.#retime(node, options.modifiedAt, actor) : node;
    return { node: await this.#views.seen(caller, timed, target.near), created };
  }

  /** Copies without copying bytes; what is mounted within is left out. @throws as move, and quota,
   *  too-large. */
  async copy(
    caller: Caller, from: readonly Name[], to: readonly Name[],
    options: Deal & { replace: boolean; depth: '0' | 'infinity' },
  ): Promise<Written> {
    const { node } = await takeNode(this.#views, caller, {
      path: from, deed: 'download', deal: options,
    });
    await this.#views.checkAllBelow(caller, node, 'read');
    const target = await aimAt(this.#views, caller, asTarget(to, options));
    return this.commitAimed(caller, target, {
      op: 'copy', spaceId: node.spaceId, nodeId: node.id, depth: options.depth,
      ...(target.spaceId !== node.spaceId && { toSpaceId: target.spaceId }),
      toParentId: target.parentId, toName: target.name,
      replace: await mayReplace(this.#views, caller, target, options.replace),
      actor: this.#actor(caller, options),
    });
  }

  /** @throws not-found; locked; denied. */
  async setTimes(
    caller: Caller, path: readonly Name[],
    options: Deal & { modifiedAt?: Instant; createdAt?: Instant },
  ): Promise<NodeRecord> {
    const { node } = await takeNode(this.#views, caller, { path, deed: 'update', deal: options });
    const { modifiedAt, createdAt } = options;
    const actor = this.#actor(caller, options);
    const held = modifiedAt !== undefined
      && await this.#brake?.retime(caller, node, { modifiedAt, actor });
    if (held) return this.#views.seen(caller, held.node, node);
    const { node: changed } = await this.#commit({
      op: 'set-times', spaceId: node.spaceId, nodeId: node.id,
      ...(modifiedAt !== undefined && { modifiedAt }),
      ...(createdAt !== undefined && { createdAt }), actor,
    });
    return changed;
  }

  /** Dead properties of what `find`, `get` or `list` has found. */
  listProperties({ spaceId, id }: SeenNode): Promise<DeadProperty[]> {
    return this.#metadata.listProperties(spaceId, id);
  }

  /** All or nothing. @throws not-found; locked; too-large; denied. */
  async setProperties(
    caller: Caller, path: readonly Name[],
    wanted: Pick<SetProperties, 'set' | 'remove'>,
    options: Deal = {},
  ): Promise<void> {
    const { node } = await takeNode(this.#views, caller, { path, deed: 'update', deal: options });
    const actor = this.#actor(caller, options);
    await this.#metadata.commit({
      op: 'set-properties', spaceId: node.spaceId, nodeId: node.id, ...wanted, actor,
    });
  }

  /** Reads the stored content again, computes the checksum, notes and returns it.
   *  @throws not-found; conflict `is-folder`; denied; corrupt. */
  async computeChecksum(
    caller: Caller, path: readonly Name[], algorithm: ChecksumAlgorithm, signal?: AbortSignal,
  ): Promise<{ node: NodeRecord; checksum: Checksum }> {
    const { node } = await this.get(caller, path);
    const content = await this.openNode(node);
    const hasher = newHasher(algorithm);
    const whole = { startBytes: 0, endBytes: node.sizeBytes };
    for await (const piece of content.read(whole, signal)) hasher.update(piece);
    const checksum = { algorithm, hex: hasher.digest('hex') };
    const { spaceId, id: nodeId, contentRev } = node;
    const checksums = withChecksum(node.checksums, checksum);
    if (contentRev < 0) return { node, checksum }; // Nobody notes anything about held content.
    await this.#metadata.commit({ op: 'set-checksums', spaceId, nodeId, contentRev, checksums });
    return { node: { ...node, checksums }, checksum };
  }

  /** Locks that cover this path: its own, and those of folders above with depth infinity. For a
   *  path where nothing is, those of the folders above. */
  async listLocks(caller: Caller, path: readonly Name[]): Promise<LockRecord[]> {
    return this.locks.covering(caller, path);
  }

  /** All locks of the spaces in which a folder and its members live, for an answer that shows those
   *  of many nodes. */
  async listLocksAt(caller: Caller, folder: SeenNode): Promise<LockRecord[]> {
    return this.locks.around(caller, folder);
  }

  /** Locks a node; where nothing is, an empty file is created first (RFC 4918, section 7.3), if
   *  it may be locked then. @throws locked; conflict `parent-missing`; not-found; denied. */
  async lock(
    caller: Caller, path: readonly Name[],
    wanted: Pick<LockRecord, 'token' | 'scope' | 'depth' | 'ownerXml' | 'expiresAt'>,
    options: Deal = {},
  ): Promise<{ lock: LockRecord; created: boolean }> {
    const present = await this.find(caller, path);
    if (present === undefined) {
      checkAccess(accessAt((await this.aim(caller, path, {})).near), 'update');
      await this.upload(caller, path, bodyOf(), { ...options });
    }
    const { node } = await takeNode(this.#views, caller, { path, deed: 'update', deal: options });
    const { spaceId, id: nodeId } = node;
    const lock: LockRecord = { ...wanted, spaceId, nodeId, holder: caller.user };
    await this.#metadata.commit({ op: 'add-lock', lock, actor: this.#actor(caller, options) });
    return { lock, created: present === undefined };
  }

  /** @throws not-found: no such lock here, or it has expired; denied: another's. */
  async refreshLock(
    caller: Caller, path: readonly Name[], token: string, expiresAt: Instant,
  ): Promise<LockRecord> {
    const actor = this.#actor(caller, {});
    return this.locks.refresh(caller, path, { token, expiresAt, actor });
  }

  /** @throws not-found: no such lock covers this path; denied: another's, unless the caller owns
   *  what is locked or is an administrator. */
  async unlock(caller: Caller, path: readonly Name[], token: string): Promise<void> {
    await this.locks.remove(caller, path, { token, actor: this.#actor(caller, {}) });
  }

  /** Of the space where `node` lives; without one, of the caller's own. */
  async quota(caller: Caller, node?: SeenNode): Promise<QuotaState> {
    const isElsewhere = node?.sight?.isShared === true;
    const id = isElsewhere ? node.spaceId : (await this.#views.ownSpace(caller)).id;
    return quotaState(await this.#metadata.readUsage(id, this.#now()));
  }

  /** Those of the spaces in which members of a folder live, for an answer that shows many. */
  async quotasAt(caller: Caller, folder: SeenNode): Promise<ReadonlyMap<SpaceId, QuotaState>> {
    return quotaStates(this.#metadata, await this.#views.spacesAt(caller, folder), this.#now());
  }

  /** Who is given something at a node of the space where `node` lives, for an answer that shows
   *  it for many; undefined: nobody is, or it is not the caller's to know. */
  async sharesAt(caller: Caller, node: SeenNode): Promise<SharesAt | undefined> {
    if (roleAt(node) !== 'owner' || isLinkCaller(caller)) return undefined;
    const table = await this.#views.grantsOf(node.spaceId);
    if (table.isEmpty) return undefined;
    const now = this.#now();
    return ({ id, sight }) => (roleAt({ ...(sight && { sight }) }) === 'owner'
      ? table.at(id).filter((grant) => grant.role !== 'none' && isInForce(grant, now)) : []);
  }

  /** What those who share something with the caller have said with it, for an answer that shows it
   *  for many; undefined: nothing. */
  async notesAt(caller: Caller): Promise<NotesAt | undefined> {
    const grants = isLinkCaller(caller) ? [caller.link] : await this.#views.receivedGrants(caller);
    return notesOf(grants);
  }

  /** Where an upload counts that will end at `path`; without one, as far as that can be known.
   *  undefined: nobody knows, or no quota can hold there. */
  async landing(caller: Caller, path: readonly Name[] | undefined): Promise<Landing | undefined> {
    return landingOf({ views: this.#views, spaces: this.#spaces }, caller, path);
  }

  /** Where an upload is to appear: decides all that can be decided before its bytes are there.
   *  @throws as upload. */
  async aim(caller: Caller, path: readonly Name[], deal: Deal): Promise<Target> {
    const target = await aimAt(this.#views, caller, { path, deal, replacing: 'update' });
    if (target.current?.kind === 'folder') throw isFolder('upload');
    return target;
  }

  /** Commits what was aimed at, and answers it as the caller sees it. @throws as upload. */
  async commitAimed(caller: Caller, target: Target, change: Change): Promise<Written> {
    const again = aimAgain(this.#views, caller, target);
    if (again !== undefined) await again;
    const held = await this.#brake?.instead(caller, target, change);
    const { node, created } = held ?? await this.#commit(change).catch((error: unknown) => {
      throw toldTo(caller, error);
    });
    return { node: await this.#views.seen(caller, node, target.near), created };
  }

  async #retime(
    node: NodeRecord, modifiedAt: Instant | undefined, actor: Actor,
  ): Promise<NodeRecord> {
    if (modifiedAt === undefined || modifiedAt === node.modifiedAt) return node;
    if (node.kind === 'folder') return node;
    const { spaceId, id: nodeId } = node;
    const timed = await this.#commit({ op: 'set-times', spaceId, nodeId, modifiedAt, actor });
    return timed.node;
  }

  #actor(caller: Caller, deal: Deal): Actor {
    return actorOf(caller, this.#now(), deal.lockTokens);
  }

  async #commit(change: Change): Promise<{ node: NodeRecord; created: boolean }> {
    const { node, created }: ChangeResult = await this.#metadata.commit(change);
    failpoint('files.before-answer');
    if (node === undefined) {
      throw new HoldfastError('internal', 'files/commit', 'The change answered no node.');
    }
    return { node, created };
  }
}
