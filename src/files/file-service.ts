/**
 * The only place where a name meets its bytes. Every protocol calls these methods; who may do what,
 * the order "bytes durable, then metadata, then the answer", and conflict rules are decided here.
 *
 * Paths are those of the caller's tree, as names from the root; the empty path is the root.
 * Durability: a resolved promise means that the change survives a power cut.
 */
import { HoldfastError } from '../base/errors.ts';
import { parseSpaceId } from '../base/ids.ts';
import type { NodeId } from '../base/ids.ts';
import type { Name } from '../base/names.ts';
import type { Caller } from '../identity/index.ts';
import type {
  Actor, Change, ChangeResult, DeadProperty, Expectation, FolderEntry, Instant, LockRecord,
  MetadataStore, NodeRecord, SetProperties,
} from '../metadata/index.ts';
import { failpoint } from '../platform/index.ts';
import type { BlockClaim } from '../storage/index.ts';
import type { Access, Deed } from './access.ts';
import { accessOf, checkAccess } from './access.ts';
import type { BodySource } from './body.ts';
import { bodyOf } from './body.ts';
import type { Checksum, ChecksumAlgorithm } from './checksums.ts';
import { checkChecksum, formatChecksum, newHasher, withChecksum } from './checksums.ts';
import type { ContentStore } from './content-store.ts';
import type { FileContent } from './download.ts';
import type { KnownSpace, SpaceDirectory } from './space-directory.ts';
import type { WriteWatch } from './write-watch.ts';

/** What a request brings along besides what it asks for. */
export interface Deal {
  /** Lock tokens that the client showed. */
  lockTokens?: readonly string[];
  /** Decides on what is there now (undefined: nothing), and throws `precondition` to refuse.
   *  What it approved is what the change is applied to, or the change fails with `precondition`. */
  condition?: (current: NodeRecord | undefined) => void;
  signal?: AbortSignal;
}

export interface UploadOptions extends Deal {
  /** What the bytes must hash to. */
  checksum?: Checksum | undefined;
  modifiedAt?: Instant | undefined;
  createdAt?: Instant | undefined;
}

/** A node with what the caller may do with it. */
export interface Found {
  node: NodeRecord;
  access: Access;
}

export interface Written {
  node: NodeRecord;
  /** False when something was replaced. */
  created: boolean;
}

export interface FolderListing {
  folder: NodeRecord;
  access: Access;
  /** Pages in order of canonical name, all as of one moment. */
  pages: AsyncIterable<readonly FolderEntry[]>;
}

export interface QuotaState {
  usedBytes: number;
  /** undefined: no limit. */
  quotaBytes: number | undefined;
}

export class FileService {
  readonly #metadata: MetadataStore;
  readonly #content: ContentStore;
  readonly #spaces: SpaceDirectory;
  readonly #now: () => Instant;
  readonly #watch: () => WriteWatch | undefined;

  constructor(parts: {
    metadata: MetadataStore;
    content: ContentStore;
    spaces: SpaceDirectory;
    now: () => Instant;
    /** Asked for each upload: who looks on at the moment. */
    watch?: () => WriteWatch | undefined;
  }) {
    this.#metadata = parts.metadata;
    this.#content = parts.content;
    this.#spaces = parts.spaces;
    this.#now = parts.now;
    this.#watch = parts.watch ?? (() => undefined);
  }

  /** undefined when nothing is there. @throws denied. */
  async find(caller: Caller, path: readonly Name[]): Promise<Found | undefined> {
    const { space, access } = await this.#enter(caller, 'read');
    const chain = await this.#metadata.resolve(space.id, path);
    const node = chain[path.length];
    return node === undefined ? undefined : { node, access };
  }

  /** @throws not-found; denied. */
  async get(caller: Caller, path: readonly Name[]): Promise<Found> {
    const found = await this.find(caller, path);
    if (found === undefined) throw notFound('get');
    return found;
  }

