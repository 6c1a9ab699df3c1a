/** Earlier contents of a file: every overwrite keeps the one before, until retention thins them
 *  out. Who may read a file may read its versions; who may change it may bring one back. */
import { HoldfastError } from '../../base/errors.ts';
import { parseName } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import type { Caller } from '../../identity/index.ts';
import type { Instant, MetadataStore, NodeRecord, VersionRecord } from '../../metadata/index.ts';
import { actorOf } from '../actor.ts';
import { checkAccess } from '../access.ts';
import type { ContentStore } from '../content-store.ts';
import type { FileContent } from '../download.ts';
import type { FileService, Found } from '../file-service.ts';
import { putOldContent } from './old-content.ts';

/** A version as people are shown it. */
export interface KeptVersion extends Omit<VersionRecord, 'manifest'> {
  /** It is the file's content now. */
  isPresent: boolean;
}

interface VersionParts {
  files: Pick<FileService, 'get'>;
  metadata: MetadataStore;
  content: ContentStore;
  now: () => Instant;
}

export class VersionService {
  readonly #parts: VersionParts;

  constructor(parts: VersionParts) {
    this.#parts = parts;
  }

  /** Newest first. @throws not-found; denied; conflict `is-folder`. */
  async list(caller: Caller, path: readonly Name[]): Promise<KeptVersion[]> {
    const { node } = await this.#file(caller, path);
    const versions = await this.#parts.metadata.listVersions(node.spaceId, node.id);
    return versions.map(({ manifest: _, ...version }) =>
      ({ ...version, isPresent: version.contentRev === node.contentRev }));
  }

  /** The content of one version, under the file's present name.
   *  @throws as list; not-found `version-missing`; corrupt. */
  async open(
    caller: Caller, path: readonly Name[], contentRev: number,
  ): Promise<FileContent> {
    const { node } = await this.#file(caller, path);
    const { spaceId, id } = node;
    const version = await this.#parts.metadata.getVersion(spaceId, id, contentRev);
    const { sizeBytes, modifiedAt, checksums } = version;
    const then = { ...node, contentRev, mark: contentRev, sizeBytes, modifiedAt, checksums };
    return this.#parts.content.open(then);
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
    const version = await metadata.getVersion(node.spaceId, node.id, contentRev);
    const result = await putOldContent(this.#parts, version, {
      live, name: parseName(live.name), times: { modifiedAt: version.modifiedAt },
      actor: actorOf(caller, now(), lockTokens),
    });
    return result.node ?? live;
  }

  async #file(caller: Caller, path: readonly Name[]): Promise<Found> {
    const found = await this.#parts.files.get(caller, path);
    checkAccess(found.access, 'download');
    if (found.node.kind === 'file') return found;
    const message = 'This is a folder: only files have versions.';
    throw new HoldfastError('conflict', 'files/VersionService', message, { code: 'is-folder' });
  }
}
