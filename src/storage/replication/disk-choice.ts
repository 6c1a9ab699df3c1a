import type { DiskLink } from './disk-link.ts';
import { place, type Placement, type PlacementDisk } from './placement.ts';
import type { ReplicationPolicy } from './volume-disk.ts';

/** Disks that have just refused to make a file. */
export type Failing = Map<DiskLink, 'failing' | 'full'>;

export interface ChoiceParts {
  /** Grows when a disk is added. */
  readonly links: readonly DiskLink[];
  readonly policy: ReplicationPolicy;
  readonly roomBytes: number;
}

/** Which disks take copies at the moment. */
export class DiskChoice {
  readonly #parts: ChoiceParts;

  constructor(parts: ChoiceParts) {
    this.#parts = parts;
  }

  /** Where the copies of a new volume would go now: on N disks, or on as many as take copies, but
   *  on W at least. Those that have refused again and again are asked only where W need them. */
  async placeNew(volumeId: number, avoid: Failing = new Map()): Promise<Placement> {
    const { policy: { copies, acksMin, domain }, roomBytes } = this.#parts;
    const disks = await this.disksNow(avoid);
    const request = { volumeId, copies, copiesMin: acksMin, domain, roomBytes };
    const placement = place({ ...request, disks });
    if (placement.placed || !disks.some(({ refuses }) => refuses)) return placement;
    return place({ ...request, disks: disks.map((disk) => ({ ...disk, refuses: false })) });
  }

  /** The disks as placement wants to see them. */
  async disksNow(avoid: Failing = new Map()): Promise<PlacementDisk[]> {
    const links = this.#parts.links.filter(({ state }) => state !== 'retired');
    return Promise.all(links.map(async (link) => {
      const { id, labels, state, inUse, isResting: refuses } = link;
      const fails = avoid.get(link);
      const answers = inUse && link.silentSinceMs === undefined && fails !== 'failing';
      const space = answers && fails !== 'full' ? await link.space() : undefined;
      return { id, labels, state, answers, refuses, freeBytes: space?.freeBytes ?? 0 };
    }));
  }
}