  /** @throws not-found; denied; conflict `not-folder`. */
  async list(
    caller: Caller,
    path: readonly Name[],
    options: { withProperties?: boolean; signal?: AbortSignal } = {},
  ): Promise<FolderListing> {
    const { node, access } = await this.get(caller, path);
    if (node.kind !== 'folder') {
      const message = 'This is a file, not a folder.';
      throw new HoldfastError('conflict', 'files/list', message, { code: 'not-folder' });
    }
    const pages = this.#metadata.listFolder(node.spaceId, node.id, options);
    return { folder: node, access, pages };
  }

  /** @throws not-found; denied; conflict `is-folder`; corrupt. */
  async open(caller: Caller, path: readonly Name[]): Promise<FileContent> {
    const { node } = await this.get(caller, path);
    return this.openNode(node);
  }

  /** Opens what `find` or `get` has found. @throws as open. */
  async openNode(node: NodeRecord): Promise<FileContent> {
    if (node.kind !== 'file') throw isFolder('open');
    return this.#content.open(node);
  }

  /** Stores a file's new content under this path. The parent folder must be there. Refusals that
   *  can be known early come before the body is read.
   *  @throws conflict `parent-missing`, `name-clash`, `is-folder`; precondition; locked; quota;
   *  full; invalid `body-cut`, `checksum-mismatch`; denied. Nothing becomes visible then. */
  async upload(
    caller: Caller, path: readonly Name[], body: BodySource, options: UploadOptions = {},
  ): Promise<Written> {
    const target = await this.#aim(caller, path, options);
    if (target.current?.kind === 'folder') throw isFolder('upload');
    const bytesMax = await this.#room(target, body.lengthBytes);
    return this.#content.claimed((claim) =>
      this.#receiveAndCommit({ caller, target, claim, bytesMax }, body, options));
  }

