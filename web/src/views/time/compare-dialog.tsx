/** Two texts, line by line. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ReactNode } from 'react';
import { Dialog } from '../../parts/dialog.tsx';
import { ErrorState, LoadingRows } from '../../parts/states.tsx';
import { CONTENT_TEXT_BYTES_MAX, readOldText } from '../../preview/content-preview.tsx';
import { sizeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { DIFF_LINES_MAX, diffLines, stretchesOf } from './line-diff.ts';
import type { DiffLine } from './line-diff.ts';
import './compare.css';

export interface ComparedSide {
  readonly title: string;
  readonly sizeBytes: number;
  readonly href: string;
  /** The same for the same content. */
  readonly key: string;
}

interface CompareDialogProps {
  readonly name: string;
  readonly before: ComparedSide;
  readonly after: ComparedSide;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

export function CompareDialog(props: CompareDialogProps): ReactNode {
  const { name, before, after, isOpen, onClose } = props;
  return (
    <Dialog title={t('compare.title', { name })} isOpen={isOpen} onClose={onClose} size={900}>
      {isOpen && <Comparison before={before} after={after} />}
    </Dialog>
  );
}

function Comparison({ before, after }: Pick<CompareDialogProps, 'before' | 'after'>): ReactNode {
  const isShort = Math.max(before.sizeBytes, after.sizeBytes) <= CONTENT_TEXT_BYTES_MAX;
  const { data, error, refetch } = useQuery({
    queryKey: ['compare', before.key, after.key], enabled: isShort, retry: false,
    queryFn: ({ signal }) => Promise.all([before, after].map(({ href, sizeBytes }) => {
      return readOldText(href, sizeBytes, signal);
    })),
  });
  const lines = useMemo(() => data && diffLines(data[0] ?? '', data[1] ?? ''), [data]);
  if (error !== null) return <ErrorState error={error} retry={() => void refetch()} />;
  if (isShort && data === undefined) return <LoadingRows count={4} />;
  if (lines === undefined) {
    return (
      <p className="hf-compare-note">
        {t('compare.tooLong', { size: sizeText(CONTENT_TEXT_BYTES_MAX), count: DIFF_LINES_MAX })}
      </p>
    );
  }
  if (lines.every(({ kind }) => kind === 'same')) {
    return <p className="hf-compare-note">{t('compare.same')}</p>;
  }
  return (
    <>
      <p className="hf-compare-sides">
        <span><i className="hf-line-removed">−</i>{before.title}</span>
        <span><i className="hf-line-added">+</i>{after.title}</span>
      </p>
      <div className="hf-compare" tabIndex={0} role="region" aria-label={t('compare.lines')}>
        {stretchesOf(lines).map((stretch, at) => (
          stretch.kind === 'skipped'
            ? <p key={at}>{t('compare.skipped', { count: stretch.count })}</p>
            : stretch.lines.map((line, n) => <Line key={`${at} ${n}`} line={line} />)
        ))}
      </div>
    </>
  );
}

const SIGNS = { same: ' ', removed: '−', added: '+' } as const;

function Line({ line: { kind, text, before, after } }: { readonly line: DiffLine }): ReactNode {
  return (
    <div className={`hf-line hf-line-${kind}`}>
      <span className="hf-number" aria-hidden="true">{before ?? ''}</span>
      <span className="hf-number" aria-hidden="true">{after ?? ''}</span>
      <b aria-hidden="true">{SIGNS[kind]}</b>
      {kind !== 'same' && <span className="hf-hidden">{t(`compare.${kind}`)}: </span>}
      <code>{text}</code>
    </div>
  );
}
