/** Two files that were one until two had changed it at once: side by side, with the choice. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Act } from '../../../../src/wire/client.ts';
import { originalOfConflict } from '../../../../src/wire/conflict-copy.ts';
import { api } from '../../api/client.ts';
import { isStatus, send } from '../../api/http.ts';
import { contentHref, nodeByPath } from '../../api/nodes.ts';
import type { FileNode } from '../../api/shapes.ts';
import { folderHref } from '../../parts/address.ts';
import { kindOf } from '../../parts/file-kind.ts';
import { Icon } from '../../parts/icons.tsx';
import { Link } from '../../parts/link.tsx';
import { timeText, sizeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { CompareDialog } from '../time/compare-dialog.tsx';
import { folderOf } from './act-runs.ts';
import { keepBoth, keepOne } from './conflict-choice.ts';
import { INBOX_KEY } from './use-inbox.ts';

interface Pair {
  readonly copy: FileNode;
  readonly original: FileNode | undefined;
  readonly name: string;
}

export function ConflictCard({ act }: { readonly act: Act }): ReactNode {
  const { data } = useQuery({
    queryKey: [...INBOX_KEY, 'pair', act.nodeId, act.path], retry: false,
    queryFn: ({ signal }) => pairOf(act, signal),
  });
  const [isComparing, setComparing] = useState(false);
  if (data === undefined) return null;
  const { copy, original, name } = data;
  const folder = folderOf(copy) ?? '/';
  return (
    <article className="hf-waiting">
      <header>
        <span className="hf-act hf-act-changed"><Icon name="copy" small /></span>
        <div>
          <h3>{name}</h3>
          <small>
            <Link href={folderHref(folder)}>{folder === '/' ? t('files.root') : folder}</Link>
          </small>
        </div>
      </header>
      <div className="hf-pair">
        {original === undefined ? <p>{t('inbox.goneOriginal')}</p> : (
          <Side
            head={t('inbox.original')} node={original} by={undefined} label={t('inbox.keepThis')}
            onKeep={() => void keepOne({ kept: original, dropped: copy, name })}
          />
        )}
        <Side
          head={t('inbox.copy')} node={copy} by={act.byName}
          label={original === undefined ? t('inbox.useCopy') : t('inbox.keepThis')}
          onKeep={() => void keepOne({ kept: copy, dropped: original, name })}
        />
      </div>
      <footer>
        {original !== undefined && isTextual(copy) && (
          <Button
            variant="subtle" aria-label={t('inbox.compareLabel', { name })}
            onClick={() => setComparing(true)}
          >
            {t('inbox.compare')}
          </Button>
        )}
        <Button
          variant="default" aria-label={t('inbox.keepBothLabel', { name })}
          onClick={() => void keepBoth({ copy, name })}
        >
          {t('inbox.keepBoth')}
        </Button>
      </footer>
      {original !== undefined && (
        <CompareDialog
          name={name} isOpen={isComparing} onClose={() => setComparing(false)}
          before={sideOf(original, t('inbox.original'))} after={sideOf(copy, t('inbox.copy'))}
        />
      )}
    </article>
  );
}

function sideOf({ id, sizeBytes, etag }: FileNode, title: string) {
  return { title, sizeBytes, href: contentHref(id, 'attachment'), key: `${id} ${etag}` };
}

async function pairOf({ nodeId = '', path = '' }: Act, signal: AbortSignal): Promise<Pair> {
  const copy = await api.getNode({ id: nodeId }, { signal });
  const name = originalOfConflict(copy.name) ?? copy.name;
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  try {
    const original = await nodeByPath(`${folder}${name}`, signal);
    return { copy, name, original: original.kind === 'file' ? original : undefined };
  } catch (error) {
    if (isStatus(error, 404)) return { copy, name, original: undefined };
    throw error;
  }
}

function isTextual(node: FileNode): boolean {
  return ['text', 'code', 'markdown'].includes(kindOf(node).preview ?? '');
}

const BEGINNING_BYTES = 400;

/** Enough to tell one from the other. */
function Beginning({ node: { id, etag, sizeBytes } }: { readonly node: FileNode }): ReactNode {
  const { data } = useQuery({
    queryKey: ['beginning', id, etag], staleTime: Infinity, retry: false,
    queryFn: async ({ signal }) => {
      if (sizeBytes === 0) return '';
      const headers = { Range: `bytes=0-${BEGINNING_BYTES - 1}`, Accept: '*/*' };
      return (await send('GET', contentHref(id, 'attachment'), { headers, signal })).text();
    },
  });
  return <pre>{data ?? ''}</pre>;
}

interface SideProps {
  readonly head: string;
  readonly node: FileNode;
  readonly by: string | undefined;
  readonly label: string;
  readonly onKeep: () => void;
}

function Side({ head, node, by, label, onKeep }: SideProps): ReactNode {
  const { icon, colour, preview } = kindOf(node);
  return (
    <section aria-label={`${head}: ${node.name}`}>
      <div className="hf-pair-face">
        {preview === 'image' && <img src={contentHref(node.id, 'inline')} alt="" />}
        {isTextual(node) && <Beginning node={node} />}
        {preview !== 'image' && !isTextual(node) && (
          <span className={`hf-kind hf-kind-${colour}`}><Icon name={icon} solid /></span>
        )}
      </div>
      <h4>{head}</h4>
      <p className="hf-pair-name">{node.name}</p>
      <small>
        {[timeText(node.modifiedAt), sizeText(node.sizeBytes), by].filter(Boolean).join(' · ')}
      </small>
      <Button
        size="compact-sm" variant="light"
        aria-label={t('inbox.keepThisLabel', { action: label, name: node.name })}
        onClick={onKeep} disabled={!node.may.delete && !node.may.rename}
      >
        {label}
      </Button>
    </section>
  );
}
