import { HoldfastError } from '../../base/errors.ts';

/** Bytes that are no message of ours: the connection they came on is of no use any more. */
export function badFrame(what: string): HoldfastError {
  const message = `The other side of a filer connection sent something else: ${what}.`;
  return new HoldfastError('invalid', 'storage/filer', message, { code: 'bad-frame' });
}
