/** How everything is, at a glance: what needs somebody first, each with where to go on. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { hrefOf } from '../../parts/address.ts';
import { Link } from '../../parts/link.tsx';
import { ErrorState, LoadingRows } from '../../parts/states.tsx';
import { sizeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { HealthTiles, useHealth } from './health.tsx';
import { PartHead } from './part-head.tsx';
import { Card, Notice, Tile, Tiles } from './pieces.tsx';
import { useIsInstallation } from './rights.ts';
import { useDisks, useStorage } from './storage.tsx';
import { ReadNotice, useVerifiers } from './verifiers.tsx';
import { warningsOf } from './warnings.ts';

export function Overview(): ReactNode {
  const isOfAll = useIsInstallation();
  const health = useHealth(isOfAll);
  const storage = useStorage();
  const disks = useDisks(isOfAll && storage.data?.kind === 'disks');
  const verifiers = useVerifiers();
  const quotas = useQuery({
    queryKey: ['admin', 'quotas'], queryFn: ({ signal }) => api.listQuotas({}, { signal }),
  });
  const asked = [storage, verifiers, quotas, ...(isOfAll ? [health] : [])];
  const failed = asked.find(({ error, data }) => error !== null && data === undefined);
  const isReady = asked.every(({ data }) => data !== undefined)
    && (!disks.isLoading || disks.error !== null);
  const warnings = warningsOf({
    health: health.data, storage: storage.data, disks: disks.data, verifiers: verifiers.data,
    quotas: quotas.data,
  });
  return (
    <>
      <PartHead title={t('admin.overview')} lead={t('admin.overviewLead')} />
      <div className="hf-admin-scroll" tabIndex={0} role="region" aria-label={t('admin.overview')}>
        {failed !== undefined && (
          <ErrorState
            error={failed.error} title={t('admin.notAllKnown')}
            retry={() => void Promise.all(asked.map(({ refetch }) => refetch()))}
          />
        )}
        {failed === undefined && !isReady && <LoadingRows count={4} />}
        <ul className="hf-notices" aria-label={t('admin.warnings')}>
          {isReady && failed === undefined && warnings.length === 0 && (
            <Notice tone="good" title={t('admin.allWell')} text={t('admin.allWellText')} />
          )}
          {warnings.map((warning) => <Notice key={warning.title} {...warning} />)}
          {verifiers.data !== undefined && <ReadNotice verifiers={verifiers.data} />}
        </ul>
        {health.data !== undefined && (
          <Card
            title={t('admin.server')}
            action={<Link href={hrefOf('/admin/health')}>{t('admin.toPlots')}</Link>}
          >
            <HealthTiles health={health.data} />
          </Card>
        )}
        {quotas.data !== undefined && (
          <Card
            title={t('admin.people')}
            action={<Link href={hrefOf('/admin/users')}>{t('admin.toUsers')}</Link>}
          >
            <PeopleTiles rows={quotas.data.items} isWhole={quotas.data.isWhole} />
          </Card>
        )}
      </div>
    </>
  );
}

function PeopleTiles({ rows, isWhole }: {
  readonly rows: readonly { kind: string; usedBytes: number }[]; readonly isWhole: boolean;
}): ReactNode {
  const count = (kind: string): string =>
    `${rows.filter((row) => row.kind === kind).length}${isWhole ? '' : '+'}`;
  const used = rows.find(({ kind }) => kind === 'tenant')?.usedBytes ?? 0;
  return (
    <Tiles>
      <Tile label={t('admin.withFiles')} value={count('personal')} />
      <Tile label={t('admin.spaces')} value={count('team')} />
      <Tile label={t('admin.filesTogether')} value={sizeText(used)} />
    </Tiles>
  );
}
