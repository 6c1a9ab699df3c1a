/** Who holds which files, and ending it when somebody has gone home. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { ManagedLock } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { say } from '../../parts/toasts.tsx';
import { exactTimeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { Ask } from './ask.tsx';
import { DataTable } from './data-table.tsx';
import type { Column } from './data-table.tsx';
import { reload } from './lists.ts';
import { PartHead, SearchField } from './part-head.tsx';

const AGAIN_MS = 15_000;

export function LocksTab(): ReactNode {
  const [search, setSearch] = useState('');
  const [doomed, setDoomed] = useState<ManagedLock>();
  const { data, error, refetch } = useQuery({
    queryKey: ['admin', 'locks'], queryFn: ({ signal }) => api.listLocks({ signal }),
    refetchInterval: AGAIN_MS,
  });
  const wanted = search.trim().toLowerCase();
  const rows = data?.items.filter(({ holder, name = '' }) =>
    holder.includes(wanted) || name.toLowerCase().includes(wanted));
  return (
    <>
      <PartHead title={t('admin.locks')} lead={t('admin.locksLead')}>
        <SearchField label={t('admin.searchLocks')} value={search} onChange={setSearch} />
      </PartHead>
      {rows === undefined && (error === null ? <LoadingRows />
        : <ErrorState error={error} retry={() => void refetch()} />)}
      {rows !== undefined && (
        <DataTable
          label={t('admin.locks')} rows={rows} columns={columnsOf(setDoomed)}
          keyOf={({ nodeId, holder, until }) => `${nodeId} ${holder} ${until}`}
          empty={(
            <EmptyState
              icon="lock" title={t(wanted === '' ? 'admin.noLocks' : 'admin.nothingFound')}
              text={t('admin.noLocksText')}
            />
          )}
        />
      )}
      {doomed !== undefined && (
        <Ask
          title={t('admin.breakLockOf', { name: doomed.name ?? doomed.nodeId })} isOpen isDanger
          onClose={() => setDoomed(undefined)} action={t('admin.breakLock')}
          submit={async () => {
            const { count } = await api.breakLocks({ id: doomed.nodeId });
            await reload('locks');
            say(t('admin.lockBroken', { count }));
          }}
        >
          <p>{t('admin.breakLockText', { holder: doomed.holder })}</p>
        </Ask>
      )}
    </>
  );
}

function columnsOf(end: (lock: ManagedLock) => void): Column<ManagedLock>[] {
  return [
    {
      key: 'name', label: t('admin.file'), width: 'minmax(0, 2fr)',
      cell: ({ name, nodeId, isDeep }) => (
        <span>
          {name ?? t('admin.nodeNumber', { id: nodeId })}
          {isDeep && <>{' '}<small>{t('admin.lockDeep')}</small></>}
        </span>
      ),
    },
    {
      key: 'holder', label: t('admin.holder'), width: 'minmax(0, 1fr)',
      cell: ({ holder }) => holder,
    },
    {
      key: 'until', label: t('admin.until'), width: '130px', isWide: true,
      cell: ({ until }) => <small title={exactTimeText(until)}>{timeText(until)}</small>,
    },
    {
      key: 'act', label: t('admin.actions'), width: '130px', isNumber: true,
      cell: (lock) => (
        <Button
          size="compact-sm" variant="light" color="red" onClick={() => end(lock)}
          aria-label={t('admin.breakLockOf', { name: lock.name ?? lock.nodeId })}
        >
          {t('admin.breakLock')}
        </Button>
      ),
    },
  ];
}
