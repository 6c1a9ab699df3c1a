/** Folders as zips, as a caller sees them: with what others share in them, and without what is
 *  hidden. */
import { hash } from 'node:crypto';
import { HoldfastError, isKind } from '../../base/errors.ts';
import { parseName } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import type { Caller } from '../../identity/index.ts';
import { checkAccess } from '../access.ts';
import type { ContentDirectory } from '../content-homes.ts';
import type { ByteRange } from '../download.ts';
import { etagOf } from '../etag.ts';
import type { FileService } from '../file-service.ts';
import { accessAt } from '../view/sight.ts';
import { ZipPlan } from './zip-plan.ts';
import { ZipStream } from './zip-stream.ts';

/** Checksums of contents that are remembered: 40 bytes or so each. */
const CRCS_MAX = 100_000;
/** Of all plans at once. */
const PLANS_BYTES_MAX = 128 * 1024 * 1024;
/** What the root of a tree is called in a zip: it has no name. */
const ROOT_NAME = 'files';
/** Goes into the ETag: another way of making zips makes other bytes of the same folder. */
const MAKING = 'zip 1';
const OP = 'files/FolderZips.open';
/** What of a node says nothing about its content. */
const SOME_FILE = {
  kind: 'file', parentId: undefined, name: '', modifiedAt: 0, createdAt: 0, mark: 0, checksums: '',
} as const;

export interface FolderZip {
  /** Ends in `.zip`. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Files and folders. */
  readonly entryCount: number;
  /** Strong: of the same ETag is the same zip, byte for byte. */
  readonly etag: string;
  readonly modifiedAt: number;
  /** As ZipStream.read. */
  read(range: ByteRange, signal?: AbortSignal): AsyncGenerator<Buffer>;
  /** Must be called when it is not needed any more; calm when called twice. */
  close(): void;
}

interface ZipsParts {
  readonly files: Pick<FileService, 'get' | 'list'>;
  readonly content: ContentDirectory;
  /** Of memory, for all plans at once. */
  readonly plansBytesMax?: number;
}

export class FolderZips {
  readonly #parts: ZipsParts;
  /** By content, which never changes. */
  readonly #crcs = new Map<string, number>();
  #heldBytes = 0;

  constructor(parts: ZipsParts) {
    this.#parts = parts;
  }

  /** Looks through the whole folder, which takes a second or so for 70,000 entries, and reads no
   *  file. What is changed from then on does not change the zip.
   *  @throws not-found; denied: also when something in it may be seen and not taken away; conflict
   *  `not-folder`; too-large `zip-entries`; busy: too many others at the same time. */
  async open(
    caller: Caller, path: readonly Name[], signal?: AbortSignal,
  ): Promise<FolderZip> {
    const { node, access } = await this.#parts.files.get(caller, path);
    if (node.kind !== 'folder') throw notFolder();
    checkAccess(access, 'download');
    const hold = new PlanHold((bytes) => this.#take(bytes));
    const plan = new ZipPlan((bytes) => hold.grow(bytes));
    try {
      // A link leads to a folder as a root, and the folder has a name.
      const name = path.at(-1) ?? (node.name === '' ? ROOT_NAME : node.name);
      plan.add({
        name, isFolder: true, sizeBytes: 0, modifiedAt: node.modifiedAt, parent: undefined,
        spaceId: node.spaceId, nodeId: node.id, contentRev: 0,
      });
      for (let place = 0; place < plan.count; place += 1) {
        if (!plan.isFolder(place)) continue;
        await this.#addMembers(caller, path, { plan, place, ...(signal && { signal }) });
      }
      const stream = new ZipStream(this.#sourcesOf(plan));
      const digest = hash('sha256', `${MAKING} ${etagOf(node)} ${name}`, 'hex').slice(0, 32);
      return {
        name: `${name}.zip`, sizeBytes: plan.sizeBytes, entryCount: plan.count,
        etag: `"${digest}"`, modifiedAt: node.modifiedAt,
        read: (range, withSignal) => stream.read(range, withSignal),
        close: () => hold.end(),
      };
    } catch (error) {
      hold.end();
      throw error;
    }
  }

  async #addMembers(
    caller: Caller, top: readonly Name[],
    { plan, place, signal }: { plan: ZipPlan; place: number; signal?: AbortSignal },
  ): Promise<void> {
    const path = [...top, ...plan.names(place).slice(1).map(parseName)];
    const options = signal === undefined ? {} : { signal };
    const listing = await this.#parts.files.list(caller, path, options).catch((error: unknown) => {
      // Whoever deletes a folder meanwhile has it left out. The folder itself must be there.
      if (place > 0 && isKind(error, 'not-found')) return undefined;
      throw error;
    });
    for await (const page of listing?.pages ?? []) {
      signal?.throwIfAborted();
      for (const entry of page) {
        checkAccess(accessAt(entry), 'download');
        const isFolder = entry.kind === 'folder';
        const { name, modifiedAt, spaceId, id: nodeId, contentRev } = entry;
        const sizeBytes = isFolder ? 0 : entry.sizeBytes;
        plan.add({
          name, isFolder, sizeBytes, modifiedAt, parent: place, spaceId, nodeId, contentRev,
        });
      }
    }
  }

  #sourcesOf(plan: ZipPlan) {
    const { content } = this.#parts;
    const keyOf = (place: number): string => {
      const { nodeId, contentRev } = plan.source(place);
      return `${nodeId}/${contentRev}`;
    };
    return {
      plan,
      open: async (place: number) => {
        const { spaceId, nodeId: id, contentRev } = plan.source(place);
        const sizeBytes = plan.sizeOf(place);
        return (await content.at(spaceId)).open({
          ...SOME_FILE, spaceId, id, contentRev, sizeBytes,
        });
      },
      findCrc: (place: number) => this.#crcs.get(keyOf(place)),
      noteCrc: (place: number, crc: number) => this.#remember(keyOf(place), crc),
    };
  }

  #remember(key: string, crc: number): void {
    this.#crcs.delete(key);
    this.#crcs.set(key, crc);
    if (this.#crcs.size <= CRCS_MAX) return;
    const [oldest] = this.#crcs.keys();
    if (oldest !== undefined) this.#crcs.delete(oldest);
  }

  /** A negative number gives back. */
  #take(bytes: number): void {
    const { plansBytesMax = PLANS_BYTES_MAX } = this.#parts;
    if (bytes > 0 && this.#heldBytes + bytes > plansBytesMax) throw tooManyAtOnce();
    this.#heldBytes += bytes;
  }
}

/** What one plan has of the memory for all. */
class PlanHold {
  readonly #take: (bytes: number) => void;
  #heldBytes = 0;

  constructor(take: (bytes: number) => void) {
    this.#take = take;
  }

  grow(toBytes: number): void {
    const more = toBytes - this.#heldBytes;
    this.#take(more);
    this.#heldBytes = toBytes;
  }

  end(): void {
    this.grow(0);
  }
}

function notFolder(): HoldfastError {
  const message = 'This is a file, not a folder.';
  return new HoldfastError('conflict', OP, message, { code: 'not-folder' });
}

function tooManyAtOnce(): HoldfastError {
  const message = 'Too many large folders are being downloaded at the moment. Try again later.';
  return new HoldfastError('busy', OP, message, { code: 'zips-max' });
}
