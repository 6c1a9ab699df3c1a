import { Button, TextInput } from '@mantine/core';
import type { FormEvent, ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { say } from '../../parts/toasts.tsx';
import { refreshSession } from '../../shell/session-gate.tsx';
import { sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { keepAccount } from './account-keys.ts';
import type { Account } from './account-keys.ts';
import { Card, Fault } from './card.tsx';
import { fieldsOf, useAct } from './use-act.ts';

export function ProfilePart({ account }: { readonly account: Account }): ReactNode {
  return (
    <>
      <NameCard account={account} />
      <FactsCard account={account} />
      <p className="hf-account-foot">
        <a href="/account">{t('account.plainPage')}</a>
      </p>
    </>
  );
}

function NameCard({ account }: { readonly account: Account }): ReactNode {
  const { isBusy, fault, run } = useAct();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const displayName = fieldsOf(event.currentTarget)('displayName').trim();
    run(async () => {
      keepAccount(await api.changeAccount({ body: { displayName } }));
      await refreshSession();
      say(t('account.nameSaved'));
    });
  };
  return (
    <Card title={t('account.name')} lead={t('account.nameLead')}>
      <form className="hf-form" onSubmit={submit}>
        <TextInput
          key={account.displayName} name="displayName" label={t('account.displayName')}
          defaultValue={account.displayName} required maxLength={120} autoComplete="name"
          withAsterisk={false}
        />
        <Fault text={fault} />
        <div><Button type="submit" loading={isBusy}>{t('account.save')}</Button></div>
      </form>
    </Card>
  );
}

function FactsCard({ account }: { readonly account: Account }): ReactNode {
  const { id, email, groups, quota: { usedBytes, limitBytes }, createdAt, isAdmin } = account;
  const used = sizeText(usedBytes);
  const facts: readonly (readonly [string, string])[] = [
    [t('account.user'), id],
    [t('account.email'), email ?? t('account.noEmail')],
    [t('account.groups'), groups.length === 0 ? t('account.noGroups') : groups.join(', ')],
    [t('quota.label'), limitBytes === undefined
      ? t('account.noLimit', { used }) : t('quota.usedOf', { used, limit: sizeText(limitBytes) })],
    [t('account.since'), timeText(createdAt)],
    ...(isAdmin ? [[t('account.role'), t('account.isAdmin')] as const] : []),
  ];
  return (
    <Card title={t('account.facts')} lead={t('account.factsLead')}>
      <dl className="hf-account-facts">
        {facts.map(([what, value]) => (
          <div key={what}><dt>{what}</dt><dd>{value}</dd></div>
        ))}
      </dl>
    </Card>
  );
}
