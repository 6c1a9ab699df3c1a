/** How each kind of file is shown. */
import { Button } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { contentHref } from '../api/nodes.ts';
import type { FileNode } from '../api/shapes.ts';
import { kindOf } from '../parts/file-kind.ts';
import type { PreviewKind } from '../parts/file-kind.ts';
import { Icon } from '../parts/icons.tsx';
import { EmptyState } from '../parts/states.tsx';
import { t } from '../texts/texts.ts';
import { useScreen } from '../views/files/folder-screen.ts';
import { PdfPreview } from './pdf-preview.tsx';
import { TextPreview } from './text-preview.tsx';

interface Shown {
  readonly node: FileNode;
  readonly href: string;
  readonly onError: () => void;
}

const SHOW: Readonly<Record<PreviewKind, (shown: Shown) => ReactNode>> = {
  image: (shown) => <Picture {...shown} />,
  video: ({ href, onError }) => (
    <video src={href} controls autoPlay playsInline onError={onError} />
  ),
  audio: ({ href, onError, node }) => (
    <div className="hf-preview-audio">
      <span className="hf-kind hf-kind-media"><Icon name="audio" /></span>
      <p>{node.name}</p>
      <audio src={href} controls autoPlay onError={onError} />
    </div>
  ),
  pdf: ({ node }) => <PdfPreview node={node} />,
  markdown: ({ node }) => <TextPreview node={node} kind="markdown" />,
  code: ({ node }) => <TextPreview node={node} kind="code" />,
  text: ({ node }) => <TextPreview node={node} kind="text" />,
};

export function PreviewBody({ node }: { readonly node: FileNode }): ReactNode {
  const [isBroken, setBroken] = useState(false);
  const { preview } = kindOf(node);
  if (preview === undefined || isBroken) return <NoPreview node={node} isBroken={isBroken} />;
  const href = contentHref(node.id, 'inline');
  return SHOW[preview]({ node, href, onError: () => setBroken(true) });
}

function Picture({ node, href, onError }: Shown): ReactNode {
  const [isLarge, setLarge] = useState(false);
  return (
    <button
      type="button" className="hf-preview-picture" aria-pressed={isLarge}
      aria-label={t('preview.zoom')} onClick={() => setLarge(!isLarge)}
    >
      <img src={href} alt={node.name} onError={onError} />
    </button>
  );
}

export function NoPreview(
  { node, isBroken = false, text }: {
    readonly node: FileNode; readonly isBroken?: boolean; readonly text?: string;
  },
): ReactNode {
  const screen = useScreen();
  const { icon } = kindOf(node);
  return (
    <EmptyState
      icon={icon} title={isBroken ? t('preview.failed') : t('preview.none')}
      text={text ?? t('preview.noneText')}
    >
      <Button leftSection={<Icon name="download" small />} onClick={() => screen.download([node])}>
        {t('files.download')}
      </Button>
    </EmptyState>
  );
}
