/** One device that is held back: what it has done, and the question whether that was meant. */
import { Button, Group } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Quarantine } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { kindOf } from '../../parts/file-kind.ts';
import { Icon } from '../../parts/icons.tsx';
import { ErrorState, LoadingRows } from '../../parts/states.tsx';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { INBOX_KEY } from './use-inbox.ts';

type Decision = 'keep' | 'undo';

export function HeldCard({ quarantine }: { readonly quarantine: Quarantine }): ReactNode {
  const [isShown, setShown] = useState(false);
  const [asked, setAsked] = useState<Decision>();
  const { device, heldCount: count, user, openedAt } = quarantine;
  return (
    <article className="hf-waiting">
      <header>
        <span className="hf-act hf-act-deleted"><Icon name="shield" small /></span>
        <div>
          <h3>{t('inbox.heldHead', { device })}</h3>
          <small>{t('inbox.heldBy', { user, count, time: timeText(openedAt) })}</small>
        </div>
      </header>
      <p>{t('inbox.heldText')}</p>
      <Group gap={10}>
        <Button onClick={() => setAsked('undo')}>{t('inbox.heldUndo')}</Button>
        <Button variant="default" onClick={() => setAsked('keep')}>{t('inbox.heldKeep')}</Button>
        <Button variant="subtle" aria-expanded={isShown} onClick={() => setShown(!isShown)}>
          {t('inbox.heldShow')}
        </Button>
      </Group>
      {isShown && <HeldList id={quarantine.id} />}
      <Dialog
        title={t(asked === 'keep' ? 'inbox.askKeep' : 'inbox.askUndo')}
        isOpen={asked !== undefined} onClose={() => setAsked(undefined)}
      >
        <p className="hf-waiting-words">
          {asked === 'keep' ? t('inbox.askKeepText', { count }) : t('inbox.askUndoText')}
        </p>
        <Group justify="flex-end" gap={10}>
          <Button variant="default" onClick={() => setAsked(undefined)} data-autofocus>
            {t('action.cancel')}
          </Button>
          <Button
            {...(asked === 'keep' && { color: 'red', 'data-danger': true })}
            onClick={() => {
              setAsked(undefined);
              if (asked !== undefined) void decide(quarantine.id, asked);
            }}
          >
            {t(asked === 'keep' ? 'inbox.heldKeep' : 'inbox.heldUndo')}
          </Button>
        </Group>
      </Dialog>
    </article>
  );
}

async function decide(id: string, decision: Decision): Promise<void> {
  try {
    if (decision === 'undo') {
      await api.undoHeld({ id });
      say(t('inbox.heldUndone'));
    } else {
      const { batchId } = await api.keepHeld({ id });
      const undo = batchId === undefined ? undefined : async (): Promise<void> => {
        await api.undoBatch({ id: batchId });
      };
      say(t('inbox.heldKept'), { undo });
    }
  } catch (error) {
    sayFailed(error);
  }
  await queryClient.invalidateQueries({ queryKey: INBOX_KEY });
}

const HELD_PAGE_ITEMS = 50;

function HeldList({ id }: { readonly id: string }): ReactNode {
  const query = useInfiniteQuery({
    queryKey: [...INBOX_KEY, 'held', id],
    queryFn: ({ pageParam, signal }) => api.listHeld({
      id, limit: HELD_PAGE_ITEMS, ...(pageParam !== undefined && { cursor: pageParam }),
    }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  if (error !== null) return <ErrorState error={error} retry={() => void refetch()} />;
  if (data === undefined) return <LoadingRows count={3} />;
  return (
    <>
      <ul className="hf-held">
        {data.pages.flatMap(({ items }) => items).map((held) => {
          const { icon, colour } = kindOf({ kind: held.nodeKind, name: held.name });
          return (
            <li key={held.id}>
              <span className={`hf-kind hf-kind-${colour}`}><Icon name={icon} small /></span>
              <span>{held.path ?? held.name}</span>
              <small>
                {t(held.kind === 'deleted' ? 'inbox.heldDeleted' : 'inbox.heldContent')}
              </small>
            </li>
          );
        })}
      </ul>
      {hasNextPage && (
        <Button
          variant="default" size="compact-sm" loading={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {t('time.more')}
        </Button>
      )}
    </>
  );
}
