/** Which disk has which files: what is read of all disks before anything is judged. */
import { HoldfastError, isKind } from '../../base/errors.ts';
import { parseGoneName } from '../backends/local/volume.ts';
import { errorCode } from '../backends/local/volume-files.ts';
import { readSmall } from './checked-json.ts';
import { readHead, type CopyHead } from './copy-examination.ts';
import { decodeCopyList, type CopyList } from './copy-list.ts';
import type { DiskLink } from './disk-link.ts';
import { copyListName, parseVolumeName } from './file-names.ts';

const OP = 'storage/ReplicatedVolumeFiles.open';

export interface SurveyedVolume {
  readonly volumeId: number;
  readonly heads: CopyHead[];
  /** Disks that have the file and do not let it be read. */
  readonly unreadable: DiskLink[];
  /** The newest that was found. */
  list: CopyList | undefined;
}

export interface Survey {
  readonly volumes: Map<number, SurveyedVolume>;
  /** Volumes about which a note says, on some disk, that they have left. */
  readonly gone: Set<number>;
  /** Disks that have told what they hold. */
  readonly answered: DiskLink[];
  /** Disks that may hold something, and do not answer. */
  readonly silent: DiskLink[];
}

/** A disk that does not answer is left out; it is an error only when none does. */
export async function surveyDisks(links: readonly DiskLink[]): Promise<Survey> {
  const survey: Survey = { volumes: new Map(), gone: new Set(), answered: [], silent: [] };
  let failure: unknown;
  const asked = links.filter(({ state }) => state !== 'retired');
  await Promise.all(asked.map(async (link) => {
    try {
      await surveyDisk(link, survey);
      survey.answered.push(link);
    } catch (error) {
      // A filer that is out of reach says so with an error of ours: it is one disk that is silent.
      if (error instanceof HoldfastError && !isKind(error, 'unavailable')) throw error;
      failure = error;
      link.noteSilence();
      survey.silent.push(link);
    }
  }));
  if (survey.answered.length === 0 && asked.length > 0) {
    const message = 'None of the disks with the stored files can be read. Check them, start again.';
    const facts = { code: errorCode(failure) };
    throw new HoldfastError('unavailable', OP, message, { facts, cause: failure });
  }
  for (const volume of survey.volumes.values()) sortHeads(volume, links);
  return survey;
}

async function surveyDisk(link: DiskLink, survey: Survey): Promise<void> {
  const names = await link.call(0, (files) => files.list());
  const there = new Set(names);
  for (const volumeId of names.map(parseGoneName)) {
    if (volumeId !== undefined) survey.gone.add(volumeId);
  }
  for (const volumeId of names.map(parseVolumeName)) {
    if (volumeId === undefined) continue;
    const known = survey.volumes.get(volumeId);
    const volume = known ?? { volumeId, heads: [], unreadable: [], list: undefined };
    survey.volumes.set(volumeId, volume);
    try {
      volume.heads.push(await readHead(link, volumeId));
    } catch (error) {
      if (link.silentSinceMs !== undefined) throw error;
      volume.unreadable.push(link);
    }
    if (!there.has(copyListName(volumeId))) continue;
    const list = await readList(link, volumeId);
    if ((list?.generation ?? 0) > (volume.list?.generation ?? 0)) volume.list = list;
  }
}

async function readList(link: DiskLink, volumeId: number): Promise<CopyList | undefined> {
  try {
    const bytes = await link.call(0, (files) => readSmall(files, copyListName(volumeId)));
    return bytes === undefined ? undefined : decodeCopyList(bytes, volumeId);
  } catch (error) {
    if (link.silentSinceMs !== undefined) throw error;
    return undefined; // Another copy's list says the same.
  }
}

/** The disks answered in any order; the judgement must not depend on it. */
function sortHeads(volume: SurveyedVolume, links: readonly DiskLink[]): void {
  volume.heads.sort((a, b) => links.indexOf(a.link) - links.indexOf(b.link));
  volume.unreadable.sort((a, b) => links.indexOf(a) - links.indexOf(b));
}
