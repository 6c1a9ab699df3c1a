/** A value to be taken elsewhere, with a button that copies it. */
import { Button, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { copyText } from '../../parts/copy-text.ts';
import { Icon } from '../../parts/icons.tsx';
import { say } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';

const SAYS_MS = 2000;

export interface CopyLineProps {
  readonly label: string;
  readonly value: string;
}

export function CopyLine({ label, value }: CopyLineProps): ReactNode {
  const field = useRef<HTMLInputElement>(null);
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), SAYS_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async (): Promise<void> => {
    if (await copyText(value)) return setCopied(true);
    field.current?.select();
    say(t('account.copyByHand'), { kind: 'said' });
  };
  return (
    <div className="hf-copy-line">
      <TextInput
        ref={field} label={label} value={value} readOnly className="hf-copy-field"
        onFocus={({ currentTarget }) => currentTarget.select()} spellCheck={false}
      />
      <Button
        variant="default" onClick={() => void copy()} aria-label={t('account.copyIt', { label })}
        leftSection={<Icon name={isCopied ? 'check' : 'copy'} small />}
      >
        {isCopied ? t('account.copied') : t('account.copy')}
      </Button>
    </div>
  );
}
