import { Button, PasswordInput } from '@mantine/core';
import type { FormEvent, ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { say } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';
import { reloadAccount } from './account-keys.ts';
import type { Account } from './account-keys.ts';
import { Card, Fault } from './card.tsx';
import { fieldsOf, useAct } from './use-act.ts';

export function PasswordCard({ account }: { readonly account: Account }): ReactNode {
  const { isBusy, fault, run } = useAct();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = event.currentTarget;
    const field = fieldsOf(form);
    run(async () => {
      if (field('newPassword') !== field('again')) throw new Error(t('account.passwordsDiffer'));
      await api.changePassword({
        body: { oldPassword: field('oldPassword'), newPassword: field('newPassword') },
      });
      form.reset();
      await reloadAccount();
      say(t('account.passwordChanged'));
    });
  };
  return (
    <Card title={t('account.password')} lead={t('account.passwordLead')}>
      <form className="hf-form" onSubmit={submit}>
        <input type="text" name="user" value={account.id} autoComplete="username" readOnly hidden />
        <PasswordInput
          name="oldPassword" label={t('account.oldPassword')} autoComplete="current-password"
          required withAsterisk={false}
        />
        <PasswordInput
          name="newPassword" label={t('account.newPassword')} autoComplete="new-password" required
          minLength={10} withAsterisk={false} description={t('account.passwordRule')}
        />
        <PasswordInput
          name="again" label={t('account.passwordAgain')} autoComplete="new-password" required
          withAsterisk={false}
        />
        <Fault text={fault} />
        <div><Button type="submit" loading={isBusy}>{t('account.changePassword')}</Button></div>
      </form>
    </Card>
  );
}
