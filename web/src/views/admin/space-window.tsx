/** One space of a team: its name, its quota, its members and their roles. */
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { TeamMember, TeamSpace } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { ErrorState } from '../../parts/states.tsx';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';
import { Ask } from './ask.tsx';
import { reload } from './lists.ts';
import { QuotaField } from './quota-field.tsx';
import { Usage } from './users.tsx';

type Role = Exclude<TeamMember['role'], 'none'>;
const ROLES = ['viewer', 'uploader', 'editor', 'owner'] as const;
const KINDS = ['user', 'group'] as const;

interface SpaceWindowProps {
  readonly space: TeamSpace;
  readonly close: () => void;
}

export function SpaceWindow({ space, close }: SpaceWindowProps): ReactNode {
  const [asking, setAsking] = useState<'rename' | 'quota'>();
  const end = (): void => setAsking(undefined);
  return (
    <>
      <Dialog title={space.name} isOpen={asking === undefined} onClose={close} size={560}>
        <div className="hf-drawer">
          <dl className="hf-facts">
            <dt>{t('admin.used')}</dt><dd><Usage row={space} /></dd>
            <dt>{t('admin.number')}</dt><dd>{space.id}</dd>
          </dl>
          <div className="hf-drawer-actions">
            <Button variant="default" onClick={() => setAsking('rename')}>
              {t('admin.rename')}
            </Button>
            <Button variant="default" onClick={() => setAsking('quota')}>{t('admin.quota')}</Button>
          </div>
          <Members space={space} />
        </div>
      </Dialog>
      {asking === 'rename' && <RenameWindow space={space} close={end} />}
      {asking === 'quota' && <QuotaWindow space={space} close={end} />}
    </>
  );
}

function Members({ space: { id } }: { readonly space: TeamSpace }): ReactNode {
  const { data, error, refetch } = useQuery({
    queryKey: ['admin', 'space-members', id],
    queryFn: ({ signal }) => api.listSpaceMembers({ id }, { signal }),
  });
  const change = async (run: () => Promise<unknown>): Promise<boolean> => {
    try {
      await run();
      await reload('space-members', 'spaces');
      return true;
    } catch (failure) {
      sayFailed(failure);
      return false;
    }
  };
  const set = ({ kind, id: who }: Pick<TeamMember, 'kind' | 'id'>, role: Role) =>
    change(() => api.setSpaceMember({ id, kind, who, body: { role } }));
  return (
    <section aria-label={t('admin.members')}>
      <h3>{t('admin.members')}</h3>
      <AddMember add={set} />
      {error !== null && <ErrorState error={error} retry={() => void refetch()} />}
      <ul className="hf-list" aria-label={t('admin.members')}>
        {data?.items.map((member) => (
          <li key={`${member.kind} ${member.id}`}>
            <span>
              {member.id}
              {member.kind === 'group' && <small>{t('admin.kind.group')}</small>}
            </span>
            <NativeSelect
              size="xs" aria-label={t('admin.roleOf', { name: member.id })} value={member.role}
              data={ROLES.map((role) => ({ value: role, label: t(`admin.role.${role}`) }))}
              onChange={(event) => void set(member, event.currentTarget.value as Role)}
            />
            <Button
              size="compact-sm" variant="subtle" color="red"
              aria-label={t('admin.removeOne', { name: member.id })}
              onClick={() => void change(() =>
                api.removeSpaceMember({ id, kind: member.kind, who: member.id }))}
            >
              {t('admin.remove')}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function AddMember({ add }: {
  readonly add: (who: Pick<TeamMember, 'kind' | 'id'>, role: Role) => Promise<boolean>;
}): ReactNode {
  const [kind, setKind] = useState<TeamMember['kind']>('user');
  const [who, setWho] = useState('');
  const submit = async (): Promise<void> => {
    const id = who.trim().toLowerCase();
    if (id !== '' && await add({ kind, id }, 'editor')) setWho('');
  };
  return (
    <form
      className="hf-inline-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <TextInput
        label={t('admin.addMember')} placeholder={t('admin.userOrGroup')} value={who}
        spellCheck={false} autoComplete="off"
        onChange={(event) => setWho(event.currentTarget.value)}
      />
      <NativeSelect
        aria-label={t('admin.kind')} value={kind}
        data={KINDS.map((one) => ({ value: one, label: t(`admin.kind.${one}`) }))}
        onChange={(event) => setKind(event.currentTarget.value as TeamMember['kind'])}
      />
      <Button type="submit" disabled={who.trim() === ''}>{t('admin.add')}</Button>
    </form>
  );
}

function RenameWindow({ space, close }: SpaceWindowProps): ReactNode {
  const [name, setName] = useState(space.name);
  return (
    <Ask
      title={t('admin.renameOf', { name: space.name })} isOpen onClose={close}
      action={t('admin.rename')} isReady={name.trim() !== ''}
      submit={async () => {
        await api.changeSpace({ id: space.id, body: { name: name.trim() } });
        await reload('spaces');
      }}
    >
      <p>{t('admin.renameSpaceText')}</p>
      <TextInput
        label={t('admin.spaceName')} value={name} data-autofocus
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </Ask>
  );
}

function QuotaWindow({ space, close }: SpaceWindowProps): ReactNode {
  const [limitBytes, setLimit] = useState<number | null | undefined>(space.limitBytes ?? null);
  return (
    <Ask
      title={t('admin.quotaOf', { name: space.name })} isOpen onClose={close}
      action={t('admin.save')} isReady={limitBytes !== undefined}
      submit={async () => {
        await api.setQuota({ body: { spaceId: space.id, limitBytes: limitBytes ?? null } });
        await reload('spaces', 'quotas');
        say(t('admin.quotaSaved', { name: space.name }));
      }}
    >
      <p>{t('admin.quotaText')}</p>
      <QuotaField bytes={space.limitBytes} onChange={setLimit} />
    </Ask>
  );
}
