/** How changes look in the API. */
import { accessAt, etagOf } from '../../files/index.ts';
import type { FeedPage, SeenChange, SeenNode } from '../../files/index.ts';
import type { Change, ChangedNode, Changes } from '../../wire/changes.ts';
import { mediaTypeOf } from '../webdav/media-types.ts';

/** As in other answers, less what a change does not tell: see docs/following-changes.md. */
function nodeAnswer(node: SeenNode, path: readonly string[]): ChangedNode {
  const { id, spaceId, name, kind, parentId, sizeBytes, modifiedAt, contentRev, sight } = node;
  const { read, update, create, delete: mayDelete, move, share } = accessAt(node);
  return {
    id: String(id), spaceId: String(spaceId), name, path: textOf(path),
    kind: kind === 'folder' ? kind : 'file',
    ...(parentId !== undefined && { parentId: String(parentId) }),
    may: { read, write: update, create, delete: mayDelete, rename: move, share },
    isMount: sight?.isMountRoot === true, isShared: sight?.isShared === true,
    ...(kind === 'file' && {
      sizeBytes, modifiedAt: new Date(modifiedAt).toISOString(), etag: etagOf(node),
      mediaType: mediaTypeOf(name), version: String(contentRev),
    }),
  };
}

function changeAnswer(change: SeenChange): Change {
  const { kind, key, parentKey, nodeId, node, path, oldPath, isWhole, by, at } = change;
  return {
    kind, key, isWhole,
    ...(parentKey !== undefined && { parentKey }),
    ...(nodeId !== undefined && { nodeId: String(nodeId) }),
    ...(path !== undefined && { path: textOf(path) }),
    ...(oldPath !== undefined && { oldPath: textOf(oldPath) }),
    ...(node !== undefined && { node: nodeAnswer(node, path ?? []) }),
    ...(at !== undefined && { at: new Date(at).toISOString() }),
    ...(by !== undefined && { by }),
  };
}

function textOf(path: readonly string[]): string {
  return `/${path.join('/')}`;
}

/** Many may be given one page: it is written once. */
const TEXTS = new WeakMap<FeedPage, string>();

/** One page as JSON. */
export function pageText(page: FeedPage): string {
  let text = TEXTS.get(page);
  if (text === undefined) {
    const { cursor } = page;
    const answer: Changes = page.isReset ? { reset: true, cursor }
      : { items: page.changes.map(changeAnswer), cursor, isMore: page.isMore };
    text = JSON.stringify(answer);
    TEXTS.set(page, text);
  }
  return text;
}
