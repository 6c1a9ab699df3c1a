/**
 * The folder in which a transfer gathers what it is going to move.
 *
 * A space as a whole cannot be moved, and moving its members one by one could end in the middle. So
 * they are first gathered in one folder of the same space, by moves that change neither ids nor
 * versions nor grants, and then this folder crosses over in one transaction. A dead property marks
 * the folder: after a crash the same order finds it and goes on. The mark names the folder's id, so
 * that the copy that arrives is not taken for another gathering.
 */
import { HoldfastError } from '../../base/errors.ts';
import { parseName } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import type { Actor, MetadataStore, NodeRecord, SpaceRecord } from '../../metadata/index.ts';

export const MARK_NAMESPACE = 'urn:holdfast:transfer';
export const MARK_NAME = 'gathering';
const OP = 'files/transfer';
const NAMES_TRIED_MAX = 1_000;

/** `folder`: of the order, '' when all is moved. */
export async function findGathering(
  metadata: MetadataStore, { id: spaceId, rootId }: SpaceRecord, folder: string,
): Promise<NodeRecord | undefined> {
  const pages = metadata.listFolder(spaceId, rootId, { withProperties: true });
  for await (const page of pages) {
    for (const { properties = [], ...node } of page) {
      const mark = properties.find(({ namespace, name }) =>
        namespace === MARK_NAMESPACE && name === MARK_NAME);
      if (node.kind !== 'folder' || mark === undefined) continue;
      const [nodeId, ofFolder = ''] = mark.xml.split(' ');
      if (nodeId !== String(node.id)) continue;
      if (decodeURIComponent(ofFolder) === folder) return node;
      throw refuseOther(decodeURIComponent(ofFolder));
    }
  }
  return undefined;
}

export async function makeGathering(
  metadata: MetadataStore, space: SpaceRecord,
  { wanted, folder, actor }: { wanted: Name; folder: string; actor: () => Actor },
): Promise<NodeRecord> {
  const { id: spaceId, rootId: parentId } = space;
  const name = await freeNameIn(metadata, space, wanted);
  const { node } = await metadata.commit({
    op: 'make-folder', spaceId, parentId, name, actor: actor(),
  });
  if (node === undefined) throw new HoldfastError('internal', OP, 'A folder was not answered.');
  const xml = `${node.id} ${encodeURIComponent(folder)}`;
  await metadata.commit({
    op: 'set-properties', spaceId, nodeId: node.id, remove: [], actor: actor(),
    set: [{ namespace: MARK_NAMESPACE, name: MARK_NAME, xml }],
  });
  return node;
}

/** Calm when there is no mark. */
export async function unmark(
  metadata: MetadataStore, { spaceId, id: nodeId }: NodeRecord, actor: Actor,
): Promise<void> {
  await metadata.commit({
    op: 'set-properties', spaceId, nodeId, set: [], actor,
    remove: [{ namespace: MARK_NAMESPACE, name: MARK_NAME }],
  });
}

/** `name`, or with a number where that is taken: in the root of a space. */
export async function freeNameIn(
  metadata: MetadataStore, { id: spaceId }: SpaceRecord, wanted: Name,
): Promise<Name> {
  for (let number = 1; number <= NAMES_TRIED_MAX; number += 1) {
    const name = number === 1 ? wanted : parseName(`${wanted} (${number})`);
    if ((await metadata.resolve(spaceId, [name])).length === 1) return name;
  }
  const message = `There are too many folders called "${wanted}" already. Rename some of them.`;
  throw new HoldfastError('conflict', OP, message, { code: 'name-clash' });
}

function refuseOther(folder: string): HoldfastError {
  const which = folder === '' ? 'all files of this account' : `"${folder}"`;
  const message = `A transfer of ${which} was interrupted. Give that order once more first.`;
  return new HoldfastError('conflict', OP, message, { code: 'transfer-interrupted' });
}
