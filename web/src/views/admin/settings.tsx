/** The settings in force, and where each comes from. They are changed in the file, not here. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Setting } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { t } from '../../texts/texts.ts';
import { DataTable } from './data-table.tsx';
import type { Column } from './data-table.tsx';
import { PartHead, SearchField } from './part-head.tsx';
import { Badge } from './pieces.tsx';

const ROW_PX = 78;

export function SettingsTab(): ReactNode {
  const [search, setSearch] = useState('');
  const { data, error, refetch } = useQuery({
    queryKey: ['admin', 'settings'], queryFn: ({ signal }) => api.listSettings({ signal }),
  });
  const wanted = search.trim().toLowerCase();
  const rows = data?.items.filter(({ key, docs = '', value }) =>
    [key, docs, value].some((text) => text.toLowerCase().includes(wanted)));
  return (
    <>
      <PartHead title={t('admin.settings')} lead={t('admin.settingsLead')}>
        <SearchField label={t('admin.searchSettings')} value={search} onChange={setSearch} />
      </PartHead>
      {rows === undefined && (error === null ? <LoadingRows />
        : <ErrorState error={error} retry={() => void refetch()} />)}
      {rows !== undefined && (
        <DataTable
          label={t('admin.settings')} rows={rows} keyOf={({ key }) => key} columns={COLUMNS}
          rowPx={ROW_PX} empty={(
            <EmptyState
              icon="settings" title={t('admin.nothingFound')} text={t('admin.noSettingsText')}
            />
          )}
        />
      )}
    </>
  );
}

const COLUMNS: readonly Column<Setting>[] = [
  {
    key: 'key', label: t('admin.setting'), width: 'minmax(0, 2.6fr)',
    cell: ({ key, docs }) => (
      <span className="hf-cell-name">
        <span>
          <span className="hf-mono">{key}</span>
          {docs !== undefined && <small className="hf-clamp" title={docs}>{docs}</small>}
        </span>
      </span>
    ),
  },
  {
    key: 'value', label: t('admin.value'), width: 'minmax(0, 1fr)',
    cell: ({ value, isSecret }) => (
      isSecret ? <small>{t('admin.secret')}</small>
        : <span className="hf-mono" title={value}>{value}</span>
    ),
  },
  {
    key: 'source', label: t('admin.source'), width: '130px', isWide: true,
    cell: ({ source }) => (
      source === 'default' ? <small>{t('admin.default')}</small>
        : <Badge tone="good"><span title={source}>{source}</span></Badge>
    ),
  },
];
