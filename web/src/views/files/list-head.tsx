/** The head of the list: what is selected and what can be done with it, or how it is sorted. */
import { Checkbox } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Sort, SortField } from '../../api/shapes.ts';
import { useStore } from '../../api/store.ts';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';
import type { TextKey } from '../../texts/texts.ts';
import type { EntriesProps } from './entries.tsx';

const COLUMNS: readonly (readonly [SortField, TextKey, string])[] = [
  ['name', 'files.name', 'hf-row-name'], ['modified', 'files.modified', 'hf-row-time'],
  ['size', 'files.size', 'hf-row-size'],
];

export function ListHead({ screen, nodes, sort, onSort }: EntriesProps): ReactNode {
  const { ids } = useStore(screen.selection);
  const isAll = ids.size > 0 && ids.size === nodes.length;
  return (
    <div className="hf-head" role="row" aria-rowindex={1}>
      <div className="hf-check" role="columnheader" data-shown={ids.size > 0}>
        <Checkbox
          size="xs" aria-label={t('files.selectAll')} checked={isAll}
          indeterminate={ids.size > 0 && !isAll}
          onChange={() => (ids.size > 0 ? screen.clear() : screen.selectAll())}
        />
      </div>
      {COLUMNS.map(([field, label, className]) => (
        <div
          key={field} role="columnheader" className={className}
          aria-sort={sort.field !== field ? 'none'
            : sort.order === 'asc' ? 'ascending' : 'descending'}
        >
          <button type="button" onClick={() => onSort(sortedBy(sort, field))}>
            {t(label)}
            {sort.field === field && (
              <Icon name={sort.order === 'asc' ? 'arrowUp' : 'arrowDown'} small />
            )}
          </button>
        </div>
      ))}
      <div className="hf-row-more" role="columnheader">
        <span className="hf-hidden">{t('files.actionsColumn')}</span>
      </div>
    </div>
  );
}

/** Names begin with A, times with the newest, sizes with the largest; again turns it round. */
function sortedBy(sort: Sort, field: SortField): Sort {
  if (sort.field === field) return { field, order: sort.order === 'asc' ? 'desc' : 'asc' };
  return { field, order: field === 'name' ? 'asc' : 'desc' };
}
