/** How the server is, now and over time. */
import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { Health, Series } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { ErrorState, LoadingRows } from '../../parts/states.tsx';
import { exactTimeText, sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { PartHead } from './part-head.tsx';
import { Tile, Tiles } from './pieces.tsx';
import { Plot } from './plot.tsx';
import type { PlotProps } from './plot.tsx';

const HEALTH_MS = 5_000;
const LIVE_MS = 10_000;
const DAY_MS = 60_000;
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const countText = (value: number): string => (value < 10 ? fine : whole).format(value);
const msText = (value: number): string =>
  (value >= 1000 ? `${fine.format(value / 1000)} s` : `${countText(value)} ms`);

export function useHealth(isOn = true) {
  return useQuery({
    queryKey: ['admin', 'health'], queryFn: ({ signal }) => api.getHealth({ signal }),
    refetchInterval: HEALTH_MS, enabled: isOn,
  });
}

export function HealthTab(): ReactNode {
  const [range, setRange] = useState<'live' | 'day'>('live');
  const health = useHealth();
  const series = useQuery({
    queryKey: ['admin', 'series', range],
    queryFn: ({ signal }) => api.getSeries({ range }, { signal }),
    refetchInterval: range === 'live' ? LIVE_MS : DAY_MS, staleTime: 0,
  });
  const error = health.error ?? series.error;
  const isWaiting = health.data === undefined || series.data === undefined;
  return (
    <>
      <PartHead title={t('admin.health')} lead={t('admin.healthLead')}>
        <SegmentedControl
          value={range} aria-label={t('admin.range')}
          onChange={(value) => setRange(value === 'day' ? 'day' : 'live')}
          data={[
            { value: 'live', label: t('admin.rangeLive') },
            { value: 'day', label: t('admin.rangeDay') },
          ]}
        />
      </PartHead>
      {isWaiting && (error === null ? <LoadingRows /> : (
        <ErrorState
          error={error} retry={() => void Promise.all([health.refetch(), series.refetch()])}
        />
      ))}
      {health.data !== undefined && series.data !== undefined && (
        <div
          className="hf-admin-scroll" tabIndex={0} role="region" aria-label={t('admin.health')}
        >
          <HealthTiles health={health.data} />
          <Plots series={series.data} />
        </div>
      )}
    </>
  );
}

export function HealthTiles({ health }: { readonly health: Health }): ReactNode {
  const { state, startedAt, version, requestsUnderWay, storage } = health;
  const { storedBytes, blockCount, damagedCount, queuedBytes } = storage;
  return (
    <Tiles>
      <Tile
        label={t('admin.server')} value={t(`admin.server.${state}`)}
        tone={state === 'serving' ? 'good' : 'attention'}
        detail={t('admin.version', { version })}
      />
      <Tile
        label={t('admin.startedAt')}
        value={<span title={exactTimeText(startedAt)}>{timeText(startedAt)}</span>}
      />
      <Tile label={t('admin.underWay')} value={requestsUnderWay} />
      <Tile
        label={t('admin.stored')} value={sizeText(storedBytes)}
        detail={t('admin.blocks', { count: blockCount })}
      />
      <Tile label={t('admin.queued')} value={sizeText(queuedBytes)} />
      <Tile
        label={t('admin.damaged')} value={damagedCount}
        tone={damagedCount === 0 ? 'plain' : 'attention'}
      />
    </Tiles>
  );
}

function Plots({ series }: { readonly series: Series }): ReactNode {
  const plots = useMemo(() => plotsOf(series), [series]);
  return (
    <div className="hf-plots">
      {plots.map((plot) => <Plot key={plot.title} {...plot} />)}
    </div>
  );
}

function plotsOf(series: Series): PlotProps[] {
  const { at, stepMs, requests, errors, p50Ms, p99Ms, storedBytes, loopDelayMs } = series;
  const perSecond = (values: readonly (number | null)[]) =>
    values.map((value) => (value === null ? null : value / (stepMs / 1000)));
  return [
    {
      title: t('admin.plotRequests'), at, textOf: countText, lines: [
        { label: t('admin.lineRequests'), colour: '--hf-accent', values: perSecond(requests) },
        { label: t('admin.lineErrors'), colour: '--hf-danger', values: perSecond(errors) },
      ],
    },
    {
      title: t('admin.plotLatency'), at, textOf: msText, lines: [
        { label: t('admin.lineMedian'), colour: '--hf-accent', values: p50Ms },
        { label: t('admin.lineSlowest'), colour: '--hf-media', values: p99Ms },
      ],
    },
    {
      title: t('admin.plotStored'), at, textOf: sizeText, lines: [
        { label: t('admin.lineStored'), colour: '--hf-document', values: storedBytes },
      ],
    },
    {
      title: t('admin.plotEvents'), at, textOf: countText, lines: [
        { label: t('admin.lineListeners'), colour: '--hf-image', values: series.listeners },
      ],
    },
    {
      title: t('admin.plotLoop'), at, textOf: msText, lines: [
        { label: t('admin.lineLoop'), colour: '--hf-archive', values: loopDelayMs },
      ],
    },
  ];
}
