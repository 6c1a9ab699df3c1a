/** The tree as it was: looking around in it, comparing, and bringing it back. */
import { HoldfastError } from '../../base/errors.ts';
import type { Name } from '../../base/names.ts';
import { accessAt, etagOf, parseWhen } from '../../files/index.ts';
import type { SeenNode, When } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { BatchRecord, DiffEntry } from '../../metadata/index.ts';
import {
  ActivityQuery, ActivityShape, BatchShape, BatchesShape, DiffQuery, DiffShape, NewRestore,
  PastContentQuery, PastQuery, PastShape,
} from '../../wire/history.ts';
import type { Difference } from '../../wire/history.ts';
import type { Node } from '../../wire/node.ts';
import { LIST_LIMIT_DEFAULT } from '../../wire/shapes.ts';
import { mediaTypeOf } from '../webdav/media-types.ts';
import { CONTENT_TAG, READ_HEADERS, sendContent } from './content.ts';
import { makeCursor, readCursor } from './cursor.ts';
import { NodeView, pathOfText, placeOf, textOfPath, timeText } from './node-view.ts';
import { ById } from './nodes.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';

const TAG = 'past';
const DAY_MS = 86_400_000;
const BUCKETS_DEFAULT = 50;
const BATCH_ID = /^[1-9][0-9]{0,14}$/;

export function pastResource(api: RestApi, parts: RestParts): void {
  lookingBack(api, parts);
  comparing(api, parts);
  bringingBack(api, parts);
}

function lookingBack(api: RestApi, parts: RestParts): void {
  const { time } = parts;
  api.operation({
    id: 'listPast', tag: TAG, method: 'GET', path: '/past/nodes', scope: 'files:read',
    summary: 'A folder as it was',
    description: 'Of a file, the file alone. The cost of a page grows with what comes before it.',
    query: PastQuery,
    success: { status: 200, description: 'One page.', schema: PastShape },
    async answer({ caller, query, exchange: { signal } }) {
      const { cursor, limit = LIST_LIMIT_DEFAULT, at } = query;
      const path = pathOfText(query.path);
      const view = await time.open(caller, parseWhen(at));
      const found = await view.get(path);
      const names = new NodeView(parts, caller);
      const folder = await pastNode(names, caller, { path, node: found.node });
      if (found.past.kind !== 'folder') return { body: { folder, items: [] } };
      const list = `past-${found.past.id}-${view.at}`;
      const skipped = cursor === undefined ? 0 : readCursor(list, cursor, ['number'])[0];
      const entries: SeenNode[] = [];
      let count = 0;
      for await (const page of view.list(found, signal)) {
        entries.push(...page.slice(Math.max(0, skipped - count)));
        count += page.length;
        if (entries.length > limit) break;
      }
      const items: Node[] = [];
      for (const node of entries.slice(0, limit)) {
        items.push(await pastNode(names, caller, { path: [...path, node.name], node }));
      }
      return {
        body: {
          folder, items,
          ...(entries.length > limit && { nextCursor: makeCursor(list, skipped + limit) }),
        },
      };
    },
  });
  api.raw({
    id: 'readPast', tag: CONTENT_TAG, method: 'GET', path: '/past/content', scope: 'files:read',
    summary: 'The bytes of a file as it was',
    query: PastContentQuery, headers: READ_HEADERS, refusals: [409, 412, 416],
    success: {
      status: 200, also: [206, 304], description: 'The bytes; 206: those of the range.',
      mediaType: 'application/octet-stream',
    },
    async answerRaw({ caller, exchange, query }) {
      const view = await time.open(caller, parseWhen(query.at));
      const { node } = await view.get(pathOfText(query.path));
      await sendContent(exchange, node, {
        instanceId: parts.instanceId, wanted: query.disposition ?? 'attachment',
        open: () => time.openNode(node),
      });
    },
  });
}

function comparing(api: RestApi, parts: RestParts): void {
  const { time, now } = parts;
  api.operation({
    id: 'readActivity', tag: TAG, method: 'GET', path: '/nodes/{id}/activity',
    scope: 'files:read',
    summary: 'How much happened when, at and below a folder',
    params: ById, query: ActivityQuery,
    success: { status: 200, description: 'Equal spans, oldest first.', schema: ActivityShape },
    async answer({ caller, params, query, exchange: { signal } }) {
      const { path } = await placeOf(parts, caller, params.id);
      const to = query.to === undefined ? now() : instantOf(query.to);
      const from = query.from === undefined ? to - 30 * DAY_MS : instantOf(query.from);
      const { buckets, isComplete } = await time.activity(caller, path, {
        from, to, count: query.buckets ?? BUCKETS_DEFAULT, signal,
      });
      return {
        body: {
          buckets: buckets.map((one) => ({ ...one, at: timeText(one.at) })), isComplete,
        },
      };
    },
  });
  api.operation({
    id: 'diffNode', tag: TAG, method: 'GET', path: '/nodes/{id}/diff', scope: 'files:read',
    summary: 'What differs between two moments, at and below a node',
    description: 'A page may be short, or even empty, and not be the last.',
    params: ById, query: DiffQuery,
    success: { status: 200, description: 'One page.', schema: DiffShape },
    async answer({ caller, params, query }) {
      const { path, node } = await placeOf(parts, caller, params.id);
      const { cursor, limit = LIST_LIMIT_DEFAULT, from, to } = query;
      const list = `diff-${node.id}-${from}`;
      // The end of what is compared stays the same for all pages.
      const [after, end] = cursor === undefined ? [undefined, undefined]
        : readCursor(list, cursor, ['number', 'number']);
      const until: When = to !== undefined ? parseWhen(to) : { at: end ?? now() };
      const page = await time.compare(caller, {
        from: parseWhen(from), to: until, path, limit, ...(after !== undefined && { after }),
      });
      const at = 'at' in until ? until.at : 0;
      return {
        body: {
          items: page.entries.flatMap((entry) => differenceOf(entry, { path, id: node.id })),
          ...(page.next !== undefined && { nextCursor: makeCursor(list, page.next, at) }),
        },
      };
    },
  });
}

