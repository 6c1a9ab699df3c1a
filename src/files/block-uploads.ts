/**
 * Files put together from blocks, so that what the server has already is not sent again.
 *
 * Whether a block is here is told only of blocks that the caller may read anyway: those of files
 * that the caller names and may download, and those that the caller has just sent. So nobody learns
 * by its hash that somebody else has a file, nor gets at it. A block that was sent counts for a
 * day, as a part of an upload; a commit refers to all of them or to none.
 */
import { HoldfastError } from '../base/errors.ts';
import type { BlockId, NodeId } from '../base/ids.ts';
import type { Name } from '../base/names.ts';
import type { Caller } from '../identity/index.ts';
import type { MetadataStore } from '../metadata/index.ts';
import { checkAccess } from './access.ts';
import { actorOf } from './actor.ts';
import type { BodySource } from './body.ts';
import type { ContentDirectory } from './content-homes.ts';
import type { ContentStore } from './content-store.ts';
import type { UploadOptions } from './deal.ts';
import type { FileService } from './file-service.ts';
import type { Written } from './found.ts';
import { decodeManifest, encodeManifest } from './manifest.ts';
import type { BlockRef } from './manifest.ts';
import type { UploadService } from './upload-service.ts';
import { accessAt } from './view/sight.ts';

/** As large as blocks of the store. */
export const SENT_BLOCK_BYTES_MAX = 4 * 1024 * 1024;
/** Of one file: 40 GiB. */
export const COMMIT_BLOCKS_MAX = 10_000;
export const BASES_MAX = 16;
const PART = '0';
const DROPPED_AT_ONCE = 20;
const OP = 'files/BlockUploads';

interface BlockParts {
  metadata: Pick<MetadataStore, 'getVersion' | 'listParts'>;
  content: ContentDirectory;
  files: FileService;
  uploads: UploadService;
  now: () => number;
}

/** Blocks that a caller may use, and how long they are. */
interface Known {
  readonly sizes: ReadonlyMap<BlockId, number>;
  readonly content: ContentStore;
}

export class BlockUploads {
  readonly #parts: BlockParts;

  constructor(parts: BlockParts) {
    this.#parts = parts;
  }

