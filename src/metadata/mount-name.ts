/** The name of a mount where the wanted one is taken. Pure. */
import { NAME_BYTES_MAX, parseName } from '../base/names.ts';
import type { Name } from '../base/names.ts';

/** Names that are tried before a mount is refused. */
export const MOUNT_NAMES_TRIED_MAX = 1_000;

/** The `attempt`th name, from 1: `name`, `name (2)`, `name (3)` …; for a file the number goes
 *  before the extension, so that the system still knows what it is. Never over NAME_BYTES_MAX. */
export function mountName(wanted: Name, attempt: number, isFile: boolean): Name {
  if (attempt === 1) return wanted;
  const dot = isFile ? wanted.lastIndexOf('.') : -1;
  const extension = dot > 0 ? wanted.slice(dot) : '';
  const tail = ` (${attempt})${extension}`;
  const tailBytes = Buffer.byteLength(tail);
  // An extension that fills the whole name is none: then the number goes to the end.
  if (tailBytes >= NAME_BYTES_MAX) return mountName(wanted, attempt, false);
  const stem = dot > 0 ? wanted.slice(0, dot) : wanted;
  return parseName(cutToBytes(stem, NAME_BYTES_MAX - tailBytes) + tail);
}

/** As much of a text as fits, by whole characters. */
function cutToBytes(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text;
  let cut = '';
  let cutBytes = 0;
  for (const character of text) {
    cutBytes += Buffer.byteLength(character);
    if (cutBytes > bytesMax) break;
    cut += character;
  }
  return cut;
}
