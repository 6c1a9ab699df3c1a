import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { ErrorState, LoadingRows } from '../../parts/states.tsx';
import { say } from '../../parts/toasts.tsx';
import { timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { AccessRows } from './access-rows.tsx';
import { SESSIONS_KEY } from './account-keys.ts';
import { Card, Fault } from './card.tsx';
import { useAct } from './use-act.ts';

export function SessionsCard(): ReactNode {
  const { data, error, refetch } = useQuery({
    queryKey: SESSIONS_KEY, queryFn: ({ signal }) => api.listSessions({ signal }),
  });
  const reload = (): Promise<void> => queryClient.invalidateQueries({ queryKey: SESSIONS_KEY });
  // The own one first, then the one that was used last.
  const sessions = [...data?.items ?? []].sort((a, b) => (
    Number(b.isCurrent) - Number(a.isCurrent)
    || (b.lastUsedAt ?? b.createdAt).localeCompare(a.lastUsedAt ?? a.createdAt)
  ));
  return (
    <Card
      title={t('sessions.title')} lead={t('sessions.lead')}
      action={sessions.some(({ isCurrent }) => !isCurrent) && <EndOthers reload={reload} />}
    >
      {data === undefined && error !== null
        && <ErrorState error={error} retry={() => void refetch()} />}
      {data === undefined && error === null && <LoadingRows count={2} />}
      <AccessRows
        label={t('sessions.title')} icon="computer" act={t('sessions.end')}
        rows={sessions.map(({ id, name, createdAt, lastUsedAt, isCurrent }) => ({
          id, name, isFixed: isCurrent, mark: isCurrent ? t('sessions.current') : undefined,
          facts: [
            t('account.signedInAt', { time: timeText(createdAt) }),
            ...(lastUsedAt === undefined
              ? [] : [t('account.usedAt', { time: timeText(lastUsedAt) })]),
          ],
        }))}
        title={(name) => t('sessions.endTitle', { name })} warning={t('sessions.endText')}
        end={async (id) => {
          await api.endSession({ id });
          await reload();
          say(t('sessions.ended'));
        }}
      />
    </Card>
  );
}

function EndOthers({ reload }: { readonly reload: () => Promise<void> }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const { isBusy, fault, run } = useAct();
  const close = (): void => setOpen(false);
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>{t('sessions.endOthers')}</Button>
      <Dialog title={t('sessions.endOthersTitle')} isOpen={isOpen} onClose={close}>
        <p className="hf-dialog-text">{t('sessions.endText')}</p>
        <Fault text={fault} />
        <div className="hf-dialog-actions">
          <Button variant="default" onClick={close}>{t('action.cancel')}</Button>
          <Button
            data-danger loading={isBusy}
            onClick={() => run(async () => {
              await api.endOtherSessions();
              await reload();
              close();
              say(t('sessions.othersEnded'));
            })}
          >
            {t('sessions.endOthers')}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
