/** Leaving a file where nothing may be overwritten: it takes a free name. */
import { HoldfastError, isKind } from '../../base/errors.ts';
import { NAME_BYTES_MAX, parseName } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import type { Caller } from '../../identity/index.ts';
import type { BodySource } from '../body.ts';
import { nameTaken, notFound } from '../deal.ts';
import type { UploadOptions } from '../deal.ts';
import type { FileService } from '../file-service.ts';
import type { Written } from '../found.ts';

/** Names that are tried before one is told that there are too many of them. */
const NAMES_MAX = 1000;

/** Stores a file under the last name of the path or, if that is taken, `name (2).txt` and so on.
 *  @throws as FileService.upload; conflict `name-clash`: too many of that name; precondition: two
 *  were left under one name at the same moment, and this one was not stored. */
export async function leaveFile(
  files: FileService, caller: Caller,
  { path, body, options = {} }: {
    path: readonly Name[]; body: BodySource; options?: UploadOptions;
  },
): Promise<Written> {
  const name = path.at(-1);
  if (name === undefined) throw notFound('leaveFile');
  const folder = path.slice(0, -1);
  for (let n = 1; n <= NAMES_MAX; n += 1) {
    const tried = [...folder, n === 1 ? name : numbered(name, n)];
    if (await isFree(files, caller, tried)) {
      return files.upload(caller, tried, body, { ...options, condition: mustBeAbsent });
    }
  }
  throw nameTaken('leaveFile');
}

function mustBeAbsent(current: unknown): void {
  if (current === undefined) return;
  const message = 'Something else was stored under this name at the same moment. Send it again.';
  throw new HoldfastError('precondition', 'files/leaveFile', message, { code: 'changed' });
}

async function isFree(
  files: FileService, caller: Caller, path: readonly Name[],
): Promise<boolean> {
  if (await files.find(caller, path) !== undefined) return false;
  try {
    await files.aim(caller, path, {});
    return true;
  } catch (error) {
    // What is there may be hidden from whoever leaves a file.
    if (isKind(error, 'conflict') && error.code === 'name-clash') return false;
    throw error;
  }
}

/** The number goes before the ending. A name that grows too long loses some of its own letters. */
function numbered(name: Name, n: number): Name {
  const dot = name.lastIndexOf('.');
  const at = dot > 0 && name.length - dot <= 16 ? dot : name.length;
  const end = ` (${n})${name.slice(at)}`;
  let start = name.slice(0, at);
  while (Buffer.byteLength(start + end) > NAME_BYTES_MAX) start = [...start].slice(0, -1).join('');
  return parseName(start + end);
}
