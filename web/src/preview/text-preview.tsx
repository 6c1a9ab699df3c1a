import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { contentHref } from '../api/nodes.ts';
import { send } from '../api/http.ts';
import type { FileNode } from '../api/shapes.ts';
import { endingOf } from '../parts/file-kind.ts';
import { ErrorState, LoadingRows } from '../parts/states.tsx';
import { sizeText } from '../texts/figures.ts';
import { t } from '../texts/texts.ts';
import { piecesOf } from './code-pieces.ts';
import { Markdown } from './markdown.tsx';

/** Nobody reads more in a preview, and a page with more of it would become slow. */
const READ_BYTES_MAX = 512 * 1024;

export interface TextPreviewProps {
  readonly node: FileNode;
  readonly kind: 'markdown' | 'code' | 'text';
}

export function TextPreview({ node, kind }: TextPreviewProps): ReactNode {
  const [isSource, setSource] = useState(kind !== 'markdown');
  const { data, error, refetch } = useQuery({
    queryKey: ['text', node.id, node.etag],
    queryFn: ({ signal }) => readText(node, signal),
  });
  if (error !== null) return <ErrorState error={error} retry={() => void refetch()} />;
  if (data === undefined) return <LoadingRows />;
  return (
    <div className="hf-preview-text">
      {kind === 'markdown' && (
        <SegmentedControl
          size="xs" value={isSource ? 'source' : 'rendered'} className="hf-preview-switch"
          onChange={(value) => setSource(value === 'source')}
          data={[
            { value: 'rendered', label: t('preview.rendered') },
            { value: 'source', label: t('preview.source') },
          ]}
        />
      )}
      {isSource
        ? <Source text={data} ending={kind === 'code' ? endingOf(node.name) : ''} />
        : <Markdown text={data} />}
      {node.sizeBytes > READ_BYTES_MAX && (
        <p className="hf-preview-cut">
          {t('preview.tooLarge', { size: sizeText(READ_BYTES_MAX) })}
        </p>
      )}
    </div>
  );
}

async function readText(node: FileNode, signal: AbortSignal): Promise<string> {
  if (node.sizeBytes === 0) return '';
  const headers = { Range: `bytes=0-${READ_BYTES_MAX - 1}`, Accept: '*/*' };
  const response = await send('GET', contentHref(node.id, 'attachment'), { headers, signal });
  return response.text();
}

function Source({ text, ending }: { readonly text: string; readonly ending: string }): ReactNode {
  const pieces = useMemo(() => piecesOf(text, ending), [text, ending]);
  return (
    <pre className="hf-source" tabIndex={0}>
      <code>
        {pieces.map(({ kind, text: part }, at) => (
          kind === 'plain' ? part : <span key={at} className={`hf-code-${kind}`}>{part}</span>
        ))}
      </code>
    </pre>
  );
}
