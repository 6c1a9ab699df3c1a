/** What `holdfast durability` asks the stores: how much there is, and on which disks. */
import type { Operations } from '../operations/index.ts';
import type { DiskOverview, ReplicationPolicy, SetKind } from '../storage/index.ts';
import type { BlockHome } from './block-home.ts';

export interface Figures {
  readonly blockCount: number;
  readonly storedBytes: number;
  /** Of a server with one disk. */
  readonly space?: { readonly totalBytes: number };
  readonly policy?: ReplicationPolicy;
  readonly disks?: readonly DiskOverview[];
  readonly erasure?: readonly SetKind[];
}

export function figureOperations(
  stores: Pick<BlockHome, 'blocks' | 'fleet' | 'opened'>,
): Operations {
  return {
    'store.figures': async () => {
      const { blockCount, storedBytes } = stores.blocks.state();
      if (stores.opened === undefined) {
        const space = await stores.fleet.ownSpace();
        return plain({ blockCount, storedBytes, space });
      }
      const { policy, disks, sets } = stores.opened;
      return plain({
        blockCount, storedBytes, policy, disks: await disks.list(), erasure: sets.kinds(),
      });
    },
  };
}

function plain(value: object) {
  return JSON.parse(JSON.stringify(value)) as Awaited<ReturnType<Operations[string]>>;
}
