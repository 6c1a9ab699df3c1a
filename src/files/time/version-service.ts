/** Earlier contents of a file: every overwrite keeps the one before, until retention thins them
 *  out. Who owns its space may read all of them, others those that they could read at the time
 *  (seen-versions.ts); who may change the file may bring one of those back. */
import { HoldfastError } from '../../base/errors.ts';
import { parseName } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import type { Caller } from '../../identity/index.ts';
import type { NodeRecord, VersionRecord } from '../../metadata/index.ts';
import { actorOf } from '../actor.ts';
import { checkAccess } from '../access.ts';
import type { ContentDirectory } from '../content-homes.ts';
import type { FileContent } from '../download.ts';
import type { FileService } from '../file-service.ts';
import type { Found } from '../found.ts';
import type { SeenNode } from '../view/sight.ts';
import { putOldContent } from './old-content.ts';
import { seenVersions } from './seen-versions.ts';
import type { ThenParts } from './then-and-now.ts';

/** A version as people are shown it. */
export interface KeptVersion extends Omit<VersionRecord, 'manifest'> {
  /** It is the file's content now. */
  isPresent: boolean;
}

interface VersionParts extends ThenParts {
  files: Pick<FileService, 'get'>;
  content: ContentDirectory;
}

export class VersionService {
  readonly #parts: VersionParts;

  constructor(parts: VersionParts) {
    this.#parts = parts;
  }

  /** Newest first; those that the caller may know of.
   *  @throws not-found; denied; conflict `is-folder`. */
  async list(caller: Caller, path: readonly Name[]): Promise<KeptVersion[]> {
    const { node } = await this.#file(caller, path);
    const versions = await this.#versions(caller, node);
    return versions.map(({ manifest: _, ...version }) =>
      ({ ...version, isPresent: version.contentRev === node.contentRev }));
  }

  /** The content of one version, under the file's present name.
   *  @throws as list; not-found `version-missing`; corrupt. */
  async open(
    caller: Caller, path: readonly Name[], contentRev: number,
  ): Promise<FileContent> {
    const { node } = await this.#file(caller, path);
    const { spaceId } = node;
    const version = await this.#version(caller, node, contentRev);
    const { sizeBytes, modifiedAt, checksums } = version;
    const then = { ...node, contentRev, mark: contentRev, sizeBytes, modifiedAt, checksums };
    return (await this.#parts.content.at(spaceId)).open(then);
  }

  /** Makes an old content the present one; what was present becomes a version.
   *  @throws as open; denied; locked; quota; precondition: changed at the same moment. */
  async restore(
    caller: Caller, path: readonly Name[], contentRev: number,
    lockTokens: readonly string[] = [],
  ): Promise<NodeRecord> {
    const { node, access } = await this.#file(caller, path);
    checkAccess(access, 'update');
    const { metadata, now } = this.#parts;
    // A view may show it under another name, and in another folder, than where it lives.
    const live = (await metadata.findChain(node.spaceId, node.id))?.at(-1) ?? node;
    const version = await this.#version(caller, node, contentRev);
    const result = await putOldContent(this.#parts, version, {
      live, name: parseName(live.name), times: { modifiedAt: version.modifiedAt },
      actor: actorOf(caller, now(), lockTokens),
    });
    return result.node ?? live;
  }

  async #versions(caller: Caller, node: SeenNode): Promise<VersionRecord[]> {
    const versions = await this.#parts.metadata.listVersions(node.spaceId, node.id);
    return node.sight?.isShared === true ? seenVersions(this.#parts, caller, { node, versions })
      : versions;
  }

  /** @throws not-found `version-missing`: also one that the caller may not know of. */
  async #version(caller: Caller, node: SeenNode, contentRev: number): Promise<VersionRecord> {
    const { metadata } = this.#parts;
    if (node.sight?.isShared !== true) {
      return metadata.getVersion(node.spaceId, node.id, contentRev);
    }
    const versions = await this.#versions(caller, node);
    const found = versions.find((version) => version.contentRev === contentRev);
    if (found === undefined) throw missing();
    return found;
  }

  async #file(caller: Caller, path: readonly Name[]): Promise<Found> {
    const found = await this.#parts.files.get(caller, path);
    checkAccess(found.access, 'download');
    if (found.node.kind === 'file') return found;
    const message = 'This is a folder: only files have versions.';
    throw new HoldfastError('conflict', 'files/VersionService', message, { code: 'is-folder' });
  }
}

function missing(): HoldfastError {
  const message = 'There is no such version.';
  return new HoldfastError('not-found', 'files/VersionService', message, {
    code: 'version-missing',
  });
}
