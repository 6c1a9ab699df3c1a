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

/** What is made of a page once, for many who are given the same one. */
interface Written {
  text: string;
  message?: Buffer;
  event?: Buffer;
}

const WRITTEN = new WeakMap<FeedPage, Written>();

function writtenOf(page: FeedPage): Written {
  let written = WRITTEN.get(page);
  if (written === undefined) {
    const { cursor } = page;
    const answer: Changes = page.isReset ? { reset: true, cursor }
      : { items: page.changes.map(changeAnswer), cursor, isMore: page.isMore };
    written = { text: JSON.stringify(answer) };
    WRITTEN.set(page, written);
  }
  return written;
}

/** One page as JSON. */
export function pageText(page: FeedPage): string {
  return writtenOf(page).text;
}

/** The same, as bytes. They are shared: nobody may change them. */
export function pageMessage(page: FeedPage): Buffer {
  const written = writtenOf(page);
  written.message ??= Buffer.from(written.text);
  return written.message;
}

/** The same, as a server-sent event (HTML Standard, section 9.2). Shared, too. */
export function pageEvent(page: FeedPage): Buffer {
  const written = writtenOf(page);
  const event = page.isReset ? 'reset' : 'changes';
  written.event ??= Buffer.from(`id: ${page.cursor}\nevent: ${event}\ndata: ${written.text}\n\n`);
  return written.event;
}
