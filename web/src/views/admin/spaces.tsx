/** Spaces of teams: made, limited, and who is in them. */
import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { TeamSpace } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { Icon } from '../../parts/icons.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { say } from '../../parts/toasts.tsx';
import { useSession } from '../../shell/session-gate.tsx';
import { timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { Ask } from './ask.tsx';
import { DataTable } from './data-table.tsx';
import type { Column } from './data-table.tsx';
import { reload, useList } from './lists.ts';
import { PartHead, SearchField } from './part-head.tsx';
import { QuotaField } from './quota-field.tsx';
import { SpaceWindow } from './space-window.tsx';
import { Usage } from './users.tsx';

export function Spaces(): ReactNode {
  const [search, setSearch] = useState('');
  const [isAdding, setAdding] = useState(false);
  const [open, setOpen] = useState<string>();
  const { rows, error, refetch, loadMore } = useList(['spaces'], (paging, options) =>
    api.listSpaces(paging, options));
  const wanted = search.trim().toLowerCase();
  const found = rows?.filter(({ name }) => name.toLowerCase().includes(wanted));
  const shown = rows?.find(({ id }) => id === open);
  return (
    <>
      <PartHead title={t('admin.spaces')} lead={t('admin.spacesLead')}>
        <SearchField label={t('admin.searchSpaces')} value={search} onChange={setSearch} />
        <Button leftSection={<Icon name="plus" small />} onClick={() => setAdding(true)}>
          {t('admin.addSpace')}
        </Button>
      </PartHead>
      {found === undefined && (error === null ? <LoadingRows />
        : <ErrorState error={error} retry={refetch} />)}
      {found !== undefined && (
        <DataTable
          label={t('admin.spaces')} rows={found} keyOf={({ id }) => id} loadMore={loadMore}
          columns={columnsOf(setOpen)} empty={(
            <EmptyState
              icon="folder" title={t(wanted === '' ? 'admin.noSpaces' : 'admin.nothingFound')}
              text={t('admin.noSpacesText')}
            />
          )}
        />
      )}
      {isAdding && <NewSpaceWindow close={() => setAdding(false)} />}
      {shown !== undefined && <SpaceWindow space={shown} close={() => setOpen(undefined)} />}
    </>
  );
}

function columnsOf(open: (id: string) => void): Column<TeamSpace>[] {
  return [
    {
      key: 'name', label: t('admin.name'), width: 'minmax(0, 2fr)',
      cell: ({ id, name }) => (
        <span className="hf-cell-name">
          <span className="hf-face" aria-hidden="true"><Icon name="folder" /></span>
          <span>
            <button type="button" className="hf-cell-open" onClick={() => open(id)}>{name}</button>
          </span>
        </span>
      ),
    },
    {
      key: 'members', label: t('admin.members'), width: '90px',
      cell: ({ memberCount }) => memberCount,
    },
    { key: 'used', label: t('admin.used'), width: '180px', cell: (row) => <Usage row={row} /> },
    {
      key: 'since', label: t('admin.since'), width: '110px', isWide: true, isNumber: true,
      cell: ({ createdAt }) => <small>{timeText(createdAt)}</small>,
    },
  ];
}

function NewSpaceWindow({ close }: { readonly close: () => void }): ReactNode {
  const { user } = useSession();
  const [name, setName] = useState('');
  const [owner, setOwner] = useState(user.id);
  const [limitBytes, setLimit] = useState<number | null | undefined>(null);
  const submit = async (): Promise<void> => {
    await api.makeSpace({
      body: {
        name: name.trim(), owner: owner.trim().toLowerCase(), limitBytes: limitBytes ?? null,
      },
    });
    await reload('spaces');
    say(t('admin.spaceAdded', { name: name.trim() }));
  };
  return (
    <Ask
      title={t('admin.addSpace')} isOpen onClose={close} action={t('admin.add')} submit={submit}
      isReady={name.trim() !== '' && owner.trim() !== '' && limitBytes !== undefined}
    >
      <TextInput
        label={t('admin.spaceName')} value={name} data-autofocus autoComplete="off"
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        label={t('admin.spaceOwner')} description={t('admin.spaceOwnerText')} value={owner}
        spellCheck={false} autoComplete="off"
        onChange={(event) => setOwner(event.currentTarget.value)}
      />
      <QuotaField bytes={undefined} onChange={setLimit} />
    </Ask>
  );
}
