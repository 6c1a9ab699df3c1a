/** A shard in the making: it gets its name only once it is durable and proven. */
import { errorCode } from '../backends/local/volume-files.ts';
import type { VolumeFile } from '../backends/local/volume-files.ts';
import { closeAll } from './shard-place.ts';
import type { ShardPlace } from './shard-place.ts';

export function draftOf({ files, name }: ShardPlace): ShardPlace {
  return { files, name: `${name}.new` };
}

/** Creates the draft; a leftover of an earlier attempt goes. */
export async function createDraft(place: ShardPlace): Promise<VolumeFile> {
  const { files, name } = draftOf(place);
  try {
    return await files.open(name, 'create');
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    await files.remove(name);
    return await files.open(name, 'create');
  }
}

/** Makes what was written durable, under the draft's name. */
export async function finishDraft(file: VolumeFile): Promise<void> {
  await file.sync();
  await file.close();
}

/** Gives the draft its name, durably. */
export async function publishDraft(place: ShardPlace): Promise<void> {
  await place.files.rename(draftOf(place).name, place.name);
  await place.files.syncFolder();
}

/** After a failure. A draft that cannot be removed now goes at the next attempt. */
export async function discardDrafts(
  places: readonly ShardPlace[], files: readonly (VolumeFile | undefined)[],
): Promise<void> {
  await closeAll(files);
  await Promise.allSettled(places.map((place) => place.files.remove(draftOf(place).name)));
}
