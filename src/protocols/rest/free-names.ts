/** Doing something under a name that may be taken. */
import { HoldfastError, isKind } from '../../base/errors.ts';
import { parseName } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';

export type OnConflict = 'fail' | 'rename';

const NAMES_TRIED_MAX = 200;
const NAME_BYTES_MAX = 255;

/** `report.txt` becomes `report (2).txt`; cut where it would be too long. */
export function numberedName(name: string, number: number): Name {
  const dot = name.lastIndexOf('.');
  const ending = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : '';
  const mark = ` (${number})${ending}`;
  const room = NAME_BYTES_MAX - Buffer.byteLength(mark);
  const stem = [...name.slice(0, name.length - ending.length)];
  while (Buffer.byteLength(stem.join('')) > room) stem.pop();
  return parseName(`${stem.join('')}${mark}`);
}

/**
 * Tries `act` under this name, and if others are allowed under numbered ones.
 * @throws exists, or conflict `name-clash`: the name is taken; conflict `no-free-name`; as `act`.
 */
export async function underFreeName<T>(
  name: Name, onConflict: OnConflict, act: (name: Name) => Promise<T>,
): Promise<T> {
  for (let number = 1; number <= NAMES_TRIED_MAX; number += 1) {
    try {
      return await act(number === 1 ? name : numberedName(name, number));
    } catch (error) {
      const isTaken = isKind(error, 'exists')
        || (isKind(error, 'conflict') && error.code === 'name-clash');
      if (!isTaken || onConflict === 'fail') throw error;
    }
  }
  const message = 'All names like this one are taken. Choose another one.';
  throw new HoldfastError('conflict', 'rest/underFreeName', message, { code: 'no-free-name' });
}

export function nameTaken(): HoldfastError {
  const message = 'Something is already there under this name. Choose another one.';
  return new HoldfastError('exists', 'rest/underFreeName', message);
}
