/** Rows of what gives access: a name, what is known of it, a button that ends it. */
import { Button } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icons.tsx';
import type { IconName } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';
import { Fault } from './card.tsx';
import { useAct } from './use-act.ts';

export interface AccessRow {
  readonly id: string;
  readonly name: string;
  readonly facts: readonly string[];
  readonly mark?: string | undefined;
  /** It cannot be ended here. */
  readonly isFixed?: boolean;
}

export interface AccessRowsProps {
  readonly label: string;
  readonly icon: IconName;
  readonly rows: readonly AccessRow[];
  /** What the button says. */
  readonly act: string;
  /** Asked before, with the name in it. */
  readonly title: (name: string) => string;
  readonly warning: string;
  readonly end: (id: string) => Promise<void>;
}

export function AccessRows(props: AccessRowsProps): ReactNode {
  const { label, icon, rows, act, title, warning, end } = props;
  const [doomed, setDoomed] = useState<AccessRow>();
  const { isBusy, fault, run } = useAct();
  const close = (): void => setDoomed(undefined);
  return (
    <>
      <ul className="hf-access" aria-label={label}>
        {rows.map((row) => (
          <li key={row.id}>
            <span className="hf-access-icon"><Icon name={icon} /></span>
            <div className="hf-access-what">
              <strong>{row.name}</strong>
              {row.mark !== undefined && <span className="hf-mark">{row.mark}</span>}
              <small>{row.facts.join(' · ')}</small>
            </div>
            {row.isFixed !== true && (
              <Button
                variant="default" size="xs" onClick={() => setDoomed(row)}
                aria-label={`${act}: ${row.name}`}
              >
                {act}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Dialog title={title(doomed?.name ?? '')} isOpen={doomed !== undefined} onClose={close}>
        <p className="hf-dialog-text">{warning}</p>
        <Fault text={fault} />
        <div className="hf-dialog-actions">
          <Button variant="default" onClick={close}>{t('action.cancel')}</Button>
          <Button
            data-danger loading={isBusy}
            onClick={() => run(async () => {
              if (doomed !== undefined) await end(doomed.id);
              close();
            })}
          >
            {act}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
