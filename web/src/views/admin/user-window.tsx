/** One account: what it is, and what can be done about it. */
import { Button, Checkbox, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { QuotaRow, User } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { hrefOf } from '../../parts/address.ts';
import { Link } from '../../parts/link.tsx';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { useSession } from '../../shell/session-gate.tsx';
import { exactTimeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { Ask } from './ask.tsx';
import { reload } from './lists.ts';
import { PasswordField, isGoodPassword } from './password-field.tsx';
import { QuotaField } from './quota-field.tsx';
import { TransferWindow } from './transfer-window.tsx';
import { Usage } from './users.tsx';

interface UserWindowProps {
  readonly user: User;
  readonly usage: QuotaRow | undefined;
  readonly close: () => void;
}

type Asking = 'change' | 'quota' | 'password' | 'second' | 'disable' | 'transfer';

export function UserWindow({ user, usage, close }: UserWindowProps): ReactNode {
  const { id, displayName } = user;
  const [asking, setAsking] = useState<Asking>();
  const end = (): void => setAsking(undefined);
  return (
    <>
      <Dialog title={displayName} isOpen={asking === undefined} onClose={close} size={520}>
        <div className="hf-drawer">
          <UserFacts user={user} usage={usage} />
          <UserActions user={user} ask={setAsking} />
        </div>
      </Dialog>
      {asking === 'change' && <ChangeWindow user={user} close={end} />}
      {asking === 'quota' && <QuotaWindow user={user} usage={usage} close={end} />}
      {asking === 'password' && <PasswordWindow user={user} close={end} />}
      {asking === 'second' && <SecondFactorWindow user={user} close={end} />}
      {asking === 'disable' && <DisableWindow user={user} close={end} />}
      {asking === 'transfer' && <TransferWindow from={id} close={end} />}
    </>
  );
}

function UserFacts({ user, usage }: Pick<UserWindowProps, 'user' | 'usage'>): ReactNode {
  const { id, email, createdAt, isAdmin, isDisabled, hasPassword, tenant } = user;
  const { hasSecondFactor } = user;
  const { data } = useQuery({
    queryKey: ['admin', 'users', 'one', id],
    queryFn: ({ signal }) => api.getUser({ id }, { signal }),
  });
  const facts: [string, ReactNode][] = [
    [t('admin.userId'), id], [t('admin.email'), email ?? t('admin.none')],
    [t('admin.state'), t(isDisabled ? 'admin.disabled' : 'admin.active')],
    [t('admin.role'), t(isAdmin ? 'admin.administrator' : 'admin.ordinary')],
    [t('admin.groups'), data?.groups?.join(', ') || t('admin.none')],
    [t('admin.used'), <Usage key="used" row={usage} />],
    [t('admin.password'), t(hasPassword ? 'admin.passwordSet' : 'admin.passwordNone')],
    [t('admin.secondFactor'), t(hasSecondFactor ? 'admin.secondOn' : 'admin.secondOff')],
    [t('admin.tenant'), tenant], [t('admin.since'), exactTimeText(createdAt)],
  ];
  return (
    <dl className="hf-facts">
      {facts.map(([label, value]) => [
        <dt key={`${label} t`}>{label}</dt>, <dd key={`${label} d`}>{value}</dd>,
      ])}
    </dl>
  );
}

function UserActions(
  { user, ask }: { readonly user: User; readonly ask: (asking: Asking) => void },
): ReactNode {
  const session = useSession();
  const { id, isDisabled, displayName } = user;
  const isMe = session.user.id === id;
  const enable = async (): Promise<void> => {
    try {
      await api.changeUser({ id, body: { isDisabled: false } });
      await reload('users');
      say(t('admin.userEnabled', { name: displayName }));
    } catch (error) {
      sayFailed(error);
    }
  };
  return (
    <div className="hf-drawer-actions">
      <Button variant="default" onClick={() => ask('change')}>{t('admin.change')}</Button>
      <Button variant="default" onClick={() => ask('quota')}>{t('admin.quota')}</Button>
      <Button variant="default" onClick={() => ask('password')}>
        {t('admin.setPassword')}
      </Button>
      {user.hasSecondFactor && (
        <Button variant="default" onClick={() => ask('second')}>
          {t('admin.secondReset')}
        </Button>
      )}
      <Button variant="default" onClick={() => ask('transfer')}>{t('admin.handOver')}</Button>
      <Button variant="default" component={Link} href={hrefOf('/admin/audit', { user: id })}>
        {t('admin.seeAudit')}
      </Button>
      {isDisabled && <Button onClick={() => void enable()}>{t('admin.enable')}</Button>}
      {!isDisabled && !isMe && (
        <Button variant="light" color="red" onClick={() => ask('disable')}>
          {t('admin.disable')}
        </Button>
      )}
    </div>
  );
}

interface OneWindowProps {
  readonly user: User;
  readonly close: () => void;
}

function ChangeWindow({ user, close }: OneWindowProps): ReactNode {
  const session = useSession();
  const [displayName, setName] = useState(user.displayName);
  const [email, setEmail] = useState(user.email ?? '');
  const [isAdmin, setAdmin] = useState(user.isAdmin);
  const submit = async (): Promise<void> => {
    await api.changeUser({
      id: user.id, body: {
        displayName: displayName.trim(), email: email.trim() === '' ? null : email.trim(),
        ...(isAdmin !== user.isAdmin && { isAdmin }),
      },
    });
    await reload('users');
    say(t('admin.changed', { name: displayName }));
  };
  return (
    <Ask
      title={t('admin.changeOf', { name: user.displayName })} isOpen onClose={close}
      action={t('admin.save')} isReady={displayName.trim() !== ''} submit={submit}
    >
      <TextInput
        label={t('admin.displayName')} value={displayName} data-autofocus
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        label={t('admin.email')} type="email" value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <Checkbox
        label={t('admin.isAdmin')} description={t('admin.isAdminText')} checked={isAdmin}
        disabled={session.user.id === user.id}
        onChange={(event) => setAdmin(event.currentTarget.checked)}
      />
    </Ask>
  );
}

function QuotaWindow(
  { user, usage, close }: OneWindowProps & Pick<UserWindowProps, 'usage'>,
): ReactNode {
  const [limitBytes, setLimit] = useState<number | null | undefined>(usage?.limitBytes ?? null);
  const submit = async (): Promise<void> => {
    await api.setQuota({ body: { user: user.id, limitBytes: limitBytes ?? null } });
    await reload('quotas');
    say(t('admin.quotaSaved', { name: user.displayName }));
  };
  return (
    <Ask
      title={t('admin.quotaOf', { name: user.displayName })} isOpen onClose={close}
      action={t('admin.save')} isReady={limitBytes !== undefined} submit={submit}
    >
      <p>{t('admin.quotaText')}</p>
      <QuotaField bytes={usage?.limitBytes} onChange={setLimit} />
    </Ask>
  );
}

function PasswordWindow({ user, close }: OneWindowProps): ReactNode {
  const [password, setPassword] = useState('');
  const submit = async (): Promise<void> => {
    await api.setUserPassword({ id: user.id, body: { password } });
    say(t('admin.passwordSaved', { name: user.displayName }));
  };
  return (
    <Ask
      title={t('admin.passwordOf', { name: user.displayName })} isOpen onClose={close}
      action={t('admin.setPassword')} isReady={isGoodPassword(password)} submit={submit}
    >
      <p>{t('admin.setPasswordText')}</p>
      <PasswordField value={password} onChange={setPassword} />
    </Ask>
  );
}

function SecondFactorWindow({ user: { id, displayName }, close }: OneWindowProps): ReactNode {
  const submit = async (): Promise<void> => {
    await api.resetUserSecondFactor({ id });
    await reload('users');
    say(t('admin.secondGone', { name: displayName }));
  };
  return (
    <Ask
      title={t('admin.secondOf', { name: displayName })} isOpen onClose={close} isDanger
      action={t('admin.secondReset')} submit={submit}
    >
      <p>{t('admin.secondText')}</p>
    </Ask>
  );
}

function DisableWindow({ user, close }: OneWindowProps): ReactNode {
  const { id, displayName } = user;
  const submit = async (): Promise<void> => {
    await api.changeUser({ id, body: { isDisabled: true } });
    await reload('users');
    say(t('admin.userDisabled', { name: displayName }), {
      undo: async () => {
        await api.changeUser({ id, body: { isDisabled: false } });
        await reload('users');
      },
    });
  };
  return (
    <Ask
      title={t('admin.disableOf', { name: displayName })} isOpen onClose={close} isDanger
      action={t('admin.disable')} submit={submit}
    >
      <p>{t('admin.disableText')}</p>
      <ul>
        <li>{t('admin.disableDevices')}</li>
        <li>{t('admin.disableShares')}</li>
        <li>{t('admin.disableFiles')}</li>
      </ul>
    </Ask>
  );
}
