import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import { batchResource } from './batch.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';

describe('A batch', () => {
  it('whose client leaves half way tells what was done, and does not do the rest', async () => {
    const leaving = new AbortController();
    const asked: number[] = [];
    const trash = {
      async restore(_: unknown, { nodeId }: { nodeId: number }): Promise<never> {
        asked.push(nodeId);
        leaving.abort(new HoldfastError('unavailable', 'test', 'The client left.'));
        throw new HoldfastError('not-found', 'test', 'It is not there.');
      },
    };
    let run: ((request: object) => Promise<{ body: { results: { status: number }[] } }>)
      | undefined;
    const api = {
      operation({ answer }: { answer: NonNullable<typeof run> }): void {
        run = answer;
      },
    };
    batchResource(api as unknown as RestApi, { trash } as unknown as RestParts);
    const operations = ['1-1-1', '1-2-1', '1-3-1'].map((id) => ({ op: 'restore-trash', id }));
    const answer = await run?.({
      caller: {}, body: { operations },
      exchange: { signal: leaving.signal, req: { headers: {} }, requestId: 'r' },
    });
    // As an answer it is kept under the key of the request: an error would let it be done again.
    assert.deepEqual(answer?.body.results.map(({ status }) => status), [404, 503, 503]);
    assert.deepEqual(asked, [1]);
  });
});
