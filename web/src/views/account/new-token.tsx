import { Button, Checkbox, Radio, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent, ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { t } from '../../texts/texts.ts';
import type { MadeToken, NewToken as Wishes } from './account-keys.ts';
import { Fault } from './card.tsx';
import { CopyLine } from './copy-line.tsx';
import { fieldsOf, useAct } from './use-act.ts';

type Scope = Wishes['scopes'][number];

const SCOPES: readonly Scope[] = ['files:read', 'files:write', 'sharing', 'account', 'admin'];
const DAY_MS = 24 * 60 * 60_000;
const ENDS = [
  ['30', 'tokens.days30'], ['90', 'tokens.days90'], ['365', 'tokens.days365'],
  ['0', 'tokens.never'],
] as const;

export interface NewTokenProps {
  readonly isAdmin: boolean;
  readonly done: () => void;
}

export function NewToken({ isAdmin, done }: NewTokenProps): ReactNode {
  const [made, setMade] = useState<MadeToken>();
  if (made === undefined) return <TokenForm isAdmin={isAdmin} made={setMade} cancel={done} />;
  return (
    <div className="hf-form">
      <div className="hf-secret" role="status">
        <p className="hf-secret-lead">{t('tokens.once')}</p>
        <CopyLine label={made.label} value={made.token} />
      </div>
      <div className="hf-dialog-actions">
        <Button onClick={done}>{t('action.done')}</Button>
      </div>
    </div>
  );
}

function TokenForm({ isAdmin, made, cancel }: {
  readonly isAdmin: boolean; readonly made: (token: MadeToken) => void;
  readonly cancel: () => void;
}): ReactNode {
  const { isBusy, fault, run } = useAct();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = event.currentTarget;
    const field = fieldsOf(form);
    const scopes = SCOPES.filter((scope) => new FormData(form).getAll('scope').includes(scope));
    const days = Number(field('days'));
    run(async () => {
      if (scopes.length === 0) throw new Error(t('tokens.noScope'));
      made(await api.makeToken({
        body: {
          label: field('label').trim(), scopes,
          ...(days > 0 && { expiresAt: new Date(Date.now() + days * DAY_MS).toISOString() }),
        },
      }));
    });
  };
  return (
    <form className="hf-form" onSubmit={submit}>
      <TextInput
        name="label" label={t('tokens.label')} required maxLength={120} withAsterisk={false}
        description={t('tokens.labelText')} autoComplete="off" data-autofocus
      />
      <fieldset className="hf-fieldset">
        <legend>{t('tokens.scopes')}</legend>
        {SCOPES.filter((scope) => isAdmin || scope !== 'admin').map((scope) => (
          <Checkbox
            key={scope} name="scope" value={scope} label={t(`scope.${scope}`)}
            defaultChecked={scope === 'files:read'}
          />
        ))}
      </fieldset>
      <fieldset className="hf-fieldset hf-fieldset-row">
        <legend>{t('tokens.ends')}</legend>
        {ENDS.map(([days, label]) => (
          <Radio
            key={days} name="days" value={days} label={t(label)} defaultChecked={days === '90'}
          />
        ))}
      </fieldset>
      <Fault text={fault} />
      <div className="hf-dialog-actions">
        <Button variant="default" onClick={cancel}>{t('action.cancel')}</Button>
        <Button type="submit" loading={isBusy}>{t('tokens.make')}</Button>
      </div>
    </form>
  );
}
