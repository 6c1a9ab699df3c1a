/** What reads back and compares what is stored: how far it is, and what it found. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Finding, Verifier, Verifiers } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { exactTimeText, sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { daysText } from './days-text.ts';
import { PartHead } from './part-head.tsx';
import { Badge, Bar, Card, Notice } from './pieces.tsx';

const AGAIN_MS = 30_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Those that read stored bytes. */
const READERS = ['disk-scrubber', 'object-scrubber'];
/** A cycle may end late on a busy machine. */
const LATE = 1.5;

export function useVerifiers() {
  return useQuery({
    queryKey: ['admin', 'verifiers'], queryFn: ({ signal }) => api.listVerifiers({}, { signal }),
    refetchInterval: AGAIN_MS,
  });
}

export function VerifiersTab(): ReactNode {
  const { data, error, refetch } = useVerifiers();
  return (
    <>
      <PartHead title={t('admin.verifiers')} lead={t('admin.verifiersLead')} />
      {data === undefined && (error === null ? <LoadingRows />
        : <ErrorState error={error} retry={() => void refetch()} />)}
      {data?.hasRun === false && (
        <EmptyState
          icon="shield" title={t('admin.neverVerified')} text={t('admin.neverVerifiedText')}
        />
      )}
      {data?.hasRun === true && (
        <div
          className="hf-admin-scroll" tabIndex={0} role="region" aria-label={t('admin.verifiers')}
        >
          <ul className="hf-notices">
            <ReadNotice verifiers={data} />
            <ProofNotice verifiers={data} />
          </ul>
          <Card title={t('admin.openFindings', { count: data.findings.length })}>
            <Findings findings={data.findings} />
          </Card>
          <Card title={t('admin.allVerifiers')}>
            <ul className="hf-list">
              {data.items.map((one) => <VerifierRow key={one.id} verifier={one} />)}
            </ul>
          </Card>
        </div>
      )}
    </>
  );
}

/** Everything was read within so many days, or since when it was not. */
export function ReadNotice({ verifiers }: { readonly verifiers: Verifiers }): ReactNode {
  const reader = verifiers.items.find(({ id, total }) => READERS.includes(id) && total > 0);
  if (reader?.oldestUncheckedAt === undefined) {
    return <Notice tone="unknown" title={t('admin.readNever')} text={t('admin.readNeverText')} />;
  }
  const { oldestUncheckedAt, cycleMs, checked, total } = reader;
  const ageMs = Date.now() - Date.parse(oldestUncheckedAt);
  const days = daysText(Math.max(1, Math.ceil(ageMs / DAY_MS)));
  if (ageMs > cycleMs * LATE) {
    return <Notice tone="attention" title={t('admin.readLate', { days })} />;
  }
  if (checked < total) {
    return (
      <Notice
        tone="unknown" title={t('admin.readUnderWay', {
          done: sizeText(checked), all: sizeText(total),
        })}
      />
    );
  }
  return (
    <Notice
      tone="good" title={t('admin.readWithin', { days })}
      text={t('admin.readBytes', { size: sizeText(total) })}
    />
  );
}

function ProofNotice({ verifiers: { provedAt } }: { readonly verifiers: Verifiers }): ReactNode {
  if (provedAt === undefined) {
    return (
      <Notice tone="unknown" title={t('admin.neverProved')} text={t('admin.neverProvedText')} />
    );
  }
  return <Notice tone="good" title={t('admin.proved', { time: timeText(provedAt) })} />;
}

function Findings({ findings }: { readonly findings: readonly Finding[] }): ReactNode {
  if (findings.length === 0) return <p>{t('admin.noFindings')}</p>;
  return (
    <ul className="hf-list">
      {findings.map(({ id, says, where, severity, verifier, lastSeenAt, times }) => (
        <li key={id}>
          <span>
            {says}
            <small>
              {t('admin.findingWhere', { id, where, verifier, time: timeText(lastSeenAt), times })}
            </small>
          </span>
          <Badge tone={severity === 'damage' ? 'attention' : 'unknown'}>
            {t(`admin.severity.${severity}`)}
          </Badge>
        </li>
      ))}
    </ul>
  );
}

function VerifierRow({ verifier }: { readonly verifier: Verifier }): ReactNode {
  const { id, unit, checked, total, cycleMs, lastEndedAt, idleReason, openDamage } = verifier;
  const figure = (value: number): string =>
    (unit === 'bytes' ? sizeText(value) : t('admin.items', { count: value }));
  const share = total === 0 ? 0 : checked / total;
  const state = total === 0 ? idleReason ?? t('admin.notYet')
    : t('admin.checkedOf', { done: figure(checked), all: figure(total) });
  return (
    <li>
      <span>
        {t(`admin.verifier.${id as 'disk-scrubber'}`)}
        <small>
          {t('admin.everyDays', { days: cycleText(cycleMs) })}
          {lastEndedAt !== undefined && (
            <span title={exactTimeText(lastEndedAt)}>
              {' · '}{t('admin.lastRun', { time: timeText(lastEndedAt) })}
            </span>
          )}
        </small>
      </span>
      <span style={{ width: '190px' }}>
        <small>{state}</small>
        {total > 0 && <Bar share={share} label={state} isProgress />}
      </span>
      {openDamage > 0 && <Badge tone="attention">{openDamage}</Badge>}
    </li>
  );
}

function cycleText(ms: number): string {
  return ms >= DAY_MS ? daysText(Math.round(ms / DAY_MS))
    : t('figures.hours', { count: Math.round(ms / 3_600_000) });
}
