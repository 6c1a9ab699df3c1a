/** Many small changes by one request, each for itself. */
import type { Static } from 'typebox';
import type { OperationShape } from '../../wire/history.ts';
import { Operations, ResultsShape } from '../../wire/history.ts';
import type { Node } from '../../wire/node.ts';
import type { Problem } from '../../wire/shapes.ts';
import { NodeChanges } from './node-changes.ts';
import type { NodeRequest } from './node-deals.ts';
import { TAG } from './nodes.ts';
import type { RestApi } from './operation.ts';
import { faultOf, noteFault, problemOf } from './problem.ts';
import type { RestParts } from './rest-parts.ts';
import { restoreTrashed } from './trash.ts';

interface Result {
  status: number;
  node?: Node;
  trashId?: string;
  problem?: Problem;
}

export function batchResource(api: RestApi, parts: RestParts): void {
  const changes = new NodeChanges(parts);
  api.operation({
    id: 'runBatch', tag: TAG, method: 'POST', path: '/batch', scope: 'files:write',
    summary: 'Move, copy, delete, make folders, and bring back, many at once',
    description: 'One after the other, in their order, each for itself: one that is refused keeps '
      + 'none of the others from being done.',
    body: Operations, refusals: [413],
    success: { status: 200, description: 'What became of each.', schema: ResultsShape },
    async answer(request) {
      const { exchange, caller, body } = request;
      const plain: NodeRequest = { exchange, caller };
      const results: Result[] = [];
      for (const operation of body.operations) {
        try {
          // Whoever is gone must not have the rest done without knowing. What was done stays told:
          // a refusal of the whole would let the same key do it twice.
          exchange.signal.throwIfAborted();
          results.push(await run({ changes, parts }, plain, operation));
        } catch (error) {
          const fault = faultOf(error);
          noteFault(exchange, fault, error);
          const problem = problemOf(fault, exchange.requestId);
          results.push({ status: problem.status, problem });
        }
      }
      return { body: { results } };
    },
  });
}

async function run(
  { changes, parts }: { changes: NodeChanges; parts: RestParts }, request: NodeRequest,
  operation: Static<typeof OperationShape>,
): Promise<Result> {
  switch (operation.op) {
    case 'move': {
      const { op: _, id, ...wanted } = operation;
      return { status: 200, node: await changes.change(request, id, wanted) };
    }
    case 'copy':
      return { status: 201, node: await changes.copy(request, operation.id, operation) };
    case 'delete': {
      const trashId = await changes.remove(request, operation.id);
      return { status: 200, ...(trashId !== undefined && { trashId }) };
    }
    case 'create-folder':
      return {
        status: 201, node: await changes.makeFolder(request, operation.parentId, operation),
      };
    case 'restore-trash':
      return { status: 200, node: await restoreTrashed(parts, request, operation.id) };
  }
}
