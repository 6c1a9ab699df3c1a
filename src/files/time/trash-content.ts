/**
 * What is in the trash, looked into without bringing it back: a deleted folder is as it was at the
 * revision before its deletion. Only who owns the space looks in: somebody who has removed a folder
 * of others may have lost sight of it since, or never have seen all of it.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { Name } from '../../base/names.ts';
import type { Caller } from '../../identity/index.ts';
import type { MetadataStore, NodeRecord, PastNode } from '../../metadata/index.ts';
import type { ContentDirectory } from '../content-homes.ts';
import type { FileContent } from '../download.ts';
import { SIZE_UNKNOWN } from './past-view.ts';
import type { TrashPlace, TrashService } from './trash-service.ts';

export class TrashContent {
  readonly #parts: { trash: TrashService; metadata: MetadataStore; content: ContentDirectory };

  constructor(parts: { trash: TrashService; metadata: MetadataStore; content: ContentDirectory }) {
    this.#parts = parts;
  }

  /** A node in the trash: the entry itself, or one below it. @throws not-found; not-found
   *  `past-gone`: it can be restored as a whole, but not looked into any more; denied. */
  async get(caller: Caller, entry: TrashPlace, path: readonly Name[]): Promise<NodeRecord> {
    const past = await this.#past(caller, entry);
    const chain = path.length === 0 ? await past.findChain(entry.nodeId)
      : await past.resolve(path, entry.nodeId);
    const node = chain?.at(-1);
    const isWhole = path.length === 0 || chain?.length === path.length + 1;
    if (node !== undefined && isWhole && node.kind !== 'mount') return shown(node, past.at);
    const message = 'The trash holds no such file or folder.';
    throw new HoldfastError('not-found', 'files/TrashContent', message);
  }

  /** Members of a folder that `get` has found, in pages. @throws as get. */
  async* list(
    caller: Caller, entry: TrashPlace, options: { folder: NodeRecord; signal?: AbortSignal },
  ): AsyncGenerator<readonly NodeRecord[]> {
    const past = await this.#past(caller, entry);
    const { folder, signal } = options;
    for await (const page of past.listFolder(folder.id, signal && { signal })) {
      yield page.filter(({ kind }) => kind !== 'mount').map((node) => shown(node, past.at));
    }
  }

  /** @throws not-found `version-missing`; corrupt. */
  async open(node: NodeRecord): Promise<FileContent> {
    return (await this.#parts.content.at(node.spaceId)).open(node);
  }

  async #past(caller: Caller, entry: TrashPlace) {
    const { trash, metadata } = this.#parts;
    const { isOwner } = await trash.get(caller, entry);
    if (isOwner) return metadata.past(entry.spaceId, entry.deletedRev - 1);
    const message = 'Only the owner of this space can look into it here. Restore it instead.';
    throw new HoldfastError('denied', 'files/TrashContent', message, { code: 'not-owner' });
  }
}

function shown(node: PastNode, at: number): NodeRecord {
  return {
    ...node, sizeBytes: node.sizeBytes ?? SIZE_UNKNOWN, modifiedAt: node.modifiedAt ?? at,
  };
}
