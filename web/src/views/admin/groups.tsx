/** Groups to share with, and who is in them. */
import { ActionIcon, Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Group } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icons.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { Ask } from './ask.tsx';
import { DataTable } from './data-table.tsx';
import type { Column } from './data-table.tsx';
import { reload, useList } from './lists.ts';
import { PartHead, SearchField } from './part-head.tsx';

export function Groups(): ReactNode {
  const [search, setSearch] = useState('');
  const [isAdding, setAdding] = useState(false);
  const [open, setOpen] = useState<Group>();
  const [doomed, setDoomed] = useState<Group>();
  const { rows, error, refetch, loadMore } = useList(['groups'], (paging, options) =>
    api.listGroups(paging, options));
  const wanted = search.trim().toLowerCase();
  const found = rows?.filter(({ id, displayName }) =>
    id.includes(wanted) || displayName.toLowerCase().includes(wanted));
  return (
    <>
      <PartHead title={t('admin.groups')} lead={t('admin.groupsLead')}>
        <SearchField label={t('admin.searchGroups')} value={search} onChange={setSearch} />
        <Button leftSection={<Icon name="plus" small />} onClick={() => setAdding(true)}>
          {t('admin.addGroup')}
        </Button>
      </PartHead>
      {found === undefined && (error === null ? <LoadingRows />
        : <ErrorState error={error} retry={refetch} />)}
      {found !== undefined && (
        <DataTable
          label={t('admin.groups')} rows={found} keyOf={({ id }) => id} loadMore={loadMore}
          columns={columnsOf(setOpen, setDoomed)} empty={(
            <EmptyState
              icon="shared" title={t(wanted === '' ? 'admin.noGroups' : 'admin.nothingFound')}
              text={t('admin.noGroupsText')}
            />
          )}
        />
      )}
      <NewGroupWindow isOpen={isAdding} close={() => setAdding(false)} />
      {open !== undefined && <MembersWindow group={open} close={() => setOpen(undefined)} />}
      {doomed !== undefined && (
        <Ask
          title={t('admin.removeGroupOf', { name: doomed.displayName })} isOpen isDanger
          onClose={() => setDoomed(undefined)} action={t('admin.remove')}
          submit={async () => {
            await api.removeGroup({ id: doomed.id });
            await reload('groups');
            say(t('admin.groupRemoved', { name: doomed.displayName }));
          }}
        >
          <p>{t('admin.removeGroupText')}</p>
        </Ask>
      )}
    </>
  );
}

function columnsOf(open: (group: Group) => void, remove: (group: Group) => void): Column<Group>[] {
  return [
    {
      key: 'name', label: t('admin.name'), width: 'minmax(0, 2fr)',
      cell: (group) => (
        <span className="hf-cell-name">
          <span className="hf-face" aria-hidden="true"><Icon name="shared" /></span>
          <span>
            <button type="button" className="hf-cell-open" onClick={() => open(group)}>
              {group.displayName}
            </button>
            <small>{group.id}</small>
          </span>
        </span>
      ),
    },
    {
      key: 'since', label: t('admin.since'), width: '120px', isWide: true,
      cell: ({ createdAt }) => <small>{timeText(createdAt)}</small>,
    },
    {
      key: 'act', label: t('admin.actions'), width: '170px', isNumber: true,
      cell: (group) => (
        <>
          <Button size="compact-sm" variant="default" onClick={() => open(group)}>
            {t('admin.members')}
          </Button>{' '}
          <ActionIcon
            variant="subtle" color="red" onClick={() => remove(group)}
            aria-label={t('admin.removeOne', { name: group.displayName })}
          >
            <Icon name="trash" small />
          </ActionIcon>
        </>
      ),
    },
  ];
}

function NewGroupWindow(
  { isOpen, close }: { readonly isOpen: boolean; readonly close: () => void },
): ReactNode {
  const [id, setId] = useState('');
  const [displayName, setName] = useState('');
  const submit = async (): Promise<void> => {
    const name = displayName.trim();
    await api.addGroup({
      body: { id: id.trim().toLowerCase(), ...(name !== '' && { displayName: name }) },
    });
    await reload('groups');
    setId('');
    setName('');
    say(t('admin.groupAdded', { name: name || id }));
  };
  return (
    <Ask
      title={t('admin.addGroup')} isOpen={isOpen} onClose={close} action={t('admin.add')}
      isReady={id.trim() !== ''} submit={submit}
    >
      <TextInput
        label={t('admin.groupId')} description={t('admin.groupIdText')} value={id} data-autofocus
        spellCheck={false} autoComplete="off" onChange={(event) => setId(event.currentTarget.value)}
      />
      <TextInput
        label={t('admin.displayName')} value={displayName} autoComplete="off"
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </Ask>
  );
}

function MembersWindow(
  { group, close }: { readonly group: Group; readonly close: () => void },
): ReactNode {
  const { id, displayName } = group;
  const [who, setWho] = useState('');
  const { rows, error, refetch } = useList(['members', id], (paging, options) =>
    api.listMembers({ id, ...paging }, options));
  const change = async (run: () => Promise<unknown>): Promise<void> => {
    try {
      await run();
      setWho('');
      await reload('members', 'users');
    } catch (failure) {
      sayFailed(failure);
    }
  };
  return (
    <Dialog title={t('admin.membersOf', { name: displayName })} isOpen onClose={close}>
      <div className="hf-drawer">
        <form
          className="hf-inline-form"
          onSubmit={(event) => {
            event.preventDefault();
            const user = who.trim().toLowerCase();
            if (user !== '') void change(() => api.addMember({ id, user }));
          }}
        >
          <TextInput
            label={t('admin.addMember')} placeholder={t('admin.userId')} value={who} data-autofocus
            spellCheck={false} autoComplete="off"
            onChange={(event) => setWho(event.currentTarget.value)}
          />
          <Button type="submit" disabled={who.trim() === ''}>{t('admin.add')}</Button>
        </form>
        {error !== null && <ErrorState error={error} retry={refetch} />}
        {rows?.length === 0 && <p>{t('admin.noMembers')}</p>}
        <ul className="hf-list" aria-label={t('admin.members')}>
          {rows?.map((user) => (
            <li key={user}>
              <span>{user}</span>
              <Button
                size="compact-sm" variant="subtle" color="red"
                aria-label={t('admin.removeOne', { name: user })}
                onClick={() => void change(() => api.removeMember({ id, user }))}
              >
                {t('admin.remove')}
              </Button>
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}
