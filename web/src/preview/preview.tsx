/** A file, over the whole page, with its neighbours an arrow key away. */
import { ActionIcon, FocusTrap, Portal } from '@mantine/core';
import { Suspense, lazy, useEffect } from 'react';
import type { ReactNode } from 'react';
import type { FileNode } from '../api/shapes.ts';
import { useStore } from '../api/store.ts';
import { kindOf } from '../parts/file-kind.ts';
import { Icon } from '../parts/icons.tsx';
import { t } from '../texts/texts.ts';
import { useScreen } from '../views/files/folder-screen.ts';
import './preview.css';

const PreviewBody = lazy(async () => ({
  default: (await import('./preview-body.tsx')).PreviewBody,
}));

export function Preview(): ReactNode {
  const screen = useScreen();
  const id = useStore(screen.previewId);
  const node = id === undefined ? undefined : screen.nodes.find((one) => one.id === id);
  if (node === undefined) return null;
  return <Portal><Stage node={node} /></Portal>;
}

function Stage({ node }: { readonly node: FileNode }): ReactNode {
  const screen = useScreen();
  const files = screen.nodes.filter(({ kind }) => kind === 'file');
  const at = files.findIndex(({ id }) => id === node.id);
  const show = (next: FileNode | undefined): void => {
    if (next === undefined) return;
    screen.previewId.set(next.id);
    screen.focusOn(next.id);
  };
  const close = (): void => {
    screen.previewId.set(undefined);
    document.getElementById('entries')?.focus();
  };
  const keys: Readonly<Record<string, () => void>> = {
    Escape: close, ArrowLeft: () => show(files[at - 1]), ArrowRight: () => show(files[at + 1]),
  };
  return (
    <FocusTrap active>
      <div
        className="hf-preview" role="dialog" aria-modal="true" tabIndex={-1} data-autofocus
        aria-label={t('preview.label', { name: node.name })}
        onKeyDown={(event) => {
          // A film's own keys are its own.
          if (event.target instanceof HTMLMediaElement && event.key !== 'Escape') return;
          keys[event.key]?.();
        }}
      >
        <header>
          <span className={`hf-kind hf-kind-${kindOf(node).colour}`}>
            <Icon name={kindOf(node).icon} />
          </span>
          <h2>{node.name}</h2>
          <small className="hf-number">
            {t('preview.position', { at: at + 1, count: files.length })}
          </small>
          <ActionIcon
            variant="subtle" color="gray" size="lg" aria-label={t('files.download')}
            onClick={() => screen.download([node])}
          >
            <Icon name="download" />
          </ActionIcon>
          <ActionIcon
            variant="subtle" color="gray" size="lg" aria-label={t('preview.close')} onClick={close}
          >
            <Icon name="close" />
          </ActionIcon>
        </header>
        <div className="hf-preview-body">
          <Suspense fallback={null}><PreviewBody key={node.id} node={node} /></Suspense>
        </div>
        <Turn icon="chevronLeft" label={t('preview.previous')} side="left"
          to={files[at - 1]} show={show} />
        <Turn icon="chevronRight" label={t('preview.next')} side="right"
          to={files[at + 1]} show={show} />
        <Preload node={files[at + 1]} />
      </div>
    </FocusTrap>
  );
}

interface TurnProps {
  readonly icon: 'chevronLeft' | 'chevronRight';
  readonly side: 'left' | 'right';
  readonly label: string;
  readonly to: FileNode | undefined;
  readonly show: (node: FileNode | undefined) => void;
}

function Turn({ icon, side, label, to, show }: TurnProps): ReactNode {
  if (to === undefined) return null;
  return (
    <button
      type="button" className={`hf-preview-turn hf-preview-${side}`} aria-label={label}
      title={label} onClick={() => show(to)}
    >
      <Icon name={icon} />
    </button>
  );
}

const PRELOADED_BYTES_MAX = 8_000_000;

/** The next picture is there before somebody asks for it. */
function Preload({ node }: { readonly node: FileNode | undefined }): null {
  const wanted = node !== undefined && kindOf(node).preview === 'image'
    && node.sizeBytes <= PRELOADED_BYTES_MAX ? node.id : undefined;
  useEffect(() => {
    if (wanted === undefined) return;
    new Image().src = `/api/v1/nodes/${encodeURIComponent(wanted)}/content?disposition=inline`;
  }, [wanted]);
  return null;
}
