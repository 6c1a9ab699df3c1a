/**
 * Uploads in pieces: begin, any number of parts in any order, finish. A part is durable when its
 * put resolves and survives restarts; finishing joins the parts without touching their bytes and
 * may be repeated. An upload that is idle for UPLOAD_TTL_MS is forgotten.
 */
import { HoldfastError } from '../base/errors.ts';
import type { Name } from '../base/names.ts';
import type { Caller } from '../identity/index.ts';
import type {
  Instant, MetadataStore, UploadPartRecord, UploadRecord,
} from '../metadata/index.ts';
import { failpoint } from '../platform/index.ts';
import type { BlockClaim } from '../storage/index.ts';
import { actorOf } from './actor.ts';
import type { BodySource } from './body.ts';
import { checkChecksum, formatChecksum } from './checksums.ts';
import type { Checksum } from './checksums.ts';
import type { ContentDirectory } from './content-homes.ts';
import type { ContentStore } from './content-store.ts';
import type { Target } from './aim.ts';
import type { UploadOptions } from './deal.ts';
import type { FileService } from './file-service.ts';
import type { Written } from './found.ts';
import { PieceRooms, pieceReservation } from './quota/piece-rooms.ts';
import type { PiecedUpload } from './quota/piece-rooms.ts';
import type { SpaceDirectory } from './space-directory.ts';
import { UploadChecksum } from './upload-checksum.ts';

export const UPLOAD_TTL_MS = 24 * 60 * 60 * 1000;
const EXPIRE_ROUNDS_MAX = 100;
/** Uploads whose checksum is computed ahead; others are read at their end. */
const CHECKSUMS_MAX = 256;

export interface FinishOptions extends UploadOptions {
  /** What the parts must sum up to, when the client says so. */
  totalBytes?: number | undefined;
}

export interface UploadState {
  totalBytes: number | undefined;
  expiresAt: Instant;
  /** The file is made. */
  isDone: boolean;
  /** By ascending number; none once it is done. */
  parts: readonly UploadPartRecord[];
}

export interface PieceOptions {
  /** Where the file is to appear, when the client says so before the end. */
  destination?: readonly Name[] | undefined;
}

export interface PartOptions extends PieceOptions {
  /** Of this part. */
  checksum?: Checksum | undefined;
  signal?: AbortSignal;
  /** False: no checksum of the whole will be asked for at the end, so none is prepared. */
  isWholeHashed?: boolean;
}

export class UploadService {
  readonly #metadata: MetadataStore;
  readonly #content: ContentDirectory;
  readonly #files: FileService;
  readonly #rooms: PieceRooms;
  readonly #spaces: SpaceDirectory;
  readonly #now: () => Instant;
  readonly #checksums = new Map<string, UploadChecksum>();
  /** Ends under way: a client that repeats its request joins the first one. */
  readonly #finishing = new Map<string, Promise<Written>>();

  constructor(parts: {
    metadata: MetadataStore;
    content: ContentDirectory;
    files: FileService;
    spaces: SpaceDirectory;
    now: () => Instant;
    /** How long room is kept for an upload that nothing more comes of. */
    reservationMs?: number | undefined;
  }) {
    this.#metadata = parts.metadata;
    this.#content = parts.content;
    this.#files = parts.files;
    this.#spaces = parts.spaces;
    this.#rooms = new PieceRooms(parts);
    this.#now = parts.now;
  }

