import type { ReactNode } from 'react';
import { t } from '../texts/texts.ts';

export function Brand(): ReactNode {
  return (
    <span className="hf-brand">
      <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="9" fill="var(--hf-accent)" />
        <g
          fill="none" stroke="var(--hf-on-accent)" strokeWidth="2.2" strokeLinecap="round"
          strokeLinejoin="round"
        >
          <path d="M16 6 8 9v6.2c0 5 3.3 8.5 8 10.8 4.7-2.3 8-5.8 8-10.8V9z" />
          <path d="m12.5 15.8 2.6 2.6 4.7-4.9" />
        </g>
      </svg>
      <span>{t('app.name')}</span>
    </span>
  );
}
