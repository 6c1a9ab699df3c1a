/** The Range header (RFC 9110, section 14.1.2). */
import type { ByteRange } from '../../files/index.ts';

const ONE_RANGE = /^bytes=(?:([0-9]{1,15})-([0-9]{0,15})|-([0-9]{1,15}))$/i;

/** undefined: send the whole, because there is no range, it cannot be read, or there are several
 *  (a server may do so with each of these). `outside`: there is nothing at that place. */
export function findRange(header: string, sizeBytes: number): ByteRange | 'outside' | undefined {
  const parts = ONE_RANGE.exec(header.replaceAll(' ', ''));
  if (parts === null || sizeBytes === 0) return undefined;
  const [, first, last, suffix] = parts;
  if (suffix !== undefined) {
    const lengthBytes = Math.min(Number(suffix), sizeBytes);
    return lengthBytes === 0 ? 'outside'
      : { startBytes: sizeBytes - lengthBytes, endBytes: sizeBytes };
  }
  const startBytes = Number(first);
  const lastBytes = last === undefined || last === '' ? sizeBytes - 1 : Number(last);
  if (lastBytes < startBytes && last !== '') return undefined;
  if (startBytes >= sizeBytes) return 'outside';
  return { startBytes, endBytes: Math.min(lastBytes + 1, sizeBytes) };
}