  /** Calm when it has begun already. Where there is a quota, room for `totalBytes` is reserved.
   *  @throws invalid: a bad id; quota, full: `totalBytes` would not fit; too-large: too many open
   *  uploads. */
  async begin(
    caller: Caller, rawId: string, totalBytes: number | undefined, options: PieceOptions = {},
  ): Promise<void> {
    const uploadId = parseUploadId(rawId);
    (await this.#content.of(caller.tenant)).checkWritable();
    // By their owner's space verifiers and collectors know in which tenant's storage parts lie.
    await this.#spaces.personalSpace(caller);
    const upload = { owner: caller.user, uploadId, totalBytes };
    const { destination } = options;
    if (totalBytes !== undefined && destination === undefined) {
      await this.#refuseHopeless(caller, totalBytes);
    }
    await this.#rooms.begin(upload, () => this.#files.landing(caller, destination));
    const at = this.#now();
    try {
      await this.#metadata.commit({
        op: 'begin-upload', ...upload, at, expiresAt: at + UPLOAD_TTL_MS,
      });
    } catch (error) {
      await this.#rooms.end(upload);
      throw error;
    }
  }

  /** Stores or replaces a part, and returns its size.
   *  @throws not-found: no such upload; invalid: a bad name, `body-cut`; quota; full; too-large. */
  async putPart(
    caller: Caller, part: { uploadId: string; name: string }, body: BodySource,
    options: PartOptions = {},
  ): Promise<UploadPartRecord> {
    const { name } = part;
    const upload = await this.#get(caller, part.uploadId);
    const number = parsePartNumber(name);
    const content = await this.#content.of(caller.tenant);
    content.checkWritable();
    const room = await this.#rooms.begin(upload, () =>
      this.#files.landing(caller, options.destination));
    const partRoom = room?.part(body.lengthBytes);
    let parts: readonly UploadPartRecord[] | undefined;
    try {
      await partRoom?.begin();
      const stored = await this.#receivePart(upload, { number, name, body }, {
        ...options, content, reserve: partRoom?.take,
      });
      parts = await this.#metadata.listParts(caller.user, upload.uploadId);
      if (options.isWholeHashed !== false) this.#hashAhead(upload, parts, content);
      return stored;
    } finally {
      partRoom?.end(parts);
    }
  }

  async #receivePart(
    { owner, uploadId }: PiecedUpload,
    { number, name, body }: { number: number; name: string; body: BodySource },
    options: {
      content: ContentStore; checksum?: Checksum | undefined; signal?: AbortSignal;
      reserve: ((totalBytes: number) => Promise<void> | undefined) | undefined;
    },
  ): Promise<UploadPartRecord> {
    const { content, checksum, signal, reserve } = options;
    const { sizeBytes, manifest } = await content.claimed(async (claim) => {
      const stored = await content.receive(body, {
        algorithm: checksum?.algorithm, claim, reserve, ...(signal && { signal }),
      });
      if (checksum && stored.checksum) checkChecksum(checksum, stored.checksum);
      failpoint('files.part-durable');
      await this.#metadata.commit({
        op: 'put-part', owner, uploadId, number, name, sizeBytes: stored.sizeBytes,
        manifest: stored.manifest, expiresAt: this.#now() + UPLOAD_TTL_MS,
        witness: content.witness(),
      });
      return stored;
    });
    return { number, name, sizeBytes, manifest };
  }

  /** Parts by ascending number; undefined when there is no such open upload. */
  async listParts(caller: Caller, rawId: string): Promise<UploadPartRecord[] | undefined> {
    const uploadId = parseUploadId(rawId);
    const upload = await this.#metadata.findUpload(caller.user, uploadId);
    if (upload === undefined || upload.result !== undefined) return undefined;
    return this.#metadata.listParts(caller.user, uploadId);
  }

  /** How far an upload is; undefined: there is none, or it was forgotten. */
  async stateOf(caller: Caller, rawId: string): Promise<UploadState | undefined> {
    const uploadId = parseUploadId(rawId);
    const upload = await this.#metadata.findUpload(caller.user, uploadId);
    if (upload === undefined) return undefined;
    const { totalBytes, expiresAt, result } = upload;
    const isDone = result !== undefined;
    const parts = isDone ? [] : await this.#metadata.listParts(caller.user, uploadId);
    return { totalBytes, expiresAt, isDone, parts };
  }

  /** Makes the file of the parts, in order of their numbers. A repeated call answers the same.
   *  @throws not-found: no such upload; invalid `length-mismatch`, `checksum-mismatch`; and as
   *  `FileService.upload`. The parts stay when it fails. */
  async finish(
    caller: Caller, rawId: string, path: readonly Name[], options: FinishOptions = {},
  ): Promise<Written> {
    const uploadId = parseUploadId(rawId);
    const key = `${caller.user}/${uploadId}`;
    const underWay = this.#finishing.get(key);
    if (underWay !== undefined) return underWay;
    const finishing = this.#finish(caller, uploadId, path, options);
    this.#finishing.set(key, finishing);
    try {
      return await finishing;
    } finally {
      this.#finishing.delete(key);
    }
  }

  /** Calm when it is not there. */
  async drop(caller: Caller, rawId: string): Promise<void> {
    const uploadId = parseUploadId(rawId);
    this.#checksums.delete(`${caller.user}/${uploadId}`);
    await this.#metadata.commit({ op: 'drop-upload', owner: caller.user, uploadId });
    await this.#rooms.end({ owner: caller.user, uploadId });
  }

  /** Forgets uploads that have been idle for too long, and their parts; what only they referred to
   *  is garbage then. Returns how many. Each commit forgets a bounded number, so that others get
   *  their turn, and so does a call. */
  async expire(): Promise<number> {
    let expired = 0;
    for (let round = 0; round < EXPIRE_ROUNDS_MAX; round++) {
      const { count } = await this.#metadata.commit({ op: 'expire-uploads', at: this.#now() });
      if (count === 0) break;
      expired += count;
    }
    return expired;
  }

  async #finish(
    caller: Caller, uploadId: string, path: readonly Name[], options: FinishOptions,
  ): Promise<Written> {
    const upload = await this.#get(caller, uploadId);
    if (upload.result !== undefined) return this.#repeat(caller, path, upload.result);
    const target = await this.#files.aim(caller, path, options);
    // The parts lie where the caller's content lies, and what is made of them stays there.
    const content = await this.#content.of(caller.tenant);
    if (content !== await this.#content.at(target.spaceId)) throw otherTenant();
    return content.claimed((claim) =>
      this.#joinAndCommit({ caller, upload, target, claim, content }, options));
  }

  async #joinAndCommit(
    deed: {
      caller: Caller; upload: UploadRecord; target: Target; claim: BlockClaim;
      content: ContentStore;
    },
    options: FinishOptions,
  ): Promise<Written> {
    const { caller, upload, target, claim, content } = deed;
    const { uploadId } = upload;
    const parts = await this.#metadata.listParts(caller.user, uploadId);
    const { sizeBytes, manifest } = await content.join(parts, claim);
    checkLength(options.totalBytes ?? upload.totalBytes, sizeBytes);
    const key = `${caller.user}/${uploadId}`;
    const checksum = await this.#verify({ key, content }, parts, options);
    const isLimited = await this.#spaces.isLimited(target.spaceId);
    failpoint('files.before-finish');
    const written = await this.#files.commitAimed(caller, target, {
      op: 'put-file',
      spaceId: target.spaceId,
      parentId: target.parentId,
      name: target.name,
      content: { sizeBytes, manifest, checksums: checksum ? formatChecksum(checksum) : '' },
      modifiedAt: options.modifiedAt,
      ...(options.createdAt !== undefined && { createdAt: options.createdAt }),
      ...(target.expect !== undefined && { expect: target.expect }),
      upload: { owner: caller.user, uploadId },
      ...(isLimited && { reservationId: pieceReservation(upload) }),
      witness: content.witness(),
      actor: actorOf(caller, this.#now(), options.lockTokens),
    });
    this.#checksums.delete(key);
    await this.#rooms.end(upload, target.spaceId);
    return written;
  }

  async #repeat(
    caller: Caller, path: readonly Name[], result: NonNullable<UploadRecord['result']>,
  ): Promise<Written> {
    const found = await this.#files.find(caller, path);
    if (found?.node.id === result.nodeId) return { node: found.node, created: result.created };
    const node = (await this.#metadata.findChain(result.spaceId, result.nodeId))?.at(-1);
    if (node === undefined) throw noUpload();
    return { node, created: result.created };
  }

  async #verify(
    { key, content }: { key: string; content: ContentStore },
    parts: readonly UploadPartRecord[], { checksum, signal }: FinishOptions,
  ): Promise<Checksum | undefined> {
    if (checksum === undefined) return undefined;
    const hasher = this.#checksums.get(key) ?? new UploadChecksum(content);
    const hex = await hasher.digest(parts, checksum.algorithm, signal);
    const actual = { algorithm: checksum.algorithm, hex };
    checkChecksum(checksum, actual);
    return actual;
  }

  #hashAhead(
    { owner, uploadId }: PiecedUpload, parts: readonly UploadPartRecord[], content: ContentStore,
  ): void {
    const key = `${owner}/${uploadId}`;
    let hasher = this.#checksums.get(key);
    if (hasher === undefined) {
      const [oldest] = this.#checksums.keys();
      if (this.#checksums.size >= CHECKSUMS_MAX && oldest !== undefined) {
        this.#checksums.delete(oldest);
      }
      hasher = new UploadChecksum(content);
      this.#checksums.set(key, hasher);
    }
    hasher.follow(parts);
  }

  async #get(caller: Caller, rawId: string): Promise<UploadRecord> {
    const upload = await this.#metadata.findUpload(caller.user, parseUploadId(rawId));
    if (upload === undefined) throw noUpload();
    return upload;
  }

  /** Where it is to appear is told at its end only, and it may replace a file as large as itself:
   *  so what is larger than the quota is refused here, and the rest when that is known. */
  async #refuseHopeless(caller: Caller, totalBytes: number): Promise<void> {
    const landing = await this.#files.landing(caller, undefined);
    if (landing === undefined || !await this.#spaces.isLimited(landing.spaceId)) return;
    const { usedBytes, quotaBytes } = await this.#files.quota(caller);
    if (quotaBytes === undefined || totalBytes <= quotaBytes) return;
    const message = `This upload of ${totalBytes} bytes is larger than the quota of ${quotaBytes}, `
      + `of which ${usedBytes} are used.`;
    const facts = { quotaBytes, usedBytes, totalBytes };
    throw new HoldfastError('quota', 'files/beginUpload', message, { facts });
  }
}

