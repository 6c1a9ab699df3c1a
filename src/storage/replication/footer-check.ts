import { decodeTrailer, readFooter } from '../backends/local/footer-codec.ts';
import { withCopy } from './copy-examination.ts';
import type { VolumeCopies } from './copy-table.ts';
import type { DiskLink } from './disk-link.ts';
import { volumeName } from './file-names.ts';
import type { Pace } from './pace.ts';

/** Reads the footer of one copy, whole. True also when there is nothing to be checked any more;
 *  undefined: the disk does not answer at the moment. */
export async function isFooterSound(
  copies: VolumeCopies,
  link: DiskLink,
  pace: Pace,
): Promise<boolean | undefined> {
  const { trailerBytes, volumeId } = copies;
  const trailer = trailerBytes && decodeTrailer(trailerBytes, volumeId);
  if (trailer === undefined || !copies.isGood(link.id)) return true;
  if (!link.inUse || link.silentSinceMs !== undefined) return undefined;
  await pace.take(trailer.bodyBytes);
  try {
    return await withCopy(link, volumeName(volumeId), (file) =>
      readFooter(file, trailer, () => undefined));
  } catch {
    // A place that cannot be read is as bad as one that is wrong.
    return link.silentSinceMs === undefined ? false : undefined;
  }
}