  async #receiveAndCommit(
    deed: { caller: Caller; target: Target; claim: BlockClaim; bytesMax: number },
    body: BodySource,
    options: UploadOptions,
  ): Promise<Written> {
    const { caller, target, claim, bytesMax } = deed;
    const { signal, checksum } = options;
    const sample = this.#watch()?.begin();
    const content = await this.#content.receive(body, {
      algorithm: checksum?.algorithm, bytesMax, claim, sample, ...(signal && { signal }),
    });
    if (checksum !== undefined && content.checksum !== undefined) {
      checkChecksum(checksum, content.checksum);
    }
    failpoint('files.blocks-durable');
    const written = await this.#commit({
      op: 'put-file',
      spaceId: target.space.id,
      parentId: target.parent.id,
      name: target.name,
      content: {
        sizeBytes: content.sizeBytes,
        manifest: content.manifest,
        checksums: content.checksum === undefined ? '' : formatChecksum(content.checksum),
      },
      modifiedAt: options.modifiedAt,
      ...(options.createdAt !== undefined && { createdAt: options.createdAt }),
      ...(target.expect !== undefined && { expect: target.expect }),
      witness: this.#content.witness(),
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
    return this.#content.readManifest(version.manifest, signal);
  }

  /** @throws exists; conflict `parent-missing`, `name-clash`; locked; denied. */
  async makeFolder(
    caller: Caller, path: readonly Name[], options: Deal & { createdAt?: Instant | undefined } = {},
  ): Promise<Written> {
    if (path.length === 0) throw exists('makeFolder');
    const target = await this.#aim(caller, path, options);
    if (target.current !== undefined) throw exists('makeFolder');
    return this.#commit({
      op: 'make-folder',
      spaceId: target.space.id,
      parentId: target.parent.id,
      name: target.name,
      ...(options.createdAt !== undefined && { createdAt: options.createdAt }),
      actor: this.#actor(caller, options),
    });
  }

  /** Moves to the trash, with all below it; a constant cost. @throws not-found; denied: also the
   *  root; precondition; locked. */
  async remove(caller: Caller, path: readonly Name[], options: Deal = {}): Promise<void> {
    const { space, node, expect } = await this.#take(caller, path, 'delete', options);
    await this.#metadata.commit({
      op: 'delete', spaceId: space.id, nodeId: node.id,
      ...(expect !== undefined && { expect }), actor: this.#actor(caller, options),
    });
  }

  /** Renames or moves; a constant cost. What was at the target goes to the trash if `replace`.
   *  @throws not-found; precondition: the target exists and `replace` is false, or a condition;
   *  conflict `parent-missing`, `name-clash`; denied `cycle`, or by permission; locked. */
  async move(
    caller: Caller, from: readonly Name[], to: readonly Name[],
    options: Deal & { replace: boolean; modifiedAt?: Instant | undefined },
  ): Promise<Written> {
    const source = await this.#take(caller, from, 'move', options);
    const target = await this.#aim(caller, to, {});
    const actor = this.#actor(caller, options);
    const moved = await this.#commit({
      op: 'move', spaceId: source.space.id, nodeId: source.node.id,
      toParentId: target.parent.id, toName: target.name, replace: options.replace,
      ...(source.expect !== undefined && { expect: source.expect }), actor,
    });
    const { modifiedAt } = options;
    if (modifiedAt === undefined || modifiedAt === moved.node.modifiedAt) return moved;
    if (moved.node.kind === 'folder') return moved;
    const { spaceId, id: nodeId } = moved.node;
    const timed = await this.#commit({ op: 'set-times', spaceId, nodeId, modifiedAt, actor });
    return { node: timed.node, created: moved.created };
  }

  /** Copies without copying bytes. @throws as move, and quota, too-large. */
  async copy(
    caller: Caller, from: readonly Name[], to: readonly Name[],
    options: Deal & { replace: boolean; depth: '0' | 'infinity' },
  ): Promise<Written> {
    const source = await this.#take(caller, from, 'read', options);
    const target = await this.#aim(caller, to, {});
    return this.#commit({
      op: 'copy', spaceId: source.space.id, nodeId: source.node.id, depth: options.depth,
      toParentId: target.parent.id, toName: target.name, replace: options.replace,
      actor: this.#actor(caller, options),
    });
  }

  /** @throws not-found; locked; denied. */
  async setTimes(
    caller: Caller, path: readonly Name[],
    options: Deal & { modifiedAt?: Instant; createdAt?: Instant },
  ): Promise<NodeRecord> {
    const { space, node } = await this.#take(caller, path, 'update', options);
    const { modifiedAt, createdAt } = options;
    const { node: changed } = await this.#commit({
      op: 'set-times', spaceId: space.id, nodeId: node.id,
      ...(modifiedAt !== undefined && { modifiedAt }),
      ...(createdAt !== undefined && { createdAt }),
      actor: this.#actor(caller, options),
    });
    return changed;
  }

  /** Dead properties of one node. @throws not-found; denied. */
  async listProperties(caller: Caller, path: readonly Name[]): Promise<DeadProperty[]> {
    const { node } = await this.get(caller, path);
    return this.#metadata.listProperties(node.spaceId, node.id);
  }

  /** All or nothing. @throws not-found; locked; too-large; denied. */
  async setProperties(
    caller: Caller, path: readonly Name[],
    wanted: Pick<SetProperties, 'set' | 'remove'>,
    options: Deal = {},
  ): Promise<void> {
    const { space, node } = await this.#take(caller, path, 'update', options);
    const actor = this.#actor(caller, options);
    await this.#metadata.commit({
      op: 'set-properties', spaceId: space.id, nodeId: node.id, ...wanted, actor,
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
    await this.#metadata.commit({ op: 'set-checksums', spaceId, nodeId, contentRev, checksums });
    return { node: { ...node, checksums }, checksum };
  }

  /** Locks that cover this path: its own, and those of folders above with depth infinity. For a
   *  path where nothing is, those of the folders above. @throws denied. */
  async listLocks(caller: Caller, path: readonly Name[]): Promise<LockRecord[]> {
    const { space } = await this.#enter(caller, 'read');
    const locks = await this.#metadata.listLocks(space.id, this.#now());
    if (locks.length === 0) return [];
    const chain = await this.#metadata.resolve(space.id, path);
    const depthOf = new Map<NodeId, number>(chain.map((node, depth) => [node.id, depth]));
    return locks.filter((lock) => {
      const depth = depthOf.get(lock.nodeId);
      return depth !== undefined && (depth === path.length || lock.depth === 'infinity');
    });
  }

  /** All locks of the caller's space, for an answer that shows those of many nodes.
   *  @throws denied. */
  async listSpaceLocks(caller: Caller): Promise<LockRecord[]> {
    const { space } = await this.#enter(caller, 'read');
    return this.#metadata.listLocks(space.id, this.#now());
  }

  /** Locks a node; where nothing is, an empty file is created first (RFC 4918, section 7.3).
   *  @throws locked; conflict `parent-missing`; not-found; denied. */
  async lock(
    caller: Caller, path: readonly Name[],
    wanted: Pick<LockRecord, 'token' | 'scope' | 'depth' | 'ownerXml' | 'expiresAt'>,
    options: Deal = {},
  ): Promise<{ lock: LockRecord; created: boolean }> {
    const present = await this.find(caller, path);
    if (present === undefined) await this.upload(caller, path, bodyOf(), { ...options });
    const { space, node } = await this.#take(caller, path, 'update', options);
    const lock: LockRecord = { ...wanted, spaceId: space.id, nodeId: node.id, holder: caller.user };
    await this.#metadata.commit({ op: 'add-lock', lock, actor: this.#actor(caller, options) });
    return { lock, created: present === undefined };
  }

  /** @throws not-found: no such lock here, or it has expired; denied: another's. */
  async refreshLock(
    caller: Caller, path: readonly Name[], token: string, expiresAt: Instant,
  ): Promise<LockRecord> {
    const lock = await this.#findLock(caller, path, token);
    const actor = this.#actor(caller, {});
    await this.#metadata.commit({
      op: 'refresh-lock', spaceId: lock.spaceId, token, expiresAt, actor,
    });
    return { ...lock, expiresAt };
  }

  /** @throws not-found: no such lock covers this path; denied: another's. */
  async unlock(caller: Caller, path: readonly Name[], token: string): Promise<void> {
    const { spaceId } = await this.#findLock(caller, path, token);
    const actor = this.#actor(caller, {});
    await this.#metadata.commit({ op: 'remove-lock', spaceId, token, actor });
  }

  async quota(caller: Caller): Promise<QuotaState> {
    const { space } = await this.#enter(caller, 'read');
    const { usedBytes, quotaBytes } = await this.#spaces.refresh(space);
    return { usedBytes, quotaBytes };
  }

  /** For uploads in pieces: where the whole is to appear, checked like `upload` does. */
  async aim(caller: Caller, path: readonly Name[], deal: Deal): Promise<Target> {
    const target = await this.#aim(caller, path, deal);
    if (target.current?.kind === 'folder') throw isFolder('upload');
    return target;
  }

  /** For uploads in pieces. @throws as upload. */
  async commitAimed(change: Change): Promise<Written> {
    return this.#commit(change);
  }

  async #findLock(caller: Caller, path: readonly Name[], token: string): Promise<LockRecord> {
    const locks = await this.listLocks(caller, path);
    const lock = locks.find((one) => one.token === token);
    if (lock === undefined) {
      throw new HoldfastError('not-found', 'files/findLock', 'There is no such lock here.');
    }
    return lock;
  }

  async #enter(
    caller: Caller, deed: Deed,
  ): Promise<{ space: KnownSpace; access: Access }> {
    const space = await this.#spaces.personalSpace(caller.user);
    const access = accessOf(caller, space);
    checkAccess(access, deed);
    return { space, access };
  }

  /** An existing node that something is to be done with. */
  async #take(caller: Caller, path: readonly Name[], deed: Deed, deal: Deal): Promise<Taken> {
    const { space } = await this.#enter(caller, deed);
    const node = (await this.#metadata.resolve(space.id, path))[path.length];
    if (node === undefined) throw notFound(deed);
    const expect = judge(deal, node);
    return { space, node, expect };
  }

  /** A path where something is to appear. */
  async #aim(caller: Caller, path: readonly Name[], deal: Deal): Promise<Target> {
    const name = path.at(-1);
    if (name === undefined) {
      throw new HoldfastError('denied', 'files/aim', 'The root folder itself cannot be replaced.');
    }
    const { space } = await this.#enter(caller, 'create');
    const chain = await this.#metadata.resolve(space.id, path);
    const parent = chain[path.length - 1];
    const current = chain[path.length];
    if (parent === undefined || parent.kind !== 'folder') {
      const message = 'The folder that this should go into does not exist.';
      throw new HoldfastError('conflict', 'files/aim', message, { code: 'parent-missing' });
    }
    return { space, parent, name, current, expect: judge(deal, current) };
  }

  /** How much may be stored here now. The commit decides again; this spares a hopeless transfer.
   *  @throws quota; full. */
  async #room(
    { space, current }: Target, wantedBytes: number | undefined,
  ): Promise<number> {
    this.#content.checkWritable();
    if (space.quotaBytes === undefined) return Number.MAX_SAFE_INTEGER;
    const { quotaBytes, usedBytes } = await this.#spaces.refresh(space);
    if (quotaBytes === undefined) return Number.MAX_SAFE_INTEGER;
    // Content that does not grow is always taken, even when the quota was lowered below it.
    const oldBytes = current?.sizeBytes ?? 0;
    const roomBytes = Math.max(quotaBytes - usedBytes + oldBytes, oldBytes);
    if (wantedBytes === undefined || wantedBytes <= roomBytes) return roomBytes;
    throw overQuota(quotaBytes, usedBytes, wantedBytes);
  }

  #actor(caller: Caller, deal: Deal): Actor {
    const { user, device } = caller;
    return { user, device, at: this.#now(), lockTokens: deal.lockTokens ?? [] };
  }

  async #commit(change: Change): Promise<Written> {
    const { node, created }: ChangeResult = await this.#metadata.commit(change);
    failpoint('files.before-answer');
    if (node === undefined) {
      throw new HoldfastError('internal', 'files/commit', 'The change answered no node.');
    }
    return { node, created };
  }
}

