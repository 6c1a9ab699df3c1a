/** Where files lie: disks and what can be done with them, copies, the mirror, and garbage. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Disk, Disks, Storage } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { isStatus } from '../../api/http.ts';
import { ErrorState, LoadingRows } from '../../parts/states.tsx';
import { remainingText, sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { CollectionCard } from './collection-card.tsx';
import { DiskWindow } from './disk-window.tsx';
import type { DiskAction } from './disk-window.tsx';
import { PartHead } from './part-head.tsx';
import { Badge, Bar, Card, Notice, Tile, Tiles } from './pieces.tsx';
import { useIsInstallation } from './rights.ts';

const AGAIN_MS = 15_000;

export function useStorage() {
  return useQuery({
    queryKey: ['admin', 'storage'], queryFn: ({ signal }) => api.getStorage({}, { signal }),
    refetchInterval: AGAIN_MS,
  });
}

export function useDisks(isOn: boolean) {
  return useQuery({
    queryKey: ['admin', 'disks'], queryFn: ({ signal }) => api.listDisks({}, { signal }),
    refetchInterval: AGAIN_MS, enabled: isOn,
    retry: (count, error) => !isStatus(error, 409) && count < 2,
  });
}

export function StorageTab(): ReactNode {
  const isOfAll = useIsInstallation();
  const storage = useStorage();
  const disks = useDisks(isOfAll && storage.data?.kind === 'disks');
  const { error, refetch } = storage;
  return (
    <>
      <PartHead title={t('admin.storage')} lead={t('admin.storageLead')} />
      {storage.data === undefined && (error === null ? <LoadingRows />
        : <ErrorState error={error} retry={() => void refetch()} />)}
      {storage.data !== undefined && (
        <div
          className="hf-admin-scroll" tabIndex={0} role="region" aria-label={t('admin.storage')}
        >
          <StorageTiles storage={storage.data} />
          {disks.data !== undefined && <DiskCards disks={disks.data} />}
          {disks.error !== null && (
            <ErrorState error={disks.error} retry={() => void disks.refetch()} />
          )}
          {storage.data.kind === 'objects' && (
            <ul className="hf-notices">
              <Notice tone="plain" title={t('admin.inObjects')} text={t('admin.inObjectsText')} />
            </ul>
          )}
          <MirrorCard storage={storage.data} />
          <CollectionCard />
        </div>
      )}
    </>
  );
}

function StorageTiles({ storage }: { readonly storage: Storage }): ReactNode {
  const { copies, diskCount, waitingVolumes, damagedCount, kind, refusesWrites } = storage;
  const { storedBytes } = storage;
  return (
    <Tiles>
      <Tile
        label={t('admin.copies')} value={copies ?? '–'}
        tone={copies === 1 ? 'attention' : 'plain'}
        detail={kind === 'objects' ? t('admin.copiesElsewhere')
          : t('admin.onDisks', { count: diskCount })}
      />
      <Tile label={t('admin.stored')} value={sizeText(storedBytes)} />
      <Tile
        label={t('admin.waiting')} value={waitingVolumes}
        tone={waitingVolumes > 0 ? 'attention' : 'plain'}
      />
      <Tile
        label={t('admin.damaged')} value={damagedCount}
        tone={damagedCount > 0 ? 'attention' : 'plain'}
      />
      <Tile
        label={t('admin.writes')}
        value={t(refusesWrites === undefined
          ? 'admin.writesFine' : `admin.writes.${refusesWrites}`)}
        tone={refusesWrites === undefined ? 'good' : 'attention'}
      />
    </Tiles>
  );
}

function DiskCards({ disks }: { readonly disks: Disks }): ReactNode {
  const [asked, setAsked] = useState<{ disk: Disk; action: DiskAction }>();
  const { isSingle, items, repair, erasure } = disks;
  return (
    <>
      <Card title={t('admin.disks')}>
        {isSingle ? <p>{t('admin.singleDisk')}</p> : (
          <ul className="hf-list" aria-label={t('admin.disks')}>
            {items.map((disk) => (
              <DiskRow key={disk.id} disk={disk} ask={(action) => setAsked({ disk, action })} />
            ))}
          </ul>
        )}
        {isSingle && <p className="hf-mono">holdfast disk add &lt;folder&gt;</p>}
      </Card>
      {repair !== undefined && (
        <Card title={t('admin.repair')}>
          {repair.volumesWaiting === 0 ? <p>{t('admin.repairNone')}</p> : (
            <p>
              {t('admin.repairWaiting', {
                count: repair.volumesWaiting, size: sizeText(repair.toDoBytes),
              })}
              {repair.remainingMs !== undefined
                && ` ${t('admin.repairRemaining', {
                  time: remainingText(repair.remainingMs / 1000),
                })}`}
            </p>
          )}
          {repair.blockedCount > 0
            && <p>{t('admin.repairBlocked', { count: repair.blockedCount })}</p>}
        </Card>
      )}
      {erasure !== undefined && erasure.sets > 0 && (
        <Card title={t('admin.erasure')}>
          <p>{t('admin.erasureSets', { count: erasure.sets })}</p>
        </Card>
      )}
      {asked !== undefined && (
        <DiskWindow {...asked} close={() => setAsked(undefined)} />
      )}
    </>
  );
}

function DiskRow(
  { disk, ask }: { readonly disk: Disk; readonly ask: (action: DiskAction) => void },
): ReactNode {
  const { id, where, host, state, answers, freeBytes, totalBytes, volumeCount, neededCount } = disk;
  const room = freeBytes === undefined || totalBytes === undefined ? undefined
    : t('admin.freeOf', { free: sizeText(freeBytes), total: sizeText(totalBytes) });
  const isDraining = state === 'draining';
  return (
    <li>
      <span>
        {where}
        <small>
          <span title={id}>{id.slice(0, 8)}</span>
          {` · ${host} · ${t('admin.volumes', { count: volumeCount })}`}
          {neededCount > 0 && ` · ${t('admin.needed', { count: neededCount })}`}
        </small>
      </span>
      {room !== undefined && freeBytes !== undefined && totalBytes !== undefined && (
        <span style={{ width: '150px' }}>
          <small>{room}</small>
          <Bar share={1 - freeBytes / Math.max(1, totalBytes)} label={room} />
        </span>
      )}
      <Badge tone={answers && state === 'active' ? 'good' : 'attention'}>
        {answers ? stateText(state) : t('admin.silent')}
      </Badge>
      <Button
        size="compact-sm" variant="default"
        onClick={() => ask(isDraining ? 'undrain' : 'drain')}
        aria-label={t(isDraining ? 'admin.disk.undrainTitle' : 'admin.disk.drainTitle', { where })}
      >
        {t(isDraining ? 'admin.disk.undrain' : 'admin.disk.drain')}
      </Button>
      <Button
        size="compact-sm" variant="subtle" color="red" onClick={() => ask('retire')}
        aria-label={t('admin.disk.retireTitle', { where })}
      >
        {t('admin.disk.retire')}
      </Button>
    </li>
  );
}

const STATES = ['active', 'readonly', 'draining', 'missing', 'retired'] as const;

function stateText(state: string): string {
  const known = STATES.find((one) => one === state);
  return known === undefined ? state : t(`admin.diskState.${known}`);
}

function MirrorCard({ storage: { mirror } }: { readonly storage: Storage }): ReactNode {
  return (
    <Card title={t('admin.mirror')}>
      {mirror === undefined ? <p>{t('admin.mirrorNone')}</p> : (
        <dl className="hf-facts">
          <dt>{t('admin.state')}</dt>
          <dd>
            <Badge tone={mirror.isRefusing || mirror.lagBlocks > 0 ? 'attention' : 'good'}>
              {t(mirror.isRefusing ? 'admin.mirrorAway' : mirror.lagBlocks > 0
                ? 'admin.mirrorBehind' : 'admin.mirrorInStep')}
            </Badge>
          </dd>
          <dt>{t('admin.queued')}</dt><dd>{sizeText(mirror.lagBytes)}</dd>
          <dt>{t('admin.compared')}</dt>
          <dd>
            {mirror.comparedAt === undefined ? t('admin.notYet') : timeText(mirror.comparedAt)}
          </dd>
        </dl>
      )}
    </Card>
  );
}
