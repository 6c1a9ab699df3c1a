/** How entries stand when all of them are known: folders first, numbers in names as numbers. */
import type { FileNode, Sort } from './shapes.ts';
import { LANGUAGE } from '../texts/texts.ts';

const names = new Intl.Collator(LANGUAGE, { numeric: true, sensitivity: 'base' });

export function inOrder(nodes: readonly FileNode[], sort: Sort): FileNode[] {
  return nodes.toSorted(orderBy(sort));
}

/** Negative: the first comes before the second. */
export function orderBy({ field, order }: Sort): (a: FileNode, b: FileNode) => number {
  const sign = order === 'asc' ? 1 : -1;
  return (a, b) => {
    if (a.kind !== b.kind) return a.kind === 'folder' ? -1 : 1;
    const by = field === 'size' ? a.sizeBytes - b.sizeBytes
      : field === 'modified' ? a.modifiedAt.localeCompare(b.modifiedAt) : 0;
    if (by !== 0) return sign * by;
    const byName = names.compare(a.name, b.name) || (a.name < b.name ? -1 : 1);
    return field === 'name' ? sign * byName : byName;
  };
}

export function matching(nodes: readonly FileNode[], filter: string): readonly FileNode[] {
  const wanted = filter.trim().toLocaleLowerCase(LANGUAGE);
  if (wanted === '') return nodes;
  return nodes.filter(({ name }) => name.toLocaleLowerCase(LANGUAGE).includes(wanted));
}
