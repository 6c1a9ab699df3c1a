/** Setting a second step up: the password again, the QR code, a first code, the recovery codes. */
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent, ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { t } from '../../texts/texts.ts';
import { reloadAccount } from './account-keys.ts';
import type { NewSecondFactor } from './account-keys.ts';
import { Fault } from './card.tsx';
import { CopyLine } from './copy-line.tsx';
import { QrCode } from './qr-code.tsx';
import { RecoveryCodes } from './recovery-codes.tsx';
import { fieldsOf, useAct } from './use-act.ts';

export function TwoStepSetup({ done }: { readonly done: () => void }): ReactNode {
  const [begun, setBegun] = useState<NewSecondFactor>();
  const [codes, setCodes] = useState<readonly string[]>();
  if (codes !== undefined) return <RecoveryCodes codes={codes} done={done} />;
  if (begun === undefined) return <PasswordStep go={setBegun} cancel={done} />;
  return <CodeStep begun={begun} go={setCodes} />;
}

function PasswordStep({ go, cancel }: {
  readonly go: (begun: NewSecondFactor) => void; readonly cancel: () => void;
}): ReactNode {
  const { isBusy, fault, run } = useAct();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const password = fieldsOf(event.currentTarget)('password');
    run(async () => go(await api.beginSecondFactor({ body: { password } })));
  };
  return (
    <form className="hf-form" onSubmit={submit}>
      <p className="hf-dialog-text">{t('twoStep.beginText')}</p>
      <PasswordInput
        name="password" label={t('account.yourPassword')} autoComplete="current-password" required
        withAsterisk={false} data-autofocus
      />
      <Fault text={fault} />
      <div className="hf-dialog-actions">
        <Button variant="default" onClick={cancel}>{t('action.cancel')}</Button>
        <Button type="submit" loading={isBusy}>{t('account.next')}</Button>
      </div>
    </form>
  );
}

function CodeStep({ begun, go }: {
  readonly begun: NewSecondFactor; readonly go: (codes: readonly string[]) => void;
}): ReactNode {
  const { isBusy, fault, run } = useAct();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const code = fieldsOf(event.currentTarget)('code').trim();
    run(async () => {
      go((await api.turnOnSecondFactor({ body: { code } })).codes);
      await reloadAccount();
    });
  };
  return (
    <form className="hf-form" onSubmit={submit}>
      <ol className="hf-steps">
        <li>
          <p>{t('twoStep.scan')}</p>
          <QrCode text={begun.address} label={t('twoStep.qrLabel')} />
          <p className="hf-open-here"><a href={begun.address}>{t('twoStep.openHere')}</a></p>
          <details className="hf-fold">
            <summary>{t('twoStep.cannotScan')}</summary>
            <CopyLine label={t('twoStep.secret')} value={begun.secret} />
          </details>
        </li>
        <li>
          <TextInput
            name="code" label={t('twoStep.firstCode')} autoComplete="one-time-code" required
            inputMode="numeric" maxLength={12} withAsterisk={false} className="hf-code-field"
          />
        </li>
      </ol>
      <Fault text={fault} />
      <div className="hf-dialog-actions">
        <Button type="submit" loading={isBusy}>{t('twoStep.turnOn')}</Button>
      </div>
    </form>
  );
}
