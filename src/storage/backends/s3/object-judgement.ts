/** Whether an object is the block, from what its service tells without the bytes. Pure. */
import type { BlockId } from '../../../base/ids.ts';
import { BLOCK_BYTES_MAX } from '../../block.ts';
import { SEALED_BYTES_MAX } from '../../sealing/sealed-object.ts';
import { readLabel, type BlockLabel, type ServiceChecksum } from './block-label.ts';
import type { Dialect } from './dialect.ts';
import type { SealedAs } from './object-body.ts';
import type { ObjectFacts } from './s3-client.ts';

export interface Judgement {
  /** `unknown`: only the bytes can tell. */
  readonly verdict: 'right' | 'wrong' | 'unknown';
  /** Of the block, if it is right. */
  readonly blockBytes: number;
  /** 0: the block is not encrypted. */
  readonly keyId: number;
}

export interface JudgedBy {
  readonly checksum: ServiceChecksum;
  readonly refutes: Dialect['refutes'];
  /** Sealed blocks may lie in this store. */
  readonly maySeal: boolean;
}

export function judge(id: BlockId, facts: ObjectFacts, by: JudgedBy): Judgement {
  const label = readLabel(id, facts.label);
  const { blockBytes, keyId }: SealedAs =
    label?.sealed ?? { blockBytes: facts.sizeBytes, keyId: 0 };
  return { verdict: verdictOn(id, facts, { label, by }), blockBytes, keyId };
}

function verdictOn(
  id: BlockId, { sizeBytes, told }: ObjectFacts,
  { label, by }: { label: BlockLabel | undefined; by: JudgedBy },
): Judgement['verdict'] {
  const { checksum, refutes, maySeal } = by;
  if (sizeBytes < 1 || sizeBytes > (maySeal ? SEALED_BYTES_MAX : BLOCK_BYTES_MAX)) return 'wrong';
  if (checksum === 'none') return 'unknown';
  if (label !== undefined && label.sizeBytes !== sizeBytes) return 'wrong';
  if (label?.sealed === undefined && checksum === 'sha256' && told.sha256 !== undefined) {
    if (told.sha256 === id) return 'right';
    return maySeal ? 'unknown' : 'wrong'; // Its label may be lost.
  }
  const { expected } = label ?? {};
  const found = expected === undefined ? undefined : told[expected.checksum];
  if (expected === undefined || found === undefined) return 'unknown';
  if (found === expected.hex) return 'right';
  return expected.checksum === 'sha256' || refutes[expected.checksum] ? 'wrong' : 'unknown';
}