interface Taken {
  space: KnownSpace;
  node: NodeRecord;
  expect: Expectation | undefined;
}

export interface Target {
  space: KnownSpace;
  parent: NodeRecord;
  name: Name;
  current: NodeRecord | undefined;
  expect: Expectation | undefined;
}

/** Lets the caller's condition look, and turns what it approved into what the commit must find. */
function judge(deal: Deal, current: NodeRecord | undefined): Expectation | undefined {
  if (deal.condition === undefined) return undefined;
  deal.condition(current);
  return current === undefined ? 'absent' : { nodeId: current.id, mark: current.mark };
}

function notFound(op: string): HoldfastError {
  return new HoldfastError('not-found', `files/${op}`, 'There is no file or folder at this path.');
}

function exists(op: string): HoldfastError {
  return new HoldfastError('exists', `files/${op}`, 'Something is already there under this name.');
}

function isFolder(op: string): HoldfastError {
  const message = 'This is a folder, not a file.';
  return new HoldfastError('conflict', `files/${op}`, message, { code: 'is-folder' });
}

function overQuota(quotaBytes: number, usedBytes: number, wantedBytes: number): HoldfastError {
  const message = `There is no room for this: ${usedBytes} of ${quotaBytes} bytes are used, `
    + `and this needs ${wantedBytes}. Delete something, or ask for a larger quota.`;
  const facts = { quotaBytes, usedBytes, wantedBytes };
  return new HoldfastError('quota', 'files/upload', message, { facts });
}
