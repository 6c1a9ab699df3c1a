import { Button } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { connection } from '../api/connection.ts';
import { useStore } from '../api/store.ts';
import { Icon } from '../parts/icons.tsx';
import { t } from '../texts/texts.ts';

const TICK_MS = 1000;

/** Says that the server is away, and when it is asked again. */
export function ConnectionBanner(): ReactNode {
  const { isReachable, nextTryAt } = useStore(connection.state);
  const [now, setNow] = useState(0);
  useEffect(() => {
    if (isReachable) return undefined;
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    setNow(Date.now());
    return () => clearInterval(timer);
  }, [isReachable]);
  if (isReachable) return null;
  const seconds = Math.max(1, Math.ceil(((nextTryAt ?? now) - now) / 1000));
  return (
    <div className="hf-banner" role="alert">
      <Icon name="offline" />
      <span>{t('connection.away')}</span>
      <small aria-hidden="true">
        {nextTryAt === undefined ? t('connection.trying') : t('connection.retry', { seconds })}
      </small>
      <Button size="compact-sm" variant="subtle" onClick={() => void connection.probe()}>
        {t('connection.now')}
      </Button>
    </div>
  );
}
