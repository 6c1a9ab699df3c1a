/** A password for somebody else: typed, or made up and shown so that it can be passed on. */
import { Button, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { say } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';

/** Without those that are taken for one another. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const GROUPS = 4;
const GROUP_LETTERS = 5;
const LENGTH_MIN = 10;

export function isGoodPassword(password: string): boolean {
  return password.length >= LENGTH_MIN;
}

export function PasswordField(
  { value, onChange }: { readonly value: string; readonly onChange: (value: string) => void },
): ReactNode {
  const make = (): void => {
    const password = madeUp();
    onChange(password);
    void navigator.clipboard?.writeText(password).then(
      () => say(t('admin.passwordCopied')), () => undefined, // It stands in the field all the same.
    );
  };
  return (
    <div className="hf-inline-form">
      <TextInput
        label={t('admin.password')} description={t('admin.passwordText')} value={value}
        spellCheck={false} autoComplete="off"
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <Button variant="default" onClick={make}>{t('admin.makePassword')}</Button>
    </div>
  );
}

function madeUp(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(GROUPS * GROUP_LETTERS));
  // 32 letters divide 256: each is as likely as the others.
  const letters = [...bytes].map((byte) => LETTERS[byte % LETTERS.length] ?? '').join('');
  return letters.match(/.{5}/g)?.join('-') ?? letters;
}
