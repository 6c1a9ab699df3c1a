import type { ReactNode } from 'react';
import { sizeText } from '../texts/figures.ts';
import { t } from '../texts/texts.ts';
import { useSession } from './session-gate.tsx';

const FULL_PERCENT = 95;

export function QuotaMeter(): ReactNode {
  const { usedBytes, limitBytes } = useSession().quota;
  const used = sizeText(usedBytes);
  if (limitBytes === undefined || limitBytes <= 0) {
    return <p className="hf-quota" style={{ margin: 0 }}>{t('quota.used', { used })}</p>;
  }
  const percent = Math.min(100, (usedBytes / limitBytes) * 100);
  return (
    <div className="hf-quota">
      <div
        className="hf-quota-bar" role="meter" aria-label={t('quota.label')}
        aria-valuenow={Math.round(percent)} aria-valuemin={0} aria-valuemax={100}
      >
        <i style={{ width: `${percent}%` }} {...(percent > FULL_PERCENT && { 'data-full': '' })} />
      </div>
      {t('quota.usedOf', { used, limit: sizeText(limitBytes) })}
    </div>
  );
}
