/** Uploads, at the lower right: how far they are, and what needs somebody. */
import { ActionIcon, Progress } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from '../api/store.ts';
import { Icon } from '../parts/icons.tsx';
import type { IconName } from '../parts/icons.tsx';
import { remainingText, sizeText, speedText } from '../texts/figures.ts';
import { t } from '../texts/texts.ts';
import { UploadRow } from './upload-row.tsx';
import { ConflictDialog } from './conflict-dialog.tsx';
import { ENDED, NEEDS_SOMEBODY, totalsOf } from './upload-item.ts';
import type { UploadItem, UploadTotals } from './upload-item.ts';
import { uploadQueue } from './upload-queue.ts';
import './upload-tray.css';

/** More are never shown at a time: those that need somebody first, then those at work. */
const ROWS_MAX = 60;

export function UploadTray(): ReactNode {
  const items = useStore(uploadQueue.items);
  const [isOpen, setOpen] = useState(true);
  const totals = totalsOf(items);
  useLeaveWarning(totals.activeCount > 0);
  if (items.length === 0) return null;
  return (
    <>
      <section className="hf-tray" aria-label={t('uploads.region')}>
        <Head totals={totals} isOpen={isOpen} setOpen={setOpen} />
        {isOpen && (
          <ul className="hf-tray-list">
            {shownOf(items).map((item) => <UploadRow key={item.id} item={item} />)}
          </ul>
        )}
      </section>
      <ConflictDialog items={items} />
    </>
  );
}

function shownOf(items: readonly UploadItem[]): readonly UploadItem[] {
  const rank = ({ state }: UploadItem): number => {
    if (NEEDS_SOMEBODY.includes(state)) return 0;
    if (state === 'sending') return 1;
    return ENDED.includes(state) ? 3 : 2;
  };
  return items.toSorted((a, b) => rank(a) - rank(b)).slice(0, ROWS_MAX);
}

interface HeadProps {
  readonly totals: UploadTotals;
  readonly isOpen: boolean;
  readonly setOpen: (isOpen: boolean) => void;
}

function Head({ totals, isOpen, setOpen }: HeadProps): ReactNode {
  const { activeCount, pausedCount, attentionCount, totalBytes, doneBytes } = totals;
  const isOver = activeCount + pausedCount + attentionCount === 0;
  const speed = uploadQueue.bytesPerSecond();
  const left = totalBytes - doneBytes;
  return (
    <header className="hf-tray-head">
      <div className="hf-tray-title">
        <strong role="status">{titleOf(totals)}</strong>
        {!isOver && (
          <small className="hf-number">
            {t('uploads.progress', { done: sizeText(doneBytes), total: sizeText(totalBytes) })}
            {activeCount > 0 && speed > 0 && ` · ${t('uploads.speed', {
              speed: speedText(speed), time: remainingText(left / speed),
            })}`}
          </small>
        )}
      </div>
      {activeCount > 0 && <Tool icon="pause" label={t('uploads.pauseAll')}
        onClick={() => uploadQueue.pauseAll()} />}
      {activeCount === 0 && pausedCount > 0 && <Tool icon="play" label={t('uploads.resumeAll')}
        onClick={() => uploadQueue.resumeAll()} />}
      <Tool
        icon={isOpen ? 'chevronDown' : 'arrowUp'} onClick={() => setOpen(!isOpen)}
        label={isOpen ? t('uploads.collapse') : t('uploads.expand')} expanded={isOpen}
      />
      {isOver && <Tool icon="close" label={t('uploads.clear')}
        onClick={() => uploadQueue.clearEnded()} />}
      {!isOver && (
        <Progress
          className="hf-tray-bar" size={3} radius={0} aria-label={t('uploads.region')}
          value={totalBytes === 0 ? 0 : (doneBytes / totalBytes) * 100}
        />
      )}
    </header>
  );
}

function titleOf({ activeCount, pausedCount, attentionCount, doneCount }: UploadTotals): string {
  if (activeCount > 0) return t('uploads.title', { count: activeCount });
  if (attentionCount > 0) return t('uploads.partly', { count: attentionCount });
  return pausedCount > 0 ? t('uploads.paused') : t('uploads.done', { count: doneCount });
}

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  readonly expanded?: boolean;
}

export function Tool({ icon, label, onClick, expanded }: ToolProps): ReactNode {
  return (
    <ActionIcon
      variant="subtle" color="gray" aria-label={label} title={label} onClick={onClick}
      {...(expanded !== undefined && { 'aria-expanded': expanded })}
    >
      <Icon name={icon} small />
    </ActionIcon>
  );
}

/** The browser asks before it leaves a page that is still sending. */
function useLeaveWarning(isOn: boolean): void {
  useEffect(() => {
    if (!isOn) return undefined;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [isOn]);
}
