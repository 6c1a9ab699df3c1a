/** Files from blocks: only what the server lacks is sent. */
import { Type } from 'typebox';
import { parseBlockId } from '../../base/ids.ts';
import type { NodeId } from '../../base/ids.ts';
import { parseName } from '../../base/names.ts';
import { COMMIT_BLOCKS_MAX } from '../../files/index.ts';
import {
  BlockAddress, BlocksAsked, BlocksCommit, BlocksKnown,
} from '../../wire/blocks.ts';
import { NodeShape } from '../../wire/node.ts';
import { Id, NameText } from '../../wire/shapes.ts';
import { bodySource } from '../request-body.ts';
import { preconditionsOf } from '../webdav/conditions.ts';
import { checkFolder, timeOf } from './node-changes.ts';
import { dealOfRequest } from './node-deals.ts';
import { nodeIdOf, NodeView, placeOf } from './node-view.ts';
import { CHANGE_REFUSALS, IF_MATCH, withEtag } from './nodes.ts';
import type { RestApi } from './operation.ts';
import { checkScope } from './rest-auth.ts';
import type { Asking, RestParts } from './rest-parts.ts';

const TAG = 'uploads';

export function blocksResource(api: RestApi, parts: RestParts): void {
  const { blocks } = parts;
  if (blocks === undefined) return;
  api.operation({
    id: 'askForBlocks', tag: TAG, method: 'POST', path: '/blocks/have', scope: 'files:write',
    summary: 'Which blocks need not be sent',
    description: 'Of those that lie in files that are named here and may be read, for which a '
      + 'token needs files:read too, and of those that whoever asks has sent within a day. '
      + 'Nothing is told of what others have.',
    body: BlocksAsked,
    success: { status: 200, description: 'In the order of the question.', schema: BlocksKnown },
    async answer(request) {
      const { blocks: ids, baseIds = [] } = request.body;
      const bases = basesOf(request, baseIds);
      const have = await blocks.have(request.caller, ids.map(parseBlockId), bases);
      return { body: { have } };
    },
  });
  api.operation({
    id: 'sendBlock', tag: TAG, method: 'PUT', path: '/blocks/{sha256}', scope: 'files:write',
    summary: 'Send a block, named by the SHA-256 of its bytes', params: BlockAddress,
    takesBytes: true, refusals: [413, 507],
    success: { status: 204, description: 'It is stored, and counts for a day.' },
    async answer({ caller, exchange, params }) {
      const id = parseBlockId(params.sha256);
      await blocks.put(caller, id, bodySource(exchange.req), exchange.signal);
      return {};
    },
  });
  api.operation({
    id: 'commitBlocks', tag: TAG, method: 'POST', path: '/nodes/{id}/children/{name}/commit',
    scope: 'files:write', summary: 'Make a file of blocks',
    description: `At most ${COMMIT_BLOCKS_MAX} blocks. One that is missing refuses all, with the `
      + 'code block-missing: nothing becomes visible then.',
    params: Type.Object({ id: Id, name: NameText }, { additionalProperties: false }),
    body: BlocksCommit, headers: IF_MATCH, refusals: CHANGE_REFUSALS,
    success: {
      status: 201, also: [200], description: 'The file. 200: one was there.', schema: NodeShape,
    },
    async answer(request) {
      const { caller, exchange, params, body } = request;
      const { blocks: refs, baseIds = [], modifiedAt } = body;
      const bases = basesOf(request, baseIds);
      const parent = await placeOf(parts, caller, params.id);
      checkFolder(parent.node);
      const path = [...parent.path, parseName(params.name)];
      const condition = preconditionsOf(exchange.req.headers);
      const { node, created } = await blocks.commit(caller, path, {
        ...dealOfRequest(request), intoFolder: parent.node.id,
        ...(condition !== undefined && { condition }),
        ...(modifiedAt !== undefined && { modifiedAt: timeOf(modifiedAt) }),
        bases,
        blocks: refs.map(({ id, sizeBytes }) => ({ id: parseBlockId(id), sizeBytes })),
      });
      const shown = await new NodeView(parts, caller).one({ path, node });
      return { ...withEtag(shown), status: created ? 201 : 200 };
    },
  });
}

/** Files whose blocks count as known. That tells what is in them. @throws denied `scope`. */
function basesOf(asking: Asking, ids: readonly string[]): NodeId[] {
  if (ids.length > 0) checkScope(asking, { scope: 'files:read' });
  return ids.map(nodeIdOf);
}
