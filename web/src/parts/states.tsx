/** What stands where content would: nothing there, still loading, did not work. */
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { Problem, Unreachable, reasonOf } from '../api/http.ts';
import { t } from '../texts/texts.ts';
import { Icon } from './icons.tsx';
import type { IconName } from './icons.tsx';
import './states.css';

export interface EmptyStateProps {
  readonly icon: IconName;
  readonly title: string;
  readonly text?: string;
  readonly children?: ReactNode;
}

export function EmptyState({ icon, title, text, children }: EmptyStateProps): ReactNode {
  return (
    <div className="hf-state">
      <span className="hf-state-icon"><Icon name={icon} /></span>
      <h2>{title}</h2>
      {text !== undefined && <p>{text}</p>}
      {children !== undefined && <div className="hf-state-actions">{children}</div>}
    </div>
  );
}

export interface ErrorStateProps {
  readonly error: unknown;
  readonly title?: string;
  readonly retry?: () => void;
}

export function ErrorState({ error, title, retry }: ErrorStateProps): ReactNode {
  const away = error instanceof Unreachable;
  return (
    <div className="hf-state" role="alert">
      <span className="hf-state-icon hf-state-bad"><Icon name={away ? 'offline' : 'alert'} /></span>
      <h2>{title ?? (away ? t('error.unreachable') : t('error.title'))}</h2>
      <p>{reasonOf(error)}</p>
      {error instanceof Problem && error.requestId !== undefined && error.status >= 500 && (
        <p className="hf-state-fact">
          {t('error.request', { id: error.requestId.replace(/^urn:holdfast:request:/, '') })}
        </p>
      )}
      {retry && (
        <div className="hf-state-actions">
          <Button variant="default" leftSection={<Icon name="retry" small />} onClick={retry}>
            {t('action.retry')}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Rows in waiting. They show after a moment only: what comes at once needs none. */
export function LoadingRows({ count = 8 }: { readonly count?: number }): ReactNode {
  return (
    <div className="hf-loading" role="status" aria-label={t('loading')}>
      {Array.from({ length: count }, (_, at) => (
        <div key={at} className="hf-loading-row" aria-hidden="true"><i /><b /><u /></div>
      ))}
    </div>
  );
}
