/** How somebody likes to look at folders, kept in this browser. */
import { useState } from 'react';
import type { Sort } from '../../api/shapes.ts';
import type { Layout } from './entries.tsx';

const KEY = 'holdfast-files';

interface Kept {
  readonly layout: Layout;
  readonly sort: Sort;
}

const FIRST: Kept = { layout: 'list', sort: { field: 'name', order: 'asc' } };

export function useKept(): {
  readonly layout: Layout;
  readonly sort: Sort;
  readonly setLayout: (layout: Layout) => void;
  readonly setSort: (sort: Sort) => void;
} {
  const [kept, setKept] = useState(read);
  const change = (next: Kept): void => {
    setKept(next);
    try {
      localStorage.setItem(KEY, JSON.stringify(next));
    } catch (error) {
      // Without a storage the choice holds until the page is left.
      if (!(error instanceof DOMException)) throw error;
    }
  };
  return {
    ...kept,
    setLayout: (layout) => change({ ...kept, layout }),
    setSort: (sort) => change({ ...kept, sort }),
  };
}

function read(): Kept {
  try {
    const value = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Partial<Kept> | null;
    const { layout, sort } = value ?? {};
    const isKnown = sort !== undefined && ['name', 'modified', 'size'].includes(sort.field)
      && ['asc', 'desc'].includes(sort.order);
    return { layout: layout === 'grid' ? 'grid' : 'list', sort: isKnown ? sort : FIRST.sort };
  } catch (error) {
    if (error instanceof DOMException || error instanceof SyntaxError) return FIRST;
    throw error;
  }
}
