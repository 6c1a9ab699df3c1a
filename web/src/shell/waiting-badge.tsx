/** How many things wait for a decision, in the navigation. */
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { t } from '../texts/texts.ts';
import { useInbox } from '../views/activity/use-inbox.ts';

/** What the first picture needs goes first. */
const ASK_AFTER_MS = 2_000;

export function WaitingBadge(): ReactNode {
  const [isDue, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), ASK_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return isDue && <WaitingCount />;
}

/** Where it is seen only later, as in a menu. */
export function WaitingCount(): ReactNode {
  const { count } = useInbox();
  if (count === 0) return null;
  return (
    <b className="hf-nav-badge">
      <span aria-hidden="true">{count}</span>
      <span className="hf-hidden">{t('activity.waitingCount', { count })}</span>
    </b>
  );
}
