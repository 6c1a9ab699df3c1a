/** Everything about one entry, beside the list (over it on a phone). */
import { ActionIcon } from '@mantine/core';
import type { ReactNode } from 'react';
import type { FileNode } from '../../api/shapes.ts';
import { useStore } from '../../api/store.ts';
import { folderHref, hrefOf } from '../../parts/address.ts';
import { kindOf } from '../../parts/file-kind.ts';
import { Icon } from '../../parts/icons.tsx';
import { Link } from '../../parts/link.tsx';
import { contentHref } from '../../api/nodes.ts';
import { exactTimeText, sizeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { SharingPart } from '../sharing/sharing-part.tsx';
import { ComparePart } from './compare-part.tsx';
import { KindIcon } from './entry-row.tsx';
import { useScreen } from './folder-screen.ts';
import { nameOfTarget } from './operations.ts';
import { VersionList } from './version-list.tsx';

export function DetailsPanel({ folder }: { readonly folder: FileNode }): ReactNode {
  const screen = useScreen();
  const isShown = useStore(screen.showsDetails);
  const { ids } = useStore(screen.selection);
  if (!isShown) return null;
  const selected = ids.size === 0 ? [folder] : screen.selected;
  const [first] = selected;
  return (
    <aside className="hf-details" aria-label={t('details.title')}>
      <header>
        <h2>{t('details.title')}</h2>
        <ActionIcon
          variant="subtle" color="gray" aria-label={t('details.close')}
          onClick={() => screen.showsDetails.set(false)}
        >
          <Icon name="close" />
        </ActionIcon>
      </header>
      {selected.length > 1 && <Several nodes={selected} />}
      {selected.length === 1 && first !== undefined && <One key={first.id} node={first} />}
    </aside>
  );
}

function Several({ nodes }: { readonly nodes: readonly FileNode[] }): ReactNode {
  const sizeBytes = nodes.reduce((sum, node) => sum + node.sizeBytes, 0);
  return (
    <div className="hf-details-body">
      <p className="hf-details-name">{t('details.several', { count: nodes.length })}</p>
      <dl><Fact name={t('details.size')}>{sizeText(sizeBytes)}</Fact></dl>
    </div>
  );
}

function One({ node }: { readonly node: FileNode }): ReactNode {
  const screen = useScreen();
  const where = node.path.slice(0, node.path.lastIndexOf('/')) || '/';
  const isPicture = kindOf(node).preview === 'image';
  return (
    <div className="hf-details-body">
      <div className="hf-details-face">
        {isPicture ? <img src={contentHref(node.id, 'inline')} alt="" /> : <KindIcon node={node} />}
      </div>
      <p className="hf-details-name">{nameOfTarget(node)}</p>
      <dl>
        <Fact name={t('details.kind')}>
          {node.kind === 'folder' ? t('files.folder') : node.mediaType ?? t('files.file')}
        </Fact>
        <Fact name={t('details.size')}>{sizeText(node.sizeBytes)}</Fact>
        <Fact name={t('details.modified')}>{exactTimeText(node.modifiedAt)}</Fact>
        {node.path !== '/' && (
          <Fact name={t('details.where')}>
            <Link href={folderHref(where)}>{where === '/' ? t('files.root') : where}</Link>
          </Fact>
        )}
        {node.owner !== undefined && (
          <Fact name={t('details.owner')}>{node.owner.displayName}</Fact>
        )}
        <Fact name={t('details.may')}>{mayText(node)}</Fact>
      </dl>
      <div className="hf-details-links">
        {node.kind === 'folder' && (
          <Link href={hrefOf('/time', { path: node.path })}>
            <Icon name="restore" small />{t('time.openLabel')}
          </Link>
        )}
        <Link
          href={hrefOf('/activity', node.path === '/' ? {} : { node: node.id, of: node.name })}
        >
          <Icon name="wait" small />{t('activity.open')}
        </Link>
      </div>
      <SharingPart node={node} share={() => screen.share(node)} />
      {node.kind === 'file' ? <VersionList node={node} /> : <ComparePart node={node} />}
    </div>
  );
}

interface FactProps {
  readonly name: string;
  readonly children: ReactNode;
}

function Fact({ name, children }: FactProps): ReactNode {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

function mayText({ may }: FileNode): string {
  const words = [
    may.read && t('details.mayRead'), may.write && t('details.mayWrite'),
    may.delete && t('details.mayDelete'), may.share && t('details.mayShare'),
  ].filter((word) => typeof word === 'string');
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(words);
}
