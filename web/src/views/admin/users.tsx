/** Accounts: searched, added, changed. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import type { ReactNode } from 'react';
import type { QuotaRow, User } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { Icon } from '../../parts/icons.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { initialsOf, sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { DataTable } from './data-table.tsx';
import type { Column } from './data-table.tsx';
import { useList } from './lists.ts';
import { NewUserWindow } from './new-user-window.tsx';
import { PartHead, SearchField } from './part-head.tsx';
import { Badge, Bar } from './pieces.tsx';
import { UserWindow } from './user-window.tsx';

/** What each account uses, as far as one answer tells. */
export function useUsage(): ReadonlyMap<string, QuotaRow> {
  const { data } = useQuery({
    queryKey: ['admin', 'quotas'], queryFn: ({ signal }) => api.listQuotas({}, { signal }),
  });
  return new Map(data?.items.filter(({ kind }) => kind === 'personal')
    .map((row) => [row.subject, row]));
}

export function Users(): ReactNode {
  const [search, setSearch] = useState('');
  const [isAdding, setAdding] = useState(false);
  const [open, setOpen] = useState<string>();
  const wanted = useDeferredValue(search.trim());
  const { rows, error, refetch, loadMore } = useList(['users', wanted], (paging, options) =>
    api.listUsers({ ...paging, ...(wanted !== '' && { search: wanted }) }, options));
  const usage = useUsage();
  const shown = rows?.find(({ id }) => id === open);
  return (
    <>
      <PartHead title={t('admin.users')} lead={t('admin.usersLead')}>
        <SearchField label={t('admin.searchUsers')} value={search} onChange={setSearch} />
        <Button leftSection={<Icon name="plus" small />} onClick={() => setAdding(true)}>
          {t('admin.addUser')}
        </Button>
      </PartHead>
      {rows === undefined && (error === null ? <LoadingRows />
        : <ErrorState error={error} retry={refetch} />)}
      {rows !== undefined && (
        <DataTable
          label={t('admin.users')} rows={rows} keyOf={({ id }) => id} loadMore={loadMore}
          columns={columnsOf(usage, setOpen)} empty={(
            <EmptyState
              icon="user" title={t('admin.noUsers')} text={t('admin.noUsersText')}
            />
          )}
        />
      )}
      <NewUserWindow isOpen={isAdding} close={() => setAdding(false)} />
      {shown !== undefined && (
        <UserWindow user={shown} usage={usage.get(shown.id)} close={() => setOpen(undefined)} />
      )}
    </>
  );
}

function columnsOf(
  usage: ReadonlyMap<string, QuotaRow>, open: (id: string) => void,
): Column<User>[] {
  return [
    {
      key: 'name', label: t('admin.name'), width: 'minmax(0, 2fr)',
      cell: ({ id, displayName }) => (
        <span className="hf-cell-name">
          <span className="hf-face" aria-hidden="true">
            {initialsOf(displayName)}
          </span>
          <span>
            <button type="button" className="hf-cell-open" onClick={() => open(id)}>
              {displayName}
            </button>
            <small>{id}</small>
          </span>
        </span>
      ),
    },
    {
      key: 'email', label: t('admin.email'), width: 'minmax(0, 1.4fr)', isWide: true,
      cell: ({ email }) => email ?? <small>{t('admin.none')}</small>,
    },
    {
      key: 'state', label: t('admin.state'), width: '150px',
      cell: ({ isAdmin, isDisabled }) => (
        isDisabled ? <Badge tone="attention">{t('admin.disabled')}</Badge>
          : isAdmin ? <Badge tone="plain">{t('admin.administrator')}</Badge>
            : <small>{t('admin.active')}</small>
      ),
    },
    {
      key: 'used', label: t('admin.used'), width: '170px', isWide: true,
      cell: ({ id }) => <Usage row={usage.get(id)} />,
    },
    {
      key: 'since', label: t('admin.since'), width: '110px', isWide: true, isNumber: true,
      cell: ({ createdAt }) => <small>{timeText(createdAt)}</small>,
    },
  ];
}

export function Usage(
  { row }: { readonly row: Pick<QuotaRow, 'usedBytes' | 'limitBytes'> | undefined },
): ReactNode {
  if (row === undefined) return <small>{t('admin.nothingStored')}</small>;
  const { usedBytes, limitBytes } = row;
  if (limitBytes === undefined) return <span>{sizeText(usedBytes)}</span>;
  const text = t('admin.usedOf', { used: sizeText(usedBytes), limit: sizeText(limitBytes) });
  return (
    <span>
      <span>{text}</span>
      <Bar share={limitBytes === 0 ? 1 : usedBytes / limitBytes} label={text} />
    </span>
  );
}
