/** Files from blocks. */
import { Type } from 'typebox';
import { Id, Instant, shape } from './shapes.ts';

/** As many as fit into one request. */
const ASKED_MAX = 1000;
const COMMITTED_MAX = 10_000;
const BASES_MAX = 16;
const BLOCK_BYTES_MAX = 4 * 1024 * 1024;

const Sha256 = Type.String({
  pattern: '^[0-9a-f]{64}$', maxLength: 64, description: 'SHA-256 in lower-case hexadecimal.',
});
const BASES = {
  baseIds: Type.Optional(Type.Array(Id, {
    maxItems: BASES_MAX, description: 'Files that are likely to hold some of the blocks.',
  })),
};

export const BlockAddress = shape({ sha256: Sha256 });

export const BlocksAsked = shape({
  blocks: Type.Array(Sha256, { maxItems: ASKED_MAX }), ...BASES,
}, { $id: 'BlocksAsked' });

export const BlocksKnown = shape({
  have: Type.Array(Type.Boolean()),
}, { $id: 'BlocksKnown' });

export const BlocksCommit = shape({
  blocks: Type.Array(shape({
    id: Sha256, sizeBytes: Type.Integer({ minimum: 1, maximum: BLOCK_BYTES_MAX }),
  }), { maxItems: COMMITTED_MAX }),
  ...BASES,
  modifiedAt: Type.Optional(Instant),
}, { $id: 'BlocksCommit' });
