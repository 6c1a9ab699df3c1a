/** Where the copies of each volume belong, for somebody who only looks at the disks. */
import type { VolumeFile } from '../backends/local/volume-files.ts';
import { readSmall } from './checked-json.ts';
import { decodeCopyList } from './copy-list.ts';
import type { CopyList } from './copy-list.ts';
import { copyListName, parseVolumeName, volumeName } from './file-names.ts';

export interface LookedAtFiles {
  list(): Promise<string[]>;
  open(name: string, how: 'read'): Promise<Pick<VolumeFile, 'size' | 'read' | 'close'>>;
}

/** By the names of volumes, the ids of the disks. Of a volume's lists the newest one counts; a
 *  volume without a sound list is left out. @throws as `files` do. */
export async function readCopyPlaces(
  disks: readonly { files: LookedAtFiles }[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const newest = new Map<number, CopyList>();
  for (const { files } of disks) {
    for (const name of await files.list()) {
      const volumeId = parseVolumeName(name);
      if (volumeId === undefined) continue;
      const bytes = await readSmall(files, copyListName(volumeId));
      const list = bytes && decodeCopyList(bytes, volumeId);
      if (list === undefined) continue;
      if (list.generation > (newest.get(volumeId)?.generation ?? 0)) newest.set(volumeId, list);
    }
  }
  return new Map([...newest].map(([id, { diskIds }]) => [volumeName(id), diskIds]));
}
