/** What waits for a decision: changes of a device that are held back, and conflict copies. */
import type { ReactNode } from 'react';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { t } from '../../texts/texts.ts';
import { ConflictCard } from './conflict-card.tsx';
import { HeldCard } from './held-card.tsx';
import type { Inbox } from './use-inbox.ts';

export function InboxList({ inbox }: { readonly inbox: Inbox }): ReactNode {
  const { held, conflicts, count, isLoading, error, retry } = inbox;
  if (count === 0 && isLoading) return <LoadingRows count={3} />;
  if (count === 0 && error !== null) return <ErrorState error={error} retry={retry} />;
  if (count === 0) {
    return <EmptyState icon="check" title={t('inbox.empty')} text={t('inbox.emptyText')} />;
  }
  return (
    <div className="hf-inbox">
      {held.length > 0 && (
        <section>
          <h2>{t('inbox.heldTitle')}</h2>
          {held.map((one) => <HeldCard key={one.id} quarantine={one} />)}
        </section>
      )}
      {conflicts.length > 0 && (
        <section>
          <h2>{t('inbox.conflicts')}</h2>
          <p>{t('inbox.conflictText')}</p>
          {conflicts.map((act) => <ConflictCard key={act.id} act={act} />)}
        </section>
      )}
    </div>
  );
}
