/** The recovery codes, this once: to be copied, kept as a file, or printed. */
import { Button, Checkbox } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { copyText } from '../../parts/copy-text.ts';
import { Icon } from '../../parts/icons.tsx';
import { say } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';

export interface RecoveryCodesProps {
  readonly codes: readonly string[];
  readonly done: () => void;
}

export function RecoveryCodes({ codes, done }: RecoveryCodesProps): ReactNode {
  const [isKept, setKept] = useState(false);
  const text = [t('recovery.fileTitle', { host: location.host }), '', ...codes, ''].join('\n');
  const copy = async (): Promise<void> => {
    const isCopied = await copyText(text);
    say(t(isCopied ? 'account.copied' : 'account.copyByHand'), { kind: 'said' });
  };
  return (
    <div className="hf-form">
      <p className="hf-dialog-text">{t('recovery.text')}</p>
      <div className="hf-codes">
        <p className="hf-codes-title">{t('recovery.fileTitle', { host: location.host })}</p>
        <ol aria-label={t('recovery.label')}>
          {codes.map((code) => <li key={code}><code>{code}</code></li>)}
        </ol>
      </div>
      <div className="hf-card-actions">
        <Button
          variant="default" leftSection={<Icon name="copy" small />} onClick={() => void copy()}
        >
          {t('account.copy')}
        </Button>
        <Button
          variant="default" component="a" download="holdfast-recovery-codes.txt"
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`}
          leftSection={<Icon name="download" small />}
        >
          {t('recovery.download')}
        </Button>
        <Button
          variant="default" leftSection={<Icon name="document" small />}
          onClick={() => window.print()}
        >
          {t('recovery.print')}
        </Button>
      </div>
      <Checkbox
        label={t('recovery.kept')} checked={isKept}
        onChange={({ currentTarget }) => setKept(currentTarget.checked)}
      />
      <div className="hf-dialog-actions">
        <Button disabled={!isKept} onClick={done}>{t('action.done')}</Button>
      </div>
    </div>
  );
}
