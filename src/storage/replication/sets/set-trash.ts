/**
 * What sets have put into the trash of disks, and when it is erased: copies of volumes that are in
 * a set, and parity. Other copies that were replaced are nobody's business here.
 */
import { KEEP_TRASH_MS } from '../../filer/filer-settings.ts';
import type { DiskLink } from '../disk-link.ts';
import { volumeIdOf } from '../file-names.ts';
import { setNumberOf } from './set-names.ts';

/** When it was put there is part of the name. */
const TRASH = /^(?:v\d{8,15}\.1\.hv|e\d{8,15}\.\d{1,2}\.hx)\.bad-(\d{1,16})$/;

export interface TrashOwner {
  readonly volumeIds: ReadonlySet<number>;
  readonly setNumber: number;
}

/** Names of what has been in the trash for long enough, of one set and its volumes. */
export function dueTrash(
  names: readonly string[], { volumeIds, setNumber }: TrashOwner, nowMs: number,
): string[] {
  return names.filter((name) => {
    const since = TRASH.exec(name)?.[1];
    if (since === undefined || nowMs - Number(since) < KEEP_TRASH_MS) return false;
    return volumeIds.has(volumeIdOf(name) ?? 0) || setNumberOf(name) === setNumber;
  });
}

/** Answers how many have gone. A disk may hold them longer, by its own clock: then the next sweep
 *  asks again. */
export async function eraseTrash(link: DiskLink, names: readonly string[]): Promise<number> {
  let erased = 0;
  for (const name of names) {
    await link.call(0, (files) => files.remove(name)).then(
      () => erased++,
      () => undefined, // It is in the way of nobody.
    );
  }
  if (erased > 0) await link.call(0, (files) => files.syncFolder());
  return erased;
}
