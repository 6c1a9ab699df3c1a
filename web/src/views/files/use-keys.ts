/** The keys of an open folder. They rest while a window is open or text is being written. */
import { useEffect } from 'react';
import { openKeys } from '../../parts/keys-dialog.tsx';
import { incomingOf } from '../../uploads/dropped-files.ts';
import { clipboard, paste } from './clipboard.ts';
import { upload } from './drag.ts';
import type { FolderScreen } from './folder-screen.ts';

/** Letters pressed in quick succession are one name. */
const TYPING_MS = 700;

type Handler = (screen: FolderScreen, event: KeyboardEvent) => void;

const PLAIN: Readonly<Record<string, Handler>> = {
  ArrowDown: (screen, { shiftKey }) => screen.step({ by: screen.columnCount, extends: shiftKey }),
  ArrowUp: (screen, { shiftKey }) => screen.step({ by: -screen.columnCount, extends: shiftKey }),
  PageDown: (screen, { shiftKey }) => screen.step({ by: screen.pageCount, extends: shiftKey }),
  PageUp: (screen, { shiftKey }) => screen.step({ by: -screen.pageCount, extends: shiftKey }),
  Home: (screen, { shiftKey }) => screen.step({ by: -screen.nodes.length, extends: shiftKey }),
  End: (screen, { shiftKey }) => screen.step({ by: screen.nodes.length, extends: shiftKey }),
  Enter: (screen) => screen.openActive(),
  Backspace: (screen) => screen.goUp(),
  Escape: (screen) => screen.clear(),
  Delete: (screen) => void screen.remove(screen.selected),
  F2: (screen) => screen.beginRename(screen.selected[0]),
  ' ': (screen) => screen.toggleActive(),
  '?': () => openKeys(),
};

const WITH_CTRL: Readonly<Record<string, Handler>> = {
  a: (screen) => screen.selectAll(),
  c: (screen) => screen.copy(screen.selected),
  x: (screen) => screen.cut(screen.selected),
};

export function useKeys(screen: FolderScreen, focusFilter: () => void): void {
  useEffect(() => {
    let typed = '';
    let typedAt = 0;
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || isElsewhere(event)) return;
      const handler = handlerOf(screen, event, focusFilter);
      if (handler !== undefined) {
        event.preventDefault();
        handler(screen, event);
        return;
      }
      const isLetter = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
      if (!isLetter || isOnControl(event)) return;
      typed = event.timeStamp - typedAt < TYPING_MS ? typed + event.key : event.key;
      typedAt = event.timeStamp;
      screen.jumpTo(typed);
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, [screen, focusFilter]);
  usePaste(screen);
}

function handlerOf(
  screen: FolderScreen, event: KeyboardEvent, focusFilter: () => void,
): Handler | undefined {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (altKey) return undefined;
  if (ctrlKey || metaKey) return WITH_CTRL[key.toLowerCase()];
  if (key === '/') return focusFilter;
  if (shiftKey && key === 'N') return () => screen.asking.set({ kind: 'new-folder' });
  if (key === 'i' && screen.selected.length > 0) {
    return () => screen.showsDetails.set(!screen.showsDetails.value);
  }
  if (key === 's' && screen.selected.length === 1) return () => screen.share(screen.selected[0]);
  const isHorizontal = key === 'ArrowLeft' || key === 'ArrowRight';
  if (isHorizontal && screen.columnCount > 1) {
    const by = key === 'ArrowLeft' ? -1 : 1;
    return () => screen.step({ by, extends: shiftKey });
  }
  // Buttons and links have an Enter and a Space of their own.
  if ((key === 'Enter' || key === ' ') && isOnControl(event)) return undefined;
  return PLAIN[key];
}

/** Text is being written, or a window or a menu is open. */
function isElsewhere({ target }: Event): boolean {
  const isWriting = target instanceof HTMLElement
    && target.matches('input:not([type=checkbox]), textarea, select, [contenteditable]');
  // A window that has just been closed by this very key.
  const isGone = target instanceof Node && !target.isConnected;
  return isWriting || isGone || document.querySelector('[role=dialog], [role=menu]') !== null;
}

function isOnControl({ target }: Event): boolean {
  return target instanceof HTMLElement && target.matches('a, button, input');
}

/** Files from elsewhere are uploaded; else what was cut or copied here comes. */
function usePaste(screen: FolderScreen): void {
  useEffect(() => {
    const listen = (event: ClipboardEvent): void => {
      const { folder } = screen;
      if (isElsewhere(event) || folder?.may.create !== true) return;
      const files = event.clipboardData?.files;
      if (files !== undefined && files.length > 0) upload(folder, incomingOf(files));
      else if (clipboard.value !== undefined) void paste(folder);
      else return;
      event.preventDefault();
    };
    addEventListener('paste', listen);
    return () => removeEventListener('paste', listen);
  }, [screen]);
}