function bringingBack(api: RestApi, parts: RestParts): void {
  const { time } = parts;
  api.operation({
    id: 'restorePast', tag: TAG, method: 'POST', path: '/restores', scope: 'files:write',
    summary: 'Bring a file, a folder or all files back to a moment',
    description: 'Goes on after the answer, and after a crash. Nothing is lost by it: it can be '
      + 'undone as a whole.',
    body: NewRestore, refusals: [409],
    success: { status: 202, description: 'It is noted, and goes on.', schema: BatchShape },
    async answer({ caller, body: { nodeId, path: pastPath, at, withSharing = false } }) {
      if ((nodeId === undefined) === (pastPath === undefined)) throw nothingToRestore();
      const path = nodeId === undefined ? pathOfText(pastPath ?? '')
        : (await placeOf(parts, caller, nodeId)).path;
      const batch = await time.restore(caller, path, parseWhen(at), { withSharing });
      return { body: batchOf(batch) };
    },
  });
  api.operation({
    id: 'listBatches', tag: TAG, method: 'GET', path: '/batches', scope: 'files:read',
    summary: 'The latest restores of the own space',
    success: { status: 200, description: 'Newest first.', schema: BatchesShape },
    async answer({ caller }) {
      return { body: { items: (await time.listBatches(caller)).map(batchOf) } };
    },
  });
  api.operation({
    id: 'getBatch', tag: TAG, method: 'GET', path: '/batches/{id}', scope: 'files:read',
    summary: 'How far a restore has come',
    params: ById,
    success: { status: 200, description: 'It.', schema: BatchShape },
    async answer({ caller, params }) {
      return { body: batchOf(await time.findBatch(caller, batchIdOf(params.id))) };
    },
  });
  api.operation({
    id: 'undoBatch', tag: TAG, method: 'POST', path: '/batches/{id}/undo', scope: 'files:write',
    summary: 'Take a restore back',
    params: ById, refusals: [409],
    success: { status: 202, description: 'What takes it back.', schema: BatchShape },
    async answer({ caller, params }) {
      return { body: batchOf(await time.undo(caller, batchIdOf(params.id))) };
    },
  });
}

async function pastNode(
  names: NodeView, caller: Caller, { path, node }: { path: readonly string[]; node: SeenNode },
): Promise<Node> {
  const { sight, kind } = node;
  const owner = sight?.isShared === true ? sight.owner : caller.user;
  const isFile = kind === 'file';
  const { read, download } = accessAt(node);
  return {
    id: String(node.id), spaceId: String(node.spaceId), name: path.at(-1) ?? '',
    path: textOfPath(path), kind: isFile ? 'file' : 'folder', sizeBytes: node.sizeBytes,
    modifiedAt: timeText(node.modifiedAt), etag: etagOf(node),
    ...(isFile && { mediaType: mediaTypeOf(node.name), version: String(node.contentRev) }),
    may: {
      read: isFile ? download : read,
      write: false, create: false, delete: false, rename: false, share: false,
    },
    isMount: sight?.isMountRoot === true, isShared: sight?.isShared === true, isFavorite: false,
    ...(owner !== undefined && {
      owner: { id: owner, displayName: await names.nameOf(owner) },
    }),
  };
}

/** A node may be moved and changed at once: that is two differences. */
function differenceOf(
  { nodeId, kind, before, after }: DiffEntry,
  top: { path: readonly Name[]; id: number },
): Difference[] {
  const textOf = (place: NonNullable<DiffEntry['before']>): string => {
    const at = place.ids.findIndex((id) => id === top.id);
    return textOfPath(at < 0 ? [place.name] : [...top.path, ...place.path.slice(at)]);
  };
  const one = { nodeId: String(nodeId), kind: kind === 'file' ? 'file' : 'folder' } as const;
  if (after === undefined) {
    return before === undefined ? [] : [{ ...one, change: 'deleted', path: textOf(before) }];
  }
  const path = textOf(after);
  if (before === undefined) return [{ ...one, change: 'added', path }];
  const isMoved = before.parentId !== after.parentId || before.name !== after.name;
  const isChanged = before.contentRev !== after.contentRev || !isMoved;
  return [
    ...(isMoved ? [{ ...one, change: 'moved' as const, path, oldPath: textOf(before) }] : []),
    ...(isChanged ? [{ ...one, change: 'changed' as const, path }] : []),
  ];
}

function batchOf(batch: BatchRecord) {
  const { id, kind, state, doneCount, skippedCount, at, endedAt } = batch;
  return {
    id: String(id), kind, state, doneCount, skippedCount, at: timeText(at),
    ...(endedAt !== undefined && { endedAt: timeText(endedAt) }),
  };
}

function nothingToRestore(): HoldfastError {
  const message = 'Name what is to be brought back: by nodeId or by path, and not by both.';
  return new HoldfastError('invalid', 'rest/restorePast', message, { code: 'restore-what' });
}

/** @throws not-found: also for what can be none. */
function batchIdOf(text: string): number {
  if (BATCH_ID.test(text)) return Number(text);
  throw new HoldfastError('not-found', 'rest/batchIdOf', 'There is no such restore.');
}

/** @throws invalid. */
function instantOf(text: string): number {
  const when = parseWhen(text);
  if ('at' in when) return when.at;
  throw new HoldfastError('invalid', 'rest/instantOf', 'This must be a moment, not a revision.', {
    code: 'moment',
  });
}
