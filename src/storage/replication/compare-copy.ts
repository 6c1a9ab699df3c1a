import {
  firstFault, hasCommitAt, readHead, startOf, walkCopy, withCopy,
} from './copy-examination.ts';
import type { CopyState } from './copy-table.ts';
import { identify, type KnownVolume } from './copy-volume.ts';
import type { DiskLink } from './disk-link.ts';
import { volumeName } from './file-names.ts';
import type { Pace } from './pace.ts';

export interface Comparison {
  readonly volumeId: number;
  /** The disk that was away. */
  readonly link: DiskLink;
  /** Disks with a good copy. */
  readonly sources: readonly DiskLink[];
  readonly pace: Pace;
  readonly known: KnownVolume;
}

/**
 * Reads a copy that was out of sight, whole, and says what it is worth beside the others. Where
 * there is no other, it is right if it has all that was acknowledged.
 * @throws corrupt, unavailable: nobody can tell for now.
 */
export async function compareCopy(comparison: Comparison): Promise<CopyState> {
  const { volumeId, link, sources, pace, known } = comparison;
  const head = await readHead(link, volumeId);
  const { superblock } = head;
  if (typeof superblock === 'string') return 'damaged';
  const trusted = sources.length === 0 ? [link] : sources;
  // Where a source is damaged, the returned copy may be what is right.
  const identity = await identify({ volumeId, sources: trusted, helpers: [link], known });
  if (!head.superblockBytes.equals(identity.superblockBytes)) return 'differs';
  await pace.take(head.sizeBytes);
  const name = volumeName(volumeId);
  const fault = await withCopy(link, name, (file) => firstFault(file, identity));
  if (fault === undefined) return 'good';
  // Alone it has all that was acknowledged, and can be the source of a whole one.
  if (fault.where !== 'batch') return sources.length === 0 ? 'damaged' : 'stale';
  // As far as it is sound, is it a beginning of the others?
  const stretch = { from: startOf(superblock), end: head.sizeBytes };
  const { position } = await withCopy(link, name, (file) => walkCopy(file, superblock, stretch));
  if (position.end > identity.end) {
    // Longer by what was never acknowledged, or by another history?
    const { end, chain } = identity;
    const same = await withCopy(link, name, (file) =>
      hasCommitAt(file, superblock.seed, { end, chain }));
    return same ? 'stale' : 'differs';
  }
  for (const source of sources) {
    const begins = await withCopy(source, name, (file) =>
      hasCommitAt(file, superblock.seed, position));
    if (begins) return 'stale';
  }
  return sources.length === 0 ? 'damaged' : 'differs';
}
