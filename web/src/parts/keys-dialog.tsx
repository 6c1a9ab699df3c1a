/** The list of keys, for `?`. */
import { Kbd } from '@mantine/core';
import type { ReactNode } from 'react';
import { Store, useStore } from '../api/store.ts';
import { t } from '../texts/texts.ts';
import type { TextKey } from '../texts/texts.ts';
import { Dialog } from './dialog.tsx';
import './keys-dialog.css';

const isShown = new Store(false);
const MODIFIER = /mac|iphone|ipad/i.test(navigator.userAgent) ? '⌘' : 'Ctrl';

const KEYS: readonly (readonly [TextKey, ...string[]])[] = [
  ['keys.move', '↑', '↓'], ['keys.open', 'Enter'], ['keys.up', 'Backspace'],
  ['keys.type', 'A … Z'], ['keys.select', 'Space'], ['keys.range', 'Shift', '↑ ↓'],
  ['keys.all', MODIFIER, 'A'], ['keys.clear', 'Esc'], ['keys.rename', 'F2'],
  ['keys.delete', 'Delete'], ['keys.newFolder', 'Shift', 'N'], ['keys.copy', MODIFIER, 'C'],
  ['keys.cut', MODIFIER, 'X'], ['keys.paste', MODIFIER, 'V'], ['keys.undo', MODIFIER, 'Z'],
  ['keys.filter', '/'], ['keys.details', 'I'], ['keys.share', 'S'], ['keys.help', '?'],
];

export function openKeys(): void {
  isShown.set(true);
}

export function KeysDialog(): ReactNode {
  const isOpen = useStore(isShown);
  return (
    <Dialog title={t('keys.title')} isOpen={isOpen} onClose={() => isShown.set(false)} size={560}>
      <dl className="hf-keys">
        {KEYS.map(([label, ...keys]) => (
          <div key={label}>
            <dt>{t(label)}</dt>
            <dd>{keys.map((key) => <Kbd key={key}>{key}</Kbd>)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
