/** What to do when a name is taken: for uploads, and for what is moved and copied. */
import { Checkbox } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Store, useStore } from '../api/store.ts';
import { Dialog } from '../parts/dialog.tsx';
import { t } from '../texts/texts.ts';
import type { TextKey } from '../texts/texts.ts';
import type { ConflictChoice, UploadItem } from './upload-item.ts';
import { uploadQueue } from './upload-queue.ts';

const CHOICES: readonly (readonly [ConflictChoice, TextKey, TextKey])[] = [
  ['keep-both', 'conflict.keepBoth', 'conflict.keepBothText'],
  ['replace', 'conflict.replace', 'conflict.replaceText'],
  ['skip', 'conflict.skip', 'conflict.skipText'],
];

export interface ConflictQuestionProps {
  readonly name: string;
  readonly folder: string;
  /** More that meet a taken name. */
  readonly othersCount: number;
  readonly replaceText?: TextKey;
  readonly onChoice: (choice: ConflictChoice, forAll: boolean) => void;
}

export function ConflictQuestion(props: ConflictQuestionProps): ReactNode {
  const { name, folder, othersCount, onChoice, replaceText } = props;
  const [forAll, setForAll] = useState(false);
  return (
    <>
      <p style={{ margin: 0 }}>{t('conflict.text', { name, folder })}</p>
      <div className="hf-choices">
        {CHOICES.map(([choice, title, text]) => (
          <button
            key={choice} type="button" className="hf-choice"
            {...(choice === 'keep-both' && { 'data-autofocus': true })}
            onClick={() => onChoice(choice, forAll)}
          >
            <strong>{t(title)}</strong>
            <span>{t(choice === 'replace' ? replaceText ?? text : text)}</span>
          </button>
        ))}
      </div>
      {othersCount > 0 && (
        <Checkbox
          checked={forAll} onChange={(event) => setForAll(event.currentTarget.checked)}
          label={t('conflict.all', { count: othersCount })}
        />
      )}
    </>
  );
}

/** Conflicts whose question somebody has closed. */
const leftIds = new Store<ReadonlySet<string>>(new Set());

export function askAgain(id: string): void {
  leftIds.set(new Set([...leftIds.value].filter((one) => one !== id)));
}

/** Asks about one upload after the other. Closing it leaves them where they are, in the tray. */
export function ConflictDialog({ items }: { readonly items: readonly UploadItem[] }): ReactNode {
  const left = useStore(leftIds);
  const all = items.filter(({ state }) => state === 'conflict');
  const open = all.filter(({ id }) => !left.has(id));
  const [first] = open;
  return (
    <Dialog
      title={first === undefined ? '' : t('conflict.title', { name: first.name })}
      isOpen={first !== undefined}
      onClose={() => leftIds.set(new Set([...left, ...all.map(({ id }) => id)]))}
    >
      {first !== undefined && (
        <ConflictQuestion
          key={first.id} name={first.name} othersCount={open.length - 1}
          folder={folderName(first)}
          onChoice={(choice, forAll) => uploadQueue.choose(first.id, choice, forAll)}
        />
      )}
    </Dialog>
  );
}

function folderName({ folders, parentPath }: UploadItem): string {
  const last = `${parentPath}/${folders}`.split('/').findLast((part) => part !== '');
  return last ?? t('files.root');
}