  /** Which of these blocks need not be sent, in the same order. `bases`: files that are likely to
   *  hold some of them. @throws not-found, denied: a base. */
  async have(
    caller: Caller, blocks: readonly BlockId[], bases: readonly NodeId[] = [],
  ): Promise<boolean[]> {
    const { sizes } = await this.#ofBases(caller, bases);
    const answers: boolean[] = [];
    for (const id of blocks) {
      answers.push(sizes.has(id) || await this.#sent(caller, id) !== undefined);
    }
    return answers;
  }

  /** Stores 1 to SENT_BLOCK_BYTES_MAX bytes, durable once resolved. Calm when it was sent before.
   *  @throws invalid `checksum-mismatch`: the bytes do not hash to `id`; too-large; as
   *  UploadService.putPart. */
  async put(
    caller: Caller, id: BlockId, body: BodySource, signal?: AbortSignal,
  ): Promise<void> {
    const { uploads } = this.#parts;
    const { lengthBytes } = body;
    if (lengthBytes === undefined || lengthBytes < 1 || lengthBytes > SENT_BLOCK_BYTES_MAX) {
      const message = `A block has 1 to ${SENT_BLOCK_BYTES_MAX} bytes, said in Content-Length.`;
      throw new HoldfastError('too-large', OP, message, { code: 'block-size' });
    }
    const uploadId = uploadOf(id);
    await uploads.begin(caller, uploadId, lengthBytes);
    const checksum = { algorithm: 'SHA256', hex: id } as const;
    const options = { checksum, isWholeHashed: false, ...(signal && { signal }) };
    await uploads.putPart(caller, { uploadId, name: PART }, body, options);
  }

  /** Makes a file of blocks that were sent, or that lie in the bases.
   *  @throws conflict `block-missing`, with facts.index: send that one again; as
   *  FileService.upload. Nothing becomes visible then. */
  async commit(
    caller: Caller, path: readonly Name[],
    { blocks, bases = [], ...options }: UploadOptions & {
      blocks: readonly BlockRef[]; bases?: readonly NodeId[];
    },
  ): Promise<Written> {
    const { files, now } = this.#parts;
    const target = await files.aim(caller, path, options);
    const { sizes, content } = await this.#ofBases(caller, bases);
    if (content !== await this.#parts.content.at(target.spaceId)) throw otherTenant();
    content.checkWritable();
    const sent: BlockId[] = [];
    for (const [index, { id, sizeBytes }] of blocks.entries()) {
      if (sizes.get(id) === sizeBytes) continue;
      if (await this.#sent(caller, id) !== sizeBytes) throw missing(index);
      sent.push(id);
    }
    const sizeBytes = blocks.reduce((sum, block) => sum + block.sizeBytes, 0);
    const direct = encodeManifest({ chunker: 'fixed-4m', sizeBytes, indirect: false, blocks });
    const written = await content.claimed(async (claim) => {
      const { manifest } = await content.join([{ manifest: direct }], claim);
      return files.commitAimed(caller, target, {
        op: 'put-file', spaceId: target.spaceId, parentId: target.parentId, name: target.name,
        content: { sizeBytes, manifest, checksums: '' }, modifiedAt: options.modifiedAt,
        ...(target.expect !== undefined && { expect: target.expect }),
        witness: content.witness(), actor: actorOf(caller, now(), options.lockTokens),
      });
    });
    await this.#drop(caller, sent);
    return written;
  }

  /** The size of a block that this caller has sent. */
  async #sent(caller: Caller, id: BlockId): Promise<number | undefined> {
    const [part] = await this.#parts.metadata.listParts(caller.user, uploadOf(id));
    if (part === undefined) return undefined;
    const { blocks: [block] } = decodeManifest(part.manifest);
    return block?.id === id ? block.sizeBytes : undefined;
  }

  async #ofBases(caller: Caller, bases: readonly NodeId[]): Promise<Known> {
    const { files, metadata } = this.#parts;
    const content = await this.#parts.content.of(caller.tenant);
    const sizes = new Map<BlockId, number>();
    for (const base of bases.slice(0, BASES_MAX)) {
      const node = (await files.findById(caller, base))?.node;
      if (node?.kind !== 'file') throw noBase();
      checkAccess(accessAt(node), 'download');
      if (content !== await this.#parts.content.at(node.spaceId)) continue;
      const { manifest } = await metadata.getVersion(node.spaceId, node.id, node.contentRev);
      for (const { id, sizeBytes } of await content.blocksOf(manifest)) sizes.set(id, sizeBytes);
    }
    return { sizes, content };
  }

  /** The file refers to them now; what is not dropped here is forgotten in a day. */
  async #drop(caller: Caller, ids: readonly BlockId[]): Promise<void> {
    const waiting = [...new Set(ids)];
    while (waiting.length > 0) {
      const some = waiting.splice(0, DROPPED_AT_ONCE);
      await Promise.all(some.map((id) => this.#parts.uploads.drop(caller, uploadOf(id))));
    }
  }
}

function uploadOf(id: BlockId): string {
  return `block-${id}`;
}

function missing(index: number): HoldfastError {
  const message = 'A block of this file is not here, or has another length. Send it, and commit '
    + 'again.';
  return new HoldfastError('conflict', `${OP}.commit`, message, {
    code: 'block-missing', facts: { index, at: `body/blocks/${index}` },
  });
}

function noBase(): HoldfastError {
  const message = 'There is no such file to take blocks from.';
  return new HoldfastError('not-found', OP, message, { code: 'node-missing' });
}

function otherTenant(): HoldfastError {
  const message = 'This is not a place of yours: files stay within one tenant.';
  return new HoldfastError('denied', `${OP}.commit`, message, { code: 'other-tenant' });
}
