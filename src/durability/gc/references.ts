import type { BlockId } from '../../base/ids.ts';
import { blocksOf, decodeManifest } from '../../files/index.ts';
import { MANIFESTS_LIMIT_MAX, type ManifestPlace, type MetadataStore }
  from '../../metadata/index.ts';
import type { BlockStore } from '../../storage/index.ts';

const PAGE_MANIFESTS = Math.min(256, MANIFESTS_LIMIT_MAX);

export interface ReferenceSources {
  metadata: Pick<MetadataStore, 'listManifests'>;
  /** For manifests that are blocks themselves. */
  blocks: BlockStore;
}

/** What one page of manifests refers to. */
export interface References {
  /** A block that is named often comes often. */
  ids: BlockId[];
  manifestCount: number;
  /** Content of parts of uploads that are not finished. */
  pendingBytes: number;
}

/**
 * Every block that anything refers to: the one answer to the question what is needed, for census
 * and inspection alike. What it cannot read it does not pass over: then nobody knows what is
 * needed, and nothing may be taken for garbage.
 * @throws corrupt, not-found: a manifest cannot be read; unavailable.
 */
export async function* listReferences(
  { metadata, blocks }: ReferenceSources, signal?: AbortSignal,
): AsyncGenerator<References> {
  let after: ManifestPlace | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const page = await metadata.listManifests(PAGE_MANIFESTS, after);
    const last = page.at(-1);
    if (last === undefined) return;
    const ids: BlockId[] = [];
    let pendingBytes = 0;
    for (const { place, manifest: bytes } of page) {
      const manifest = decodeManifest(bytes);
      for (const { id } of manifest.blocks) ids.push(id);
      if (manifest.indirect) {
        for (const { id } of await blocksOf(blocks, manifest)) ids.push(id);
      }
      if (place.kind === 'part') pendingBytes += manifest.sizeBytes;
    }
    yield { ids, manifestCount: page.length, pendingBytes };
    after = last.place;
  }
}
