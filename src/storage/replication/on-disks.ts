import type { VolumeFiles } from '../backends/local/volume-files.ts';
import type { DiskLink } from './disk-link.ts';
import { systemError } from './replicated-file.ts';

/** The same on several disks. Enough if one succeeds: a disk that does not answer is left out.
 *  @throws what the last of them said, when none does. */
export async function onSome(
  links: readonly DiskLink[],
  act: (files: VolumeFiles, link: DiskLink) => Promise<void>,
): Promise<void> {
  let failure: unknown = systemError('ENODEV');
  let done = 0;
  await Promise.all(links.map(async (link) => {
    try {
      await link.call(0, (files) => act(files, link));
      done++;
    } catch (error) {
      failure = error;
    }
  }));
  if (done === 0) throw failure;
}

/** All are tried; rejects if any has failed. */
export async function onEach(
  links: readonly DiskLink[], act: (link: DiskLink) => Promise<void>,
): Promise<void> {
  const outcomes = await Promise.allSettled(links.map(act));
  const failed = outcomes.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason as Error;
}
