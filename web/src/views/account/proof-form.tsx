/** Password and code again, before something that a stranger at this screen must not do. */
import { Button, PasswordInput, TextInput } from '@mantine/core';
import type { FormEvent, ReactNode } from 'react';
import { t } from '../../texts/texts.ts';
import { Fault } from './card.tsx';
import { fieldsOf, useAct } from './use-act.ts';

export interface Proof {
  readonly password: string;
  readonly code: string;
}

export interface ProofFormProps {
  readonly text: string;
  readonly submit: string;
  readonly isDanger?: boolean;
  readonly act: (proof: Proof) => Promise<void>;
  readonly cancel: () => void;
}

export function ProofForm(props: ProofFormProps): ReactNode {
  const { text, submit, isDanger = false, act, cancel } = props;
  const { isBusy, fault, run } = useAct();
  const send = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const field = fieldsOf(event.currentTarget);
    run(() => act({ password: field('password'), code: field('code').trim() }));
  };
  return (
    <form className="hf-form" onSubmit={send}>
      <p className="hf-dialog-text">{text}</p>
      <PasswordInput
        name="password" label={t('account.yourPassword')} autoComplete="current-password" required
        withAsterisk={false} data-autofocus
      />
      <TextInput
        name="code" label={t('twoStep.codeOrRecovery')} autoComplete="one-time-code" required
        maxLength={40} autoCapitalize="none" spellCheck={false} withAsterisk={false}
      />
      <Fault text={fault} />
      <div className="hf-dialog-actions">
        <Button variant="default" onClick={cancel}>{t('action.cancel')}</Button>
        <Button type="submit" loading={isBusy} {...(isDanger && { 'data-danger': true })}>
          {submit}
        </Button>
      </div>
    </form>
  );
}
