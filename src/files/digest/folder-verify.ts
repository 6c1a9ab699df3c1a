/** Tells of a folder what it takes to compare it with another copy. */
import { createHash } from 'node:crypto';
import { HoldfastError } from '../../base/errors.ts';
import { parseName } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import type { Caller } from '../../identity/index.ts';
import { checkAccess } from '../access.ts';
import type { FileService } from '../file-service.ts';
import { accessAt } from '../view/sight.ts';
import type { SeenNode } from '../view/sight.ts';
import { FolderTally, sha256OfFolder } from './folder-digest.ts';
import type { DigestMember, FolderVerdict } from './folder-digest.ts';

export const VERIFY_ENTRIES_MAX = 1_000_000;
/** Contents whose hashes are remembered: 150 bytes or so each. */
const HASHES_MAX = 100_000;
const OP = 'files/FolderVerify.verify';
const NOTED = /(?:^| )SHA256:([0-9a-f]{64})(?: |$)/;

export interface VerifyOptions {
  /** Reads every byte now. Else a hash that this server computed of the same content before, from
   *  the bytes that it stored, serves as well. */
  readsAll?: boolean;
  signal?: AbortSignal;
}

export class FolderVerify {
  readonly #files: Pick<FileService, 'get' | 'list' | 'openNode'>;
  /** By content, which never changes. */
  readonly #hashes = new Map<string, string>();

  constructor(parts: { files: Pick<FileService, 'get' | 'list' | 'openNode'> }) {
    this.#files = parts.files;
  }

  /** Of a folder as the caller sees it, with what others share in it. What is written meanwhile may
   *  be in it or not. It takes as long as reading what is not known yet; at most one piece of one
   *  file is in memory, and the names of the folders that are being looked through.
   *  @throws not-found: also when a folder in it was taken away meanwhile; denied; conflict
   *  `not-folder`; too-large `verify-entries`; corrupt, unavailable: it says nothing then. */
  async verify(
    caller: Caller, path: readonly Name[], options: VerifyOptions = {},
  ): Promise<FolderVerdict> {
    const { node, access } = await this.#files.get(caller, path);
    checkAccess(access, 'download');
    if (node.kind !== 'folder') {
      const message = 'This is a file, not a folder.';
      throw new HoldfastError('conflict', OP, message, { code: 'not-folder' });
    }
    const tally = new FolderTally();
    return tally.verdict(await this.#folder(caller, path, { tally, options }));
  }

  async #folder(
    caller: Caller, path: readonly Name[],
    work: { tally: FolderTally; options: VerifyOptions },
  ): Promise<string> {
    const { tally, options } = work;
    const { signal } = options;
    const listing = await this.#files.list(caller, path, { ...(signal && { signal }) });
    const entries: SeenNode[] = [];
    for await (const page of listing.pages) {
      entries.push(...page);
      checkCount(tally.files + tally.folders + entries.length);
    }
    const members: DigestMember[] = [];
    for (const entry of entries) {
      signal?.throwIfAborted();
      const { name } = entry;
      const isFolder = entry.kind === 'folder';
      const sha256 = isFolder
        ? await this.#folder(caller, [...path, parseName(name)], work)
        : await this.#file(entry, options);
      const kind = isFolder ? 'folder' : 'file';
      const member = { name, kind, sha256, sizeBytes: isFolder ? 0 : entry.sizeBytes } as const;
      tally.add(member);
      members.push(member);
    }
    return sha256OfFolder(members);
  }

  async #file(node: SeenNode, { readsAll = false, signal }: VerifyOptions): Promise<string> {
    checkAccess(accessAt(node), 'download');
    const key = `${node.id}/${node.contentRev}`;
    const known = NOTED.exec(node.checksums)?.[1] ?? this.#hashes.get(key);
    if (!readsAll && known !== undefined) return known;
    const content = await this.#files.openNode(node);
    const hasher = createHash('sha256');
    const whole = { startBytes: 0, endBytes: content.sizeBytes };
    for await (const piece of content.read(whole, signal)) hasher.update(piece);
    const sha256 = hasher.digest('hex');
    this.#remember(key, sha256);
    return sha256;
  }

  #remember(key: string, sha256: string): void {
    this.#hashes.delete(key);
    this.#hashes.set(key, sha256);
    if (this.#hashes.size <= HASHES_MAX) return;
    const [oldest] = this.#hashes.keys();
    if (oldest !== undefined) this.#hashes.delete(oldest);
  }
}

function checkCount(count: number): void {
  if (count <= VERIFY_ENTRIES_MAX) return;
  const message = `A folder with more than ${VERIFY_ENTRIES_MAX} files and folders is verified in `
    + 'parts: ask for the folders in it.';
  throw new HoldfastError('too-large', OP, message, { code: 'verify-entries' });
}
