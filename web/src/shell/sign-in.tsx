/** Name and password and, where the account asks for it, a code. */
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent, ReactNode } from 'react';
import { api } from '../api/client.ts';
import { Problem, reasonOf } from '../api/http.ts';
import { queryClient } from '../api/query-client.ts';
import { t } from '../texts/texts.ts';
import { Brand } from './brand.tsx';
import './sign-in.css';

/** What was right so far. Kept only here, and only until the code was right too. */
interface Half {
  readonly user: string;
  readonly password: string;
}

/** `hadSession`: somebody was at work here, and what is on the way goes on afterwards. */
export function SignIn({ hadSession }: { readonly hadSession: boolean }): ReactNode {
  const [half, setHalf] = useState<Half>();
  const [fault, setFault] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const send = async (who: Half, code?: string): Promise<void> => {
    setBusy(true);
    setFault(undefined);
    try {
      await api.signIn({ body: { ...who, ...(code !== undefined && { code }) } });
      await queryClient.resetQueries();
    } catch (error) {
      const problem = error instanceof Problem ? error.code : undefined;
      if (problem === 'second-factor-required') return setHalf(who);
      if (problem === 'sign-in-refused') setHalf(undefined);
      setFault(problem === 'sign-in-refused' ? t('signIn.wrong') : reasonOf(error));
    } finally {
      setBusy(false);
    }
  };
  const again = (): void => {
    setHalf(undefined);
    setFault(undefined);
  };
  const shared = { fault, isBusy };
  return (
    <main className="hf-sign-in">
      {half === undefined
        ? <PasswordStep {...shared} hadSession={hadSession} send={send} />
        : <CodeStep {...shared} send={(code) => send(half, code)} again={again} />}
    </main>
  );
}

interface StepProps {
  readonly fault: string | undefined;
  readonly isBusy: boolean;
}

function PasswordStep({ fault, isBusy, hadSession, send }: StepProps & {
  readonly hadSession: boolean; readonly send: (who: Half) => Promise<void>;
}): ReactNode {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    void send({ user: textIn(form, 'user'), password: textIn(form, 'password') });
  };
  return (
    <form className="hf-sign-in-card" onSubmit={submit}>
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
  );
}

function CodeStep({ fault, isBusy, send, again }: StepProps & {
  readonly send: (code: string) => Promise<void>; readonly again: () => void;
}): ReactNode {
  const [isRecovery, setRecovery] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    void send(textIn(new FormData(event.currentTarget), 'code').trim());
  };
  return (
    <form className="hf-sign-in-card" onSubmit={submit}>
      <Brand />
      <h1>{t('signIn.codeTitle')}</h1>
      <p className="hf-sign-in-lead">
        {t(isRecovery ? 'signIn.recoveryLead' : 'signIn.codeLead')}
      </p>
      {fault !== undefined && <p className="hf-sign-in-fault" role="alert">{fault}</p>}
      <TextInput
        key={String(isRecovery)} name="code" required autoFocus size="md" withAsterisk={false}
        label={t(isRecovery ? 'signIn.recoveryCode' : 'signIn.code')} autoCapitalize="none"
        spellCheck={false} maxLength={40} autoComplete={isRecovery ? 'off' : 'one-time-code'}
        inputMode={isRecovery ? 'text' : 'numeric'} className="hf-sign-in-code"
      />
      <Button type="submit" size="md" fullWidth loading={isBusy}>{t('signIn.submit')}</Button>
      <div className="hf-sign-in-ways">
        <button type="button" onClick={() => setRecovery(!isRecovery)}>
          {t(isRecovery ? 'signIn.useCode' : 'signIn.useRecovery')}
        </button>
        <button type="button" onClick={again}>{t('signIn.other')}</button>
      </div>
    </form>
  );
}

function textIn(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}
