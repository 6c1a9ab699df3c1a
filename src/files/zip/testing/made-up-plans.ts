/** For tests: plans of zips whose contents nobody has stored. */
import type { NodeId, SpaceId } from '../../../base/ids.ts';
import type { ByteRange } from '../../download.ts';
import type { ZipPlan } from '../zip-plan.ts';
import type { ZipParts } from '../zip-stream.ts';

const ZEROS = Buffer.alloc(1024 * 1024);
const SOME = {
  spaceId: 1 as SpaceId, nodeId: 1 as NodeId, contentRev: 1, modifiedAt: Date.UTC(2026, 0, 1),
};

export function addFolder(plan: ZipPlan, name: string, parent?: number): number {
  return plan.add({ ...SOME, name, isFolder: true, sizeBytes: 0, parent });
}

export function addFile(
  plan: ZipPlan, { name, sizeBytes, parent }: { name: string; sizeBytes: number; parent?: number },
): number {
  return plan.add({ ...SOME, name, isFolder: false, sizeBytes, parent });
}

/** Every file holds zeros. `crcOf` spares reading them. */
export function contentOfZeros(
  plan: ZipPlan,
  { crcOf = () => undefined }: { crcOf?: (place: number) => number | undefined } = {},
): ZipParts {
  return {
    plan, findCrc: crcOf, noteCrc: () => undefined,
    open: async () => ({
      async *read({ startBytes, endBytes }: ByteRange) {
        for (let at = startBytes; at < endBytes; at += ZEROS.length) {
          yield ZEROS.subarray(0, Math.min(ZEROS.length, endBytes - at));
        }
      },
    }),
  };
}

