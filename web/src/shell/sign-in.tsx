import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent, ReactNode } from 'react';
import { api } from '../api/client.ts';
import { isStatus, reasonOf } from '../api/http.ts';
import { queryClient } from '../api/query-client.ts';
import { t } from '../texts/texts.ts';
import { Brand } from './brand.tsx';
import './sign-in.css';

/** `hadSession`: somebody was at work here, and what is on the way goes on afterwards. */
export function SignIn({ hadSession }: { readonly hadSession: boolean }): ReactNode {
  const [fault, setFault] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const textOf = (name: string): string => {
      const value = form.get(name);
      return typeof value === 'string' ? value : '';
    };
    setBusy(true);
    setFault(undefined);
    try {
      await api.signIn({ body: { user: textOf('user'), password: textOf('password') } });
      await queryClient.resetQueries();
    } catch (error) {
      setFault(isStatus(error, 401) ? t('signIn.wrong') : reasonOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="hf-sign-in">
      <form className="hf-sign-in-card" onSubmit={(event) => void submit(event)}>
        <Brand />
        <h1>{t('signIn.title')}</h1>
        <p className="hf-sign-in-lead">{hadSession ? t('signIn.ended') : t('signIn.lead')}</p>
        {fault !== undefined && <p className="hf-sign-in-fault" role="alert">{fault}</p>}
        <TextInput
          name="user" label={t('signIn.user')} autoComplete="username" autoCapitalize="none"
          spellCheck={false} required autoFocus size="md" withAsterisk={false}
        />
        <PasswordInput
          name="password" label={t('signIn.password')} autoComplete="current-password" required
          size="md" withAsterisk={false}
        />
        <Button type="submit" size="md" fullWidth loading={isBusy}>{t('signIn.submit')}</Button>
      </form>
    </main>
  );
}
