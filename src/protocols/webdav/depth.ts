/** The Depth header (RFC 4918, section 10.2). */
import type { IncomingHttpHeaders } from 'node:http';
import { HoldfastError } from '../../base/errors.ts';

export type Depth = '0' | '1' | 'infinity';

/** Without the header it is `infinity`, as for every method that a client sends one with.
 *  @throws invalid: something else. */
export function depthOf(headers: IncomingHttpHeaders): Depth {
  const raw = headers['depth'];
  if (raw === undefined) return 'infinity';
  const depth = String(raw).trim().toLowerCase();
  if (depth === '0' || depth === '1' || depth === 'infinity') return depth;
  throw new HoldfastError('invalid', 'webdav/depthOf', 'The depth is 0, 1 or infinity.', {
    code: 'depth',
  });
}
