import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NodeId, SpaceId, UserId } from '../../../base/ids.ts';
import type { Name } from '../../../base/names.ts';
import { packBatch, packOutcomes, unpackBatch, unpackOutcomes } from './batch-message.ts';
import type { Outcome, WriterChange } from './messages.ts';

const spaceId = 1 as SpaceId;
const ACTOR = fc.record({
  user: fc.string().map((text) => text as UserId), device: fc.string({ unit: 'binary' }),
  at: fc.integer(), lockTokens: fc.array(fc.string(), { maxLength: 2 }),
}, { noNullPrototype: true });
const NAME = fc.string({ unit: 'binary' }).map((text) => text as Name);
const PUT = fc.record({
  name: NAME, actor: ACTOR, manifest: fc.uint8Array({ maxLength: 300 }), sizeBytes: fc.nat(),
}).map(({ name, actor, manifest, sizeBytes }): WriterChange => ({
  op: 'put-file', spaceId, parentId: 2 as NodeId, name, modifiedAt: -5, actor,
  content: { sizeBytes, manifest, checksums: '' }, witness: [[7, sizeBytes]],
}));
const DELETE = ACTOR.map((actor): WriterChange =>
  ({ op: 'delete', spaceId, nodeId: 3 as NodeId, actor }));
const COPY = ACTOR.map((actor): WriterChange => ({
  op: 'copy', spaceId, nodeId: 3 as NodeId, toParentId: 2 as NodeId, toName: 'n' as Name,
  depth: '0', replace: false, actor,
}));
const PART = fc.uint8Array({ maxLength: 9 }).map((manifest): WriterChange => ({
  op: 'put-part', owner: 'o' as UserId, uploadId: 'u', number: 1, name: 'p', sizeBytes: 1,
  manifest, expiresAt: 9,
}));

/** As the other thread gets it. */
function travelled(changes: WriterChange[]): WriterChange[] {
  const message = structuredClone(packBatch(changes));
  assert.ok(message.kind !== 'close');
  return message.kind === 'batch' ? message.changes : unpackBatch(message);
}

const asPlain = (changes: WriterChange[]): unknown => changes.map((change) =>
  (change.op === 'put-file'
    ? { ...change, content: { ...change.content, manifest: [...change.content.manifest] } }
    : change));

describe('Messages to the writer thread', () => {
  it('bring every change over as it was, whatever else is in its batch', () => {
    const changes = fc.array(fc.oneof(PUT, DELETE, COPY, PART), { maxLength: 12 });
    fc.assert(fc.property(changes, (batch) => {
      assert.deepEqual(asPlain(travelled(batch)), asPlain(batch));
    }));
  });

  it('carry everyday batches as text, and nothing that text could not say', () => {
    const [put, part] = [...fc.sample(PUT, 1), ...fc.sample(PART, 1)];
    assert.ok(put !== undefined && part !== undefined);
    assert.equal(packBatch([put, put]).kind, 'packed-batch');
    assert.equal(packBatch([put, part]).kind, 'batch');
    const done: Outcome = { result: { node: undefined, created: true, rev: 4, count: 0 } };
    const text = packOutcomes([put], [done]);
    assert.deepEqual(unpackOutcomes(text ?? ''), [{ result: { created: true, rev: 4, count: 0 } }]);
    assert.equal(packOutcomes([put], [{ ticket: 5 }]), undefined);
    assert.equal(packOutcomes([part], [done]), undefined);
  });
});
