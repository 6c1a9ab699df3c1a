/** The frame: navigation at the side (below on a phone), the view, and what floats over it. */
import { Outlet } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { useLiveUpdates } from '../api/live-here.ts';
import { KeysDialog } from '../parts/keys-dialog.tsx';
import { Link } from '../parts/link.tsx';
import { Toasts, undoLast } from '../parts/toasts.tsx';
import { t } from '../texts/texts.ts';
import { UploadTray } from '../uploads/upload-tray.tsx';
import { Brand } from './brand.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { Navigation } from './navigation.tsx';
import { QuotaMeter } from './quota-meter.tsx';
import { SessionGate } from './session-gate.tsx';
import { UserMenu } from './user-menu.tsx';
import './shell.css';

export function Shell(): ReactNode {
  return (
    <>
      <SessionGate><Frame /></SessionGate>
      <Toasts />
    </>
  );
}

function Frame(): ReactNode {
  useUndoKey();
  useLiveUpdates();
  return (
    <div className="hf-frame">
      <a className="hf-skip" href="#content">{t('app.skip')}</a>
      <aside className="hf-side">
        <Link className="hf-side-brand" href="/app/files"><Brand /></Link>
        <Navigation />
        <div className="hf-side-foot"><QuotaMeter /><UserMenu /></div>
      </aside>
      <div className="hf-stage">
        <ConnectionBanner />
        <main id="content" className="hf-main" tabIndex={-1}><Outlet /></main>
      </div>
      <UploadTray />
      <KeysDialog />
    </div>
  );
}

/** Ctrl+Z, where no text is being written. */
function useUndoKey(): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === 'z';
      const { target } = event;
      const isWriting = target instanceof HTMLElement
        && target.matches('input, textarea, select, [contenteditable]');
      if (!isUndo || isWriting || event.defaultPrevented) return;
      if (undoLast()) event.preventDefault();
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);
}
