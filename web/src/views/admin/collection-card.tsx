/** Garbage: what nobody needs any more, and how its room is given back. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { ErrorState, LoadingRows } from '../../parts/states.tsx';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { reload } from './lists.ts';
import { Badge, Card } from './pieces.tsx';
import { useIsInstallation } from './rights.ts';

const SOON_MS = 2_000;
const AGAIN_MS = 60_000;

export function CollectionCard(): ReactNode {
  const isOfAll = useIsInstallation();
  const { data, error, refetch } = useQuery({
    queryKey: ['admin', 'collection'], queryFn: ({ signal }) => api.getCollection({}, { signal }),
    refetchInterval: ({ state }) => (state.data?.isRunning === true ? SOON_MS : AGAIN_MS),
  });
  const begin = async (): Promise<void> => {
    try {
      await api.startCollection();
      say(t('admin.collectionBegun'));
    } catch (failure) {
      sayFailed(failure);
    }
    await reload('collection', 'jobs');
  };
  if (data === undefined) {
    return error === null ? <LoadingRows count={3} />
      : <ErrorState error={error} retry={() => void refetch()} />;
  }
  const { isOn, isRunning, censuses: [census], trashBytes, trashVolumes, unlinkedBytes } = data;
  return (
    <Card
      title={t('admin.collection')} action={isOfAll && isOn && (
        <Button
          size="compact-sm" variant="default" loading={isRunning} onClick={() => void begin()}
        >
          {t('admin.collectNow')}
        </Button>
      )}
    >
      <p>{t('admin.collectionText')}</p>
      <dl className="hf-facts">
        <dt>{t('admin.state')}</dt>
        <dd>
          <Badge tone={isOn ? 'good' : 'attention'}>
            {t(isRunning ? 'admin.collecting'
              : isOn ? 'admin.collectionOn' : 'admin.collectionOff')}
          </Badge>
        </dd>
        <dt>{t('admin.lastCensus')}</dt>
        <dd>{census === undefined ? t('admin.notYet') : timeText(census.beganAt)}</dd>
        {census !== undefined && (
          <>
            <dt>{t('admin.unneeded')}</dt><dd>{sizeText(census.unmetBytes)}</dd>
          </>
        )}
        <dt>{t('admin.inTrash')}</dt>
        <dd>{t('admin.trashVolumes', { count: trashVolumes, size: sizeText(trashBytes) })}</dd>
        <dt>{t('admin.givenBack')}</dt><dd>{sizeText(unlinkedBytes)}</dd>
      </dl>
      {census !== undefined && census.absentCount > 0 && (
        <p role="alert">
          <Badge tone="attention">{t('admin.absent', { count: census.absentCount })}</Badge>
        </p>
      )}
    </Card>
  );
}
