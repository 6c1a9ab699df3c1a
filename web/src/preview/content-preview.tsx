/** Content that is no file of now, in a window: how a file was, or one of its versions. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { send } from '../api/http.ts';
import { Dialog } from '../parts/dialog.tsx';
import { endingOf, kindOf } from '../parts/file-kind.ts';
import { Icon } from '../parts/icons.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../parts/states.tsx';
import { sizeText } from '../texts/figures.ts';
import { t } from '../texts/texts.ts';
import { piecesOf } from './code-pieces.ts';
import './content-preview.css';

/** Nobody reads more in a preview. */
export const CONTENT_TEXT_BYTES_MAX = 512 * 1024;

export interface OldContent {
  readonly name: string;
  readonly mediaType?: string | undefined;
  readonly sizeBytes: number;
  /** Where the bytes are, to be shown, and to be saved. */
  readonly href: string;
  readonly downloadHref: string;
  /** When it was so. */
  readonly time: string;
}

interface ContentDialogProps {
  readonly content: OldContent | undefined;
  readonly onClose: () => void;
}

export function ContentDialog({ content, onClose }: ContentDialogProps): ReactNode {
  const title = content === undefined ? ''
    : t('content.title', { name: content.name, time: content.time });
  return (
    <Dialog title={title} isOpen={content !== undefined} onClose={onClose} size={860}>
      {content !== undefined && (
        <div className="hf-content">
          <Shown key={content.href} content={content} />
          <footer>
            <small className="hf-number">{sizeText(content.sizeBytes)}</small>
            <Button
              component="a" href={content.downloadHref} download variant="default"
              leftSection={<Icon name="download" small />}
            >
              {t('files.download')}
            </Button>
          </footer>
        </div>
      )}
    </Dialog>
  );
}

function Shown({ content }: { readonly content: OldContent }): ReactNode {
  const { name, mediaType, href } = content;
  const [isBroken, setBroken] = useState(false);
  const { preview, icon } = kindOf({
    kind: 'file', name, ...(mediaType !== undefined && { mediaType }),
  });
  if (!isBroken) {
    const onError = (): void => setBroken(true);
    if (preview === 'image') return <img src={href} alt={name} onError={onError} />;
    if (preview === 'video') return <video src={href} controls playsInline onError={onError} />;
    if (preview === 'audio') return <audio src={href} controls onError={onError} />;
    if (preview !== undefined && preview !== 'pdf') return <OldText content={content} />;
  }
  return (
    <EmptyState
      icon={icon} title={isBroken ? t('preview.failed') : t('preview.none')}
      text={t('content.none')}
    />
  );
}

function OldText({ content }: { readonly content: OldContent }): ReactNode {
  const { name, href, sizeBytes } = content;
  const { data, error, refetch } = useQuery({
    queryKey: ['content', href], staleTime: Infinity, retry: false,
    queryFn: ({ signal }) => readOldText(href, sizeBytes, signal),
  });
  const pieces = useMemo(() => piecesOf(data ?? '', endingOf(name)), [data, name]);
  if (error !== null) return <ErrorState error={error} retry={() => void refetch()} />;
  if (data === undefined) return <LoadingRows count={4} />;
  return (
    <>
      <pre className="hf-content-text" tabIndex={0}>
        <code>
          {pieces.map(({ kind, text: part }, at) => (
            kind === 'plain' ? part : <span key={at} className={`hf-code-${kind}`}>{part}</span>
          ))}
        </code>
      </pre>
      {sizeBytes > CONTENT_TEXT_BYTES_MAX && (
        <p className="hf-content-cut">
          {t('preview.tooLarge', { size: sizeText(CONTENT_TEXT_BYTES_MAX) })}
        </p>
      )}
    </>
  );
}

/** No more than is shown. */
export async function readOldText(
  href: string, sizeBytes: number, signal: AbortSignal,
): Promise<string> {
  if (sizeBytes === 0) return '';
  const headers = { Range: `bytes=0-${CONTENT_TEXT_BYTES_MAX - 1}`, Accept: '*/*' };
  return (await send('GET', href, { headers, signal })).text();
}
