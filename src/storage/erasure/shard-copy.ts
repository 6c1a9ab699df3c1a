import type { FileCopy } from '../backends/local/volume-files.ts';
import type { ErasureSet } from './erasure-set.ts';

/**
 * A volume of the set as one more copy of its file, for a reader whose own copy is missing or
 * wrong. Each read checks, or computes, whole chunks of 1 MiB: right for the rare case, slow for
 * the usual one. Errors as of ErasureSet.readChunk. The set must stay open.
 */
export function shardCopy(
  set: ErasureSet, shard: number, onDamage: (position: number, lengthBytes: number) => void,
): FileCopy {
  return {
    async read(into, position) {
      const bytes = await set.read(shard, position, into.length);
      into.set(bytes);
      return bytes.length;
    },
    reportDamage: onDamage,
  };
}
