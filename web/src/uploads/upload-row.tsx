import { Button, Progress } from '@mantine/core';
import { useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { kindOf } from '../parts/file-kind.ts';
import { Icon } from '../parts/icons.tsx';
import { sizeText } from '../texts/figures.ts';
import { t } from '../texts/texts.ts';
import type { TextKey } from '../texts/texts.ts';
import { askAgain } from './conflict-dialog.tsx';
import { ENDED } from './upload-item.ts';
import type { UploadItem, UploadState } from './upload-item.ts';
import { uploadQueue } from './upload-queue.ts';
import { Tool } from './upload-tray.tsx';

const STATE_TEXT: Readonly<Record<Exclude<UploadState, 'sending' | 'failed'>, TextKey>> = {
  waiting: 'uploads.waiting', paused: 'uploads.itemPaused', conflict: 'uploads.exists',
  offline: 'uploads.offline', interrupted: 'uploads.interrupted', done: 'uploads.finished',
  skipped: 'uploads.skipped',
};

function stateText({ state, doneBytes, sizeBytes, reason }: UploadItem): string {
  if (state === 'failed') return t('uploads.failed', { reason: reason ?? '' });
  if (state !== 'sending') return t(STATE_TEXT[state]);
  return t('uploads.progress', { done: sizeText(doneBytes), total: sizeText(sizeBytes) });
}

export function UploadRow({ item }: { readonly item: UploadItem }): ReactNode {
  const { id, name, folders, state, doneBytes, sizeBytes } = item;
  const isOver = ENDED.includes(state);
  const percent = sizeBytes === 0 ? 0 : Math.min(100, (doneBytes / sizeBytes) * 100);
  return (
    <li className="hf-upload" data-state={state}>
      <span className={`hf-kind hf-kind-${kindOf({ kind: 'file', name }).colour}`}>
        <Icon name={kindOf({ kind: 'file', name }).icon} />
      </span>
      <div className="hf-upload-text">
        <span className="hf-upload-name" title={folders === '' ? name : `${folders}/${name}`}>
          {name}
        </span>
        <small className="hf-number">{stateText(item)}</small>
        {(state === 'sending' || state === 'paused') && (
          <Progress size={3} value={percent} aria-label={t('uploads.itemLabel', { name })} />
        )}
      </div>
      {state === 'interrupted' && <ChooseAgain item={item} />}
      {state === 'conflict' && (
        <Button size="compact-xs" variant="light" onClick={() => askAgain(id)}>
          {t('uploads.decide')}
        </Button>
      )}
      {(state === 'sending' || state === 'waiting') && <Tool icon="pause"
        label={`${t('uploads.pause')}: ${name}`} onClick={() => uploadQueue.pause(id)} />}
      {state === 'paused' && <Tool icon="play" label={`${t('uploads.resume')}: ${name}`}
        onClick={() => uploadQueue.resume(id)} />}
      {state === 'failed' && <Tool icon="retry" label={`${t('uploads.retry')}: ${name}`}
        onClick={() => uploadQueue.resume(id)} />}
      {state === 'done' && <span className="hf-upload-done"><Icon name="check" small /></span>}
      {!isOver && <Tool icon="close" label={`${t('uploads.cancel')}: ${name}`}
        onClick={() => uploadQueue.cancel(id)} />}
    </li>
  );
}

/** A page may not keep hold of a file over a reload: whoever chose it has to choose it again. */
function ChooseAgain({ item }: { readonly item: UploadItem }): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  const [isWrong, setWrong] = useState(false);
  const { id, name, sizeBytes } = item;
  return (
    <>
      <input
        ref={input} type="file" hidden aria-label={`${t('uploads.choose')}: ${name}`}
        onChange={({ currentTarget: { files } }) => {
          const [file] = files ?? [];
          if (file !== undefined) setWrong(!uploadQueue.chooseAgain(id, file));
        }}
      />
      <Button
        size="compact-xs" variant="light" onClick={() => input.current?.click()}
        title={isWrong ? t('uploads.wrongFile', { name, size: sizeText(sizeBytes) }) : undefined}
        {...(isWrong && { color: 'red' })}
      >
        {t('uploads.choose')}
      </Button>
    </>
  );
}
