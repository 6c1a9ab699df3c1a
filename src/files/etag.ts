import type { NodeRecord } from '../metadata/index.ts';
import type { Sight } from './view/sight.ts';

/** Strong, quoted, never used again: it changes with content or times of a file, and with anything
 *  at or below a folder; a move leaves it alone (RFC 9110, section 8.8.3). That of a folder also
 *  changes with what the caller may see there and with what is shared below it. That of a file
 *  never does: clients would fetch its bytes again. */
export function etagOf(
  { id, mark, kind, sight }: Pick<NodeRecord, 'id' | 'mark' | 'kind'> & { sight?: Sight },
): string {
  const own = `${id.toString(16)}-${mark.toString(16)}`;
  if (sight === undefined || sight.mark === '' || kind === 'file') return `"${own}"`;
  return `"${own}-${sight.mark}"`;
}
