import type { NodeRecord } from '../metadata/index.ts';

/** Strong, quoted, never used again: it changes with content or times of a file, and with anything
 *  at or below a folder; a move leaves it alone (RFC 9110, section 8.8.3). */
export function etagOf(node: Pick<NodeRecord, 'id' | 'mark'>): string {
  return `"${node.id.toString(16)}-${node.mark.toString(16)}"`;
}
