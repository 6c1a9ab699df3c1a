/** PDF by the browser's own viewer. The server serves files in a sandbox, where that viewer does
 *  not run; so the bytes are fetched, and shown from memory. */
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { reasonOf } from '../api/http.ts';
import { contentHref } from '../api/nodes.ts';
import type { FileNode } from '../api/shapes.ts';
import { LoadingRows } from '../parts/states.tsx';
import { t } from '../texts/texts.ts';
import { NoPreview } from './preview-body.tsx';

const SIZE_BYTES_MAX = 200_000_000;

export function PdfPreview({ node }: { readonly node: FileNode }): ReactNode {
  const [href, setHref] = useState<string>();
  const [fault, setFault] = useState<string>();
  const canShow = navigator.pdfViewerEnabled && node.sizeBytes <= SIZE_BYTES_MAX;
  useEffect(() => {
    if (!canShow) return undefined;
    const stop = new AbortController();
    let made: string | undefined;
    const load = async (): Promise<void> => {
      const response = await fetch(contentHref(node.id, 'attachment'), { signal: stop.signal });
      if (!response.ok) throw new Error(t('preview.failed'));
      made = URL.createObjectURL(new Blob([await response.arrayBuffer()], {
        type: 'application/pdf',
      }));
      setHref(made);
    };
    load().catch((error: unknown) => {
      if (!stop.signal.aborted) setFault(reasonOf(error));
    });
    return () => {
      stop.abort();
      if (made !== undefined) URL.revokeObjectURL(made);
    };
  }, [canShow, node.id]);
  if (!canShow) return <NoPreview node={node} text={t('preview.noPdf')} />;
  if (fault !== undefined) return <NoPreview node={node} isBroken text={fault} />;
  if (href === undefined) return <LoadingRows />;
  return <iframe className="hf-preview-pdf" src={href} title={node.name} />;
}
