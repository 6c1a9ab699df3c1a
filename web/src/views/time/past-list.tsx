/** A folder as it was: into subfolders, preview, download, and bringing things back one by one. */
import { ActionIcon, Button } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Difference } from '../../../../src/wire/client.ts';
import { addressOf, isStatus, Problem } from '../../api/http.ts';
import type { FileNode } from '../../api/shapes.ts';
import { kindOf } from '../../parts/file-kind.ts';
import { Icon } from '../../parts/icons.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { ContentDialog } from '../../preview/content-preview.tsx';
import type { OldContent } from '../../preview/content-preview.tsx';
import { exactTimeText, sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import type { RestoreWish } from './restore-dialog.tsx';
import { usePast } from './use-past.ts';

export interface PastListProps {
  readonly path: string;
  readonly at: string;
  readonly isNow: boolean;
  readonly name: string;
  /** What became of each since, as far as that is known. */
  readonly since: ReadonlyMap<string, Difference['change']>;
  readonly onOpen: (path: string) => void;
  readonly onRestore: (wish: RestoreWish) => void;
}

export function PastList(props: PastListProps): ReactNode {
  const { path, at, isNow, name, since, onOpen, onRestore } = props;
  const [shown, setShown] = useState<OldContent>();
  const query = usePast(path, at);
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  if (error !== null) return <PastError error={error} name={name} retry={() => void refetch()} />;
  if (data === undefined) return <LoadingRows count={6} />;
  const nodes = data.pages.flatMap(({ items }) => items);
  if (nodes.length === 0) {
    return <EmptyState icon="folder" title={t('time.empty')} text={t('time.emptyText')} />;
  }
  return (
    <>
      <ul className="hf-past" aria-label={t('time.contents', { time: exactTimeText(at) })}>
        {nodes.map((node) => (
          <PastRow
            key={node.id} node={node} at={at} isNow={isNow} since={since.get(node.id)}
            onOpen={() => {
              if (node.kind === 'folder') onOpen(node.path);
              else setShown(contentOf(node, at));
            }}
            onRestore={() => onRestore({ path: node.path, name: node.name, kind: node.kind })}
          />
        ))}
      </ul>
      {hasNextPage && (
        <Button
          variant="default" className="hf-past-more" loading={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {t('time.more')}
        </Button>
      )}
      <ContentDialog content={shown} onClose={() => setShown(undefined)} />
    </>
  );
}

function pastHref(path: string, at: string, disposition: 'inline' | 'attachment'): string {
  return addressOf('/past/content', { path, at, disposition });
}

function contentOf({ name, path, mediaType, sizeBytes }: FileNode, at: string): OldContent {
  return {
    name, mediaType, sizeBytes, href: pastHref(path, at, 'inline'),
    downloadHref: pastHref(path, at, 'attachment'), time: timeText(at),
  };
}

interface PastRowProps {
  readonly node: FileNode;
  readonly at: string;
  readonly isNow: boolean;
  readonly since: Difference['change'] | undefined;
  readonly onOpen: () => void;
  readonly onRestore: () => void;
}

const SINCE = {
  changed: 'time.sinceChanged', moved: 'time.sinceMoved', deleted: 'time.sinceDeleted',
} as const;

function PastRow({ node, at, isNow, since, onOpen, onRestore }: PastRowProps): ReactNode {
  const { icon, colour } = kindOf(node);
  const { name } = node;
  return (
    <li>
      <span className={`hf-kind hf-kind-${colour}`}><Icon name={icon} solid /></span>
      <div className="hf-past-name">
        <button type="button" onClick={onOpen} disabled={!node.may.read}>{name}</button>
        <small>
          {node.kind === 'file' && `${sizeText(node.sizeBytes)} · ${timeText(node.modifiedAt)}`}
          {since !== undefined && since !== 'added' && (
            <span className={`hf-since hf-since-${since}`}>{t(SINCE[since])}</span>
          )}
        </small>
      </div>
      {node.kind === 'file' && node.may.read && (
        <ActionIcon
          component="a" variant="subtle" color="gray" download
          href={pastHref(node.path, at, 'attachment')} aria-label={t('time.download', { name })}
        >
          <Icon name="download" />
        </ActionIcon>
      )}
      {!isNow && (
        <Button
          size="compact-sm" variant="light" onClick={onRestore}
          aria-label={t('time.restoreLabel', { name })}
        >
          {t('time.restore')}
        </Button>
      )}
    </li>
  );
}

const EDGES: Readonly<Record<string, readonly [title: string, text: string]>> = {
  'before-space': [t('time.beforeSpace'), t('time.pastGoneText')],
  'past-gone': [t('time.pastGone'), t('time.pastGoneText')],
  'moment-ahead': [t('time.ahead'), t('time.aheadText')],
};

interface PastErrorProps {
  readonly error: unknown;
  readonly name: string;
  readonly retry: () => void;
}

/** At the edges of what can be looked at, plain words in place of an error. */
function PastError({ error, name, retry }: PastErrorProps): ReactNode {
  const edge = error instanceof Problem ? EDGES[error.code] : undefined;
  if (edge !== undefined) return <EmptyState icon="wait" title={edge[0]} text={edge[1]} />;
  if (isStatus(error, 403)) {
    return <EmptyState icon="lock" title={t('time.denied')} text={t('time.deniedText')} />;
  }
  if (isStatus(error, 404)) {
    return (
      <EmptyState
        icon="wait" title={t('time.notYet')} text={t('time.notYetText', { folder: name })}
      />
    );
  }
  return <ErrorState error={error} retry={retry} />;
}
