/** Old content of a file becomes its present one again, as a new version. */
import type { Name } from '../../base/names.ts';
import type {
  Actor, ChangeResult, Instant, MetadataStore, NodeRecord, VersionRecord,
} from '../../metadata/index.ts';
import type { ContentDirectory } from '../content-homes.ts';
import { holdAll } from '../content-store.ts';
import { decodeManifest } from '../manifest.ts';

/** The blocks are claimed while the change is under way: else they could be collected between the
 *  look at the old version and the new one that needs them.
 *  @throws precondition: the file is another by now; locked; quota; conflict. */
export async function putOldContent(
  parts: { metadata: MetadataStore; content: ContentDirectory }, version: VersionRecord,
  place: {
    live: NodeRecord; name: Name; actor: Actor;
    times: { modifiedAt: Instant; createdAt?: Instant };
  },
): Promise<ChangeResult> {
  const { metadata } = parts;
  const { manifest, sizeBytes, checksums, spaceId } = version;
  const { live: { id: nodeId, mark, parentId }, name, actor, times } = place;
  const content = await parts.content.at(spaceId);
  return content.claimed(async (claim) => {
    const { blocks, indirect } = decodeManifest(manifest);
    await holdAll(claim, blocks);
    if (indirect) await holdAll(claim, await content.blocksOf(manifest));
    return metadata.commit({
      op: 'put-file', spaceId, parentId: parentId ?? nodeId, name, ...times,
      content: { sizeBytes, checksums, manifest }, expect: { nodeId, mark }, actor,
    });
  });
}
