/** Files and folders: looking at one, changing, copying and deleting it. */
import { Type } from 'typebox';
import { Deleted, NodeChange, NodeCopy, NodeShape } from '../../wire/node.ts';
import { Id, PathText, shape } from '../../wire/shapes.ts';
import { NodeChanges } from './node-changes.ts';
import { NodeView, pathOfText, placeOf } from './node-view.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';

export const TAG = 'nodes';
export const ById = Type.Object({ id: Id }, { additionalProperties: false });
export const IF_MATCH = {
  'If-Match': 'Only if it still has this ETag. Else 412.',
  'Lock-Token': 'Tokens of locks that whoever asks holds.',
};
/** What a change of the tree may be refused with. */
export const CHANGE_REFUSALS = [409, 412, 413, 423, 507] as const;

export function nodesResource(api: RestApi, parts: RestParts): void {
  const { files } = parts;
  const changes = new NodeChanges(parts);
  api.operation({
    id: 'getNodeByPath', tag: TAG, method: 'GET', path: '/nodes/by-path', scope: 'files:read',
    summary: 'The file or folder at a path',
    query: shape({ path: PathText }),
    success: { status: 200, description: 'It.', schema: NodeShape },
    async answer({ caller, query }) {
      const path = pathOfText(query.path);
      const { node } = await files.get(caller, path);
      return withEtag(await new NodeView(parts, caller).one({ path, node }));
    },
  });
  api.operation({
    id: 'getNode', tag: TAG, method: 'GET', path: '/nodes/{id}', scope: 'files:read',
    summary: 'A file or folder by its id',
    description: 'The id stays with it through renames, moves and new content.',
    params: ById,
    success: { status: 200, description: 'It.', schema: NodeShape },
    answer: async ({ caller, params }) => withEtag(
      await new NodeView(parts, caller).one(await placeOf(parts, caller, params.id)),
    ),
  });
  api.operation({
    id: 'changeNode', tag: TAG, method: 'PATCH', path: '/nodes/{id}', scope: 'files:write',
    summary: 'Rename, move, set the time, or mark as a favorite',
    params: ById, body: NodeChange, headers: IF_MATCH, refusals: CHANGE_REFUSALS,
    success: { status: 200, description: 'As it is now.', schema: NodeShape },
    answer: async (request) => withEtag(
      await changes.change(request, request.params.id, request.body),
    ),
  });
  api.operation({
    id: 'deleteNode', tag: TAG, method: 'DELETE', path: '/nodes/{id}', scope: 'files:write',
    summary: 'Move to the trash, with all below it',
    params: ById, headers: IF_MATCH, refusals: CHANGE_REFUSALS,
    success: { status: 200, description: 'It is gone from the tree.', schema: Deleted },
    async answer(request) {
      const trashId = await changes.remove(request, request.params.id);
      return { body: trashId === undefined ? {} : { trashId } };
    },
  });
  api.operation({
    id: 'copyNode', tag: TAG, method: 'POST', path: '/nodes/{id}/copy', scope: 'files:write',
    summary: 'Copy into a folder, with all below it',
    params: ById, body: NodeCopy, headers: IF_MATCH, refusals: CHANGE_REFUSALS,
    success: { status: 201, description: 'The copy.', schema: NodeShape },
    answer: async (request) => withEtag(
      await changes.copy(request, request.params.id, request.body),
    ),
  });
}

export function withEtag<N extends { etag: string }>(
  node: N,
): { body: N; headers: Record<string, string> } {
  return { body: node, headers: { ETag: node.etag } };
}