/** @throws invalid. */
export function parseUploadId(raw: string): string {
  if (/^[A-Za-z0-9._-]{1,128}$/.test(raw) && !/^\.+$/.test(raw)) return raw;
  const message = 'An upload id holds 1 to 128 letters, digits, dots, dashes and underscores.';
  throw new HoldfastError('invalid', 'files/parseUploadId', message);
}

/** Parts come in the order of their numbers, 0 included, however many digits are written. */
function parsePartNumber(name: string): number {
  const number = /^[0-9]{1,20}$/.test(name) ? Number(name) : NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new HoldfastError('invalid', 'files/parsePartNumber', 'A part is named by its number.');
}

function checkLength(wanted: number | undefined, actual: number): void {
  if (wanted === undefined || wanted === actual) return;
  const message = `The parts sum up to ${actual} bytes, but ${wanted} were announced.`;
  throw new HoldfastError('invalid', 'files/finishUpload', message, {
    code: 'length-mismatch', facts: { wanted, actual },
  });
}

function otherTenant(): HoldfastError {
  const message = 'This is not a place of yours: files stay within one tenant.';
  return new HoldfastError('denied', 'files/finishUpload', message, { code: 'other-tenant' });
}

function noUpload(): HoldfastError {
  const message = 'There is no such upload, or it has expired. Please start it again.';
  return new HoldfastError('not-found', 'files/UploadService', message);
}
