/** Short messages at the lower edge, most with a way back. Ctrl+Z takes the newest one. */
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { ActionIcon, Button } from '@mantine/core';
import { Store, useStore } from '../api/store.ts';
import { reasonOf } from '../api/http.ts';
import { t } from '../texts/texts.ts';
import { Icon } from './icons.tsx';
import './toasts.css';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: 'done' | 'failed' | 'said';
  readonly undo?: (() => Promise<void>) | undefined;
}

const TOASTS_MAX = 4;
const STAYS_MS = 6_000;
/** With a way back it stays until somebody could have read and reached it. */
const STAYS_WITH_UNDO_MS = 12_000;

/** So many steps can be taken back by keys, also when their messages are gone. */
const STEPS_MAX = 20;

const toasts = new Store<readonly Toast[]>([]);
let steps: readonly Toast[] = [];
let lastId = 0;

/** Answers its id, by which it can be dismissed. */
export function say(text: string, options: Partial<Pick<Toast, 'kind' | 'undo'>> = {}): number {
  lastId += 1;
  const toast: Toast = { id: lastId, text, kind: options.kind ?? 'done', undo: options.undo };
  toasts.set([...toasts.value, toast].slice(-TOASTS_MAX));
  if (toast.undo !== undefined) steps = [...steps, toast].slice(-STEPS_MAX);
  return toast.id;
}

export function sayFailed(error: unknown): void {
  say(reasonOf(error), { kind: 'failed' });
}

export function dismiss(id: number): void {
  toasts.set(toasts.value.filter((toast) => toast.id !== id));
}

/** Takes back the newest step that can be. False when there is none. */
export function undoLast(): boolean {
  const step = steps.at(-1);
  if (step === undefined) return false;
  void takeBack(step);
  return true;
}

async function takeBack({ id, undo }: Toast): Promise<void> {
  dismiss(id);
  steps = steps.filter((step) => step.id !== id);
  try {
    await undo?.();
    say(t('toast.undone'), { kind: 'said' });
  } catch (error) {
    say(t('toast.undoFailed', { reason: reasonOf(error) }), { kind: 'failed' });
  }
}

export function Toasts(): ReactNode {
  const shown = useStore(toasts);
  return (
    <section className="hf-toasts" aria-label={t('toast.region')} role="status">
      {shown.map((toast) => <ToastCard key={toast.id} toast={toast} />)}
    </section>
  );
}

function ToastCard({ toast }: { readonly toast: Toast }): ReactNode {
  const { id, kind, undo } = toast;
  useEffect(() => {
    const timer = setTimeout(() => dismiss(id), undo ? STAYS_WITH_UNDO_MS : STAYS_MS);
    return () => clearTimeout(timer);
  }, [id, undo]);
  return (
    <div className={`hf-toast hf-toast-${kind}`}>
      <Icon name={kind === 'failed' ? 'alert' : 'check'} small />
      <p>{toast.text}</p>
      {undo && (
        <Button size="compact-sm" variant="subtle" onClick={() => void takeBack(toast)}>
          {t('action.undo')}
        </Button>
      )}
      <ActionIcon
        size="sm" variant="subtle" color="gray" aria-label={t('action.close')}
        onClick={() => dismiss(id)}
      >
        <Icon name="close" small />
      </ActionIcon>
    </div>
  );
}
