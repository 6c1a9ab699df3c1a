/** One file to its folder, under its name or, where both are to be kept, under a free one. */
import { Problem, isStatus } from '../api/http.ts';
import { nodeByPath } from '../api/nodes.ts';
import type { FileNode } from '../api/shapes.ts';
import { t } from '../texts/texts.ts';
import { numberedName } from './upload-item.ts';
import type { UploadItem } from './upload-item.ts';
import type { Place } from './upload-folders.ts';
import { sendResumably } from './resumable-upload.ts';
import { sendWhole } from './whole-upload.ts';
import type { SendOptions } from './whole-upload.ts';

const NAMES_TRIED_MAX = 200;
/** From here on it is worth a question whether the name is free before the bytes are sent. */
const ASKED_BEFORE_BYTES = 256 * 1024;
/** Smaller ones are quicker sent again than gone on with. */
const RESUMABLE_BYTES_MIN = 8 * 1024 * 1024;

export interface SendFileOptions extends SendOptions {
  readonly onResumable: (resumeUrl: string | undefined) => void;
}

/** @throws Problem 412 or 409: the name is taken, and nobody has said what to do about it. */
export async function sendFile(
  item: UploadItem & { readonly file: File }, folder: Place, options: SendFileOptions,
): Promise<FileNode> {
  const { file, modifiedMs, choice, sizeBytes } = item;
  const name = choice === 'keep-both' ? await freeName(item.name, folder, options.signal)
    : item.name;
  if (choice === undefined && sizeBytes > ASKED_BEFORE_BYTES) {
    if (await isTaken(name, folder, options.signal)) {
      throw taken(412);
    }
  }
  const mayReplace = choice === 'replace';
  const upload = { parentId: folder.id, name, file, modifiedMs, mayReplace };
  if (sizeBytes < RESUMABLE_BYTES_MIN) return sendWhole(upload, options);
  // What was begun under another name is of no use for this one.
  const resumeUrl = choice === 'keep-both' ? undefined : item.resumeUrl;
  return sendResumably({ ...upload, folderPath: folder.path, resumeUrl }, options);
}

async function freeName(name: string, folder: Place, signal: AbortSignal): Promise<string> {
  for (let number = 2; number < NAMES_TRIED_MAX; number += 1) {
    const candidate = numberedName(name, number);
    if (!await isTaken(candidate, folder, signal)) return candidate;
  }
  throw taken(409);
}

function taken(status: number): Problem {
  return new Problem(status, { code: 'exists', detail: t('uploads.exists') }, null);
}

async function isTaken(name: string, folder: Place, signal: AbortSignal): Promise<boolean> {
  try {
    await nodeByPath(`${folder.path === '/' ? '' : folder.path}/${name}`, signal);
    return true;
  } catch (error) {
    if (isStatus(error, 404)) return false;
    throw error;
  }
}
