/** What goes on in the background, and what went on lately. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Job } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { DataTable } from './data-table.tsx';
import type { Column } from './data-table.tsx';
import { PartHead } from './part-head.tsx';
import { Badge } from './pieces.tsx';
import type { Tone } from './pieces.tsx';

const AGAIN_MS = 5_000;
const TONES: Readonly<Record<Job['state'], Tone>> = {
  running: 'good', done: 'plain', waiting: 'plain', stopped: 'attention',
};

export function JobsTab(): ReactNode {
  const { data, error, refetch } = useQuery({
    queryKey: ['admin', 'jobs'], queryFn: ({ signal }) => api.listJobs({}, { signal }),
    refetchInterval: AGAIN_MS,
  });
  const rows = data?.items.toSorted((a, b) =>
    Number(b.state === 'running') - Number(a.state === 'running'));
  return (
    <>
      <PartHead title={t('admin.jobs')} lead={t('admin.jobsLead')} />
      {rows === undefined && (error === null ? <LoadingRows />
        : <ErrorState error={error} retry={() => void refetch()} />)}
      {rows !== undefined && (
        <DataTable
          label={t('admin.jobs')} rows={rows} keyOf={({ id }) => id} columns={COLUMNS}
          empty={<EmptyState icon="wait" title={t('admin.noJobs')} text={t('admin.noJobsText')} />}
        />
      )}
    </>
  );
}

const COLUMNS: readonly Column<Job>[] = [
  {
    key: 'what', label: t('admin.what'), width: 'minmax(150px, 1fr)',
    cell: ({ kind, what }) => (
      <span className="hf-cell-name">
        <span>
          <span>{t(`admin.job.${kind}`)}</span>
          {what !== undefined && (
            <small>
              {kind === 'verification' ? t(`admin.verifier.${what as 'disk-scrubber'}`) : what}
            </small>
          )}
        </span>
      </span>
    ),
  },
  {
    key: 'state', label: t('admin.state'), width: '100px',
    cell: ({ state }) => <Badge tone={TONES[state]}>{t(`admin.job.${state}`)}</Badge>,
  },
  {
    key: 'done', label: t('admin.progress'), width: '90px', isWide: true,
    cell: ({ doneCount, totalCount, skippedCount = 0 }) => (
      <small>
        {doneCount !== undefined && t('admin.jobDone', { count: doneCount })}
        {doneCount === undefined && totalCount !== undefined
          && t('admin.jobToDo', { count: totalCount })}
        {skippedCount > 0 && ` ${t('admin.jobSkipped', { count: skippedCount })}`}
      </small>
    ),
  },
  {
    key: 'by', label: t('admin.by'), width: '90px', isWide: true,
    cell: ({ by }) => <small>{by ?? t('admin.theServer')}</small>,
  },
  {
    key: 'began', label: t('admin.began'), width: '96px',
    cell: ({ beganAt }) => <small>{beganAt === undefined ? '' : timeText(beganAt)}</small>,
  },
  {
    key: 'ended', label: t('admin.ended'), width: '96px', isWide: true,
    cell: ({ endedAt }) => <small>{endedAt === undefined ? '' : timeText(endedAt)}</small>,
  },
];
