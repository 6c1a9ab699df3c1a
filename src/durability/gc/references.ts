import { HoldfastError, isKind } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import { blocksOf, decodeManifest } from '../../files/index.ts';
import type { Manifest } from '../../files/index.ts';
import { MANIFESTS_LIMIT_MAX, type ManifestPlace, type MetadataStore }
  from '../../metadata/index.ts';
import type { BlockStore } from '../../storage/index.ts';

const PAGE_MANIFESTS = Math.min(256, MANIFESTS_LIMIT_MAX);

/** In which block store lies what a manifest refers to? Not in that of another tenant: but if it
 *  did, by whatever fault, it would be needed. So what is elsewhere counts as needed here, too;
 *  only that it is not here is no loss. */
export interface ManifestHome {
  readonly where: 'here' | 'elsewhere' | 'unknown';
  /** Where its list of blocks may lie, if that is a block itself; the likeliest first. */
  readonly stores: readonly BlockStore[];
}

export interface ReferenceSources {
  metadata: Pick<MetadataStore, 'listManifests'>;
  /** For manifests that are blocks themselves. */
  blocks: BlockStore;
  /** Asked before each walk; left out: everything lies in `blocks`. */
  homes?: () => Promise<(place: ManifestPlace) => ManifestHome>;
  /** What is needed for other reasons, in pages; it may well be absent. */
  also?: () => AsyncIterable<readonly BlockId[]>;
}

/** What one page of manifests refers to. */
export interface References {
  /** A block that is named often comes often. */
  ids: BlockId[];
  /** Referred to by what has its blocks elsewhere, as far as anybody knows. */
  strangerIds: BlockId[];
  manifestCount: number;
  /** Content of parts of uploads that are not finished. */
  pendingBytes: number;
}

/**
 * Every block that anything refers to: the one answer to the question what is needed, for census
 * and inspection alike. What it cannot read it does not pass over: then nobody knows what is
 * needed, and nothing may be taken for garbage. The exception is what lies in another home for
 * sure: one tenant's damage does not stop the others' collection.
 * @throws corrupt, not-found: a manifest cannot be read; unavailable.
 */
export async function* listReferences(
  { metadata, blocks, homes, also }: ReferenceSources, signal?: AbortSignal,
): AsyncGenerator<References> {
  const nothing: References = { ids: [], strangerIds: [], manifestCount: 0, pendingBytes: 0 };
  for await (const ids of also?.() ?? []) {
    signal?.throwIfAborted();
    yield { ...nothing, strangerIds: [...ids] };
  }
  const all: ManifestHome = { where: 'here', stores: [blocks] };
  const homeOf = await homes?.() ?? (() => all);
  let after: ManifestPlace | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const page = await metadata.listManifests(PAGE_MANIFESTS, after);
    const last = page.at(-1);
    if (last === undefined) return;
    const found: References = { ids: [], strangerIds: [], manifestCount: 0, pendingBytes: 0 };
    for (const { place, manifest: bytes } of page) {
      const manifest = decodeManifest(bytes);
      const home = homeOf(place);
      const isHere = home.where === 'here';
      const ids = isHere ? found.ids : found.strangerIds;
      for (const { id } of manifest.blocks) ids.push(id);
      if (manifest.indirect) for (const id of await listedIn(manifest, home)) ids.push(id);
      if (!isHere) continue;
      found.manifestCount += 1;
      if (place.kind === 'part') found.pendingBytes += manifest.sizeBytes;
    }
    yield found;
    after = last.place;
  }
}

async function listedIn(manifest: Manifest, { where, stores }: ManifestHome): Promise<BlockId[]> {
  let reason: HoldfastError | undefined;
  for (const store of stores) {
    try {
      return (await blocksOf(store, manifest)).map(({ id }) => id);
    } catch (error) {
      const isCalm = where === 'elsewhere' ? error instanceof HoldfastError
        : where === 'unknown' && isKind(error, 'not-found');
      if (!isCalm) throw error;
      reason = error as HoldfastError;
    }
  }
  if (where === 'elsewhere') return [];
  throw reason ?? new HoldfastError('unavailable', 'durability/listReferences', 'No store to ask.');
}
