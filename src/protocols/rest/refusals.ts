/** Refusals that several resources have in common. */
import { HoldfastError } from '../../base/errors.ts';

export function isFolder(): HoldfastError {
  const message = 'This is a folder, not a file.';
  return new HoldfastError('conflict', 'rest/content', message, { code: 'is-folder' });
}
