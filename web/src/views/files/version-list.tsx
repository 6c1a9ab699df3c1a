/** Earlier contents of a file: shown, compared with that of now, saved, brought back. */
import { ActionIcon, Menu } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Suspense, lazy, useState } from 'react';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { patchChanged } from '../../api/listings.ts';
import { contentHref, versionHref } from '../../api/nodes.ts';
import { queryClient } from '../../api/query-client.ts';
import type { FileNode, Version } from '../../api/shapes.ts';
import { kindOf } from '../../parts/file-kind.ts';
import { Icon } from '../../parts/icons.tsx';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';

const ContentDialog = lazy(async () => ({
  default: (await import('../../preview/content-preview.tsx')).ContentDialog,
}));
const CompareDialog = lazy(async () => ({
  default: (await import('../time/compare-dialog.tsx')).CompareDialog,
}));

/** What of a version is looked at. */
interface Looking {
  readonly version: Version;
  readonly how: 'preview' | 'compare';
}

export function VersionList({ node }: { readonly node: FileNode }): ReactNode {
  const [looking, setLooking] = useState<Looking>();
  const { data } = useQuery({
    queryKey: ['versions', node.id, node.etag],
    queryFn: ({ signal }) => api.listVersions({ id: node.id }, { signal }), retry: false,
  });
  if (data === undefined) return null;
  const earlier = data.items.filter(({ isCurrent }) => !isCurrent);
  return (
    <section className="hf-details-part">
      <h3>{t('details.versions')}</h3>
      {earlier.length === 0 && <p>{t('details.noVersions')}</p>}
      <ul>
        {earlier.map((version) => (
          <VersionRow key={version.id} node={node} version={version} look={setLooking} />
        ))}
      </ul>
      {looking !== undefined && (
        <Suspense fallback={null}>
          <OldVersion node={node} looking={looking} close={() => setLooking(undefined)} />
        </Suspense>
      )}
    </section>
  );
}

interface OldVersionProps {
  readonly node: FileNode;
  readonly looking: Looking;
  readonly close: () => void;
}

function OldVersion({ node, looking: { version, how }, close }: OldVersionProps): ReactNode {
  const href = versionHref(node.id, version.id);
  const time = timeText(version.at);
  if (how === 'preview') {
    const { name, mediaType } = node;
    const content = {
      name, mediaType, sizeBytes: version.sizeBytes, time, downloadHref: href,
      href: `${href}?disposition=inline`,
    };
    return <ContentDialog content={content} onClose={close} />;
  }
  return (
    <CompareDialog
      name={node.name} isOpen onClose={close}
      before={{
        title: t('compare.then', { time }), sizeBytes: version.sizeBytes, href,
        key: `${node.id} ${version.id}`,
      }}
      after={{
        title: t('compare.now'), sizeBytes: node.sizeBytes, key: `${node.id} ${node.etag}`,
        href: contentHref(node.id, 'attachment'),
      }}
    />
  );
}

interface VersionRowProps {
  readonly node: FileNode;
  readonly version: Version;
  readonly look: (looking: Looking) => void;
}

function VersionRow({ node, version, look }: VersionRowProps): ReactNode {
  const time = timeText(version.at);
  const { byName, by = '', sizeBytes } = version;
  const preview = kindOf(node).preview ?? 'none';
  const isText = ['text', 'code', 'markdown'].includes(preview);
  return (
    <li>
      <Icon name="restore" small />
      <span>
        {time}
        <small>{[sizeText(sizeBytes), byName ?? by].filter(Boolean).join(' · ')}</small>
      </span>
      <Menu position="bottom-end" width={230} withinPortal shadow="md">
        <Menu.Target>
          <ActionIcon
            variant="subtle" color="gray" aria-label={t('details.versionActions', { time })}
          >
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {preview !== 'none' && preview !== 'pdf' && (
            <Menu.Item
              leftSection={<Icon name="open" small />}
              onClick={() => look({ version, how: 'preview' })}
            >
              {t('details.versionShow')}
            </Menu.Item>
          )}
          {isText && (
            <Menu.Item
              leftSection={<Icon name="copy" small />}
              onClick={() => look({ version, how: 'compare' })}
            >
              {t('details.versionCompare')}
            </Menu.Item>
          )}
          <Menu.Item
            component="a" href={versionHref(node.id, version.id)} download
            leftSection={<Icon name="download" small />}
          >
            {t('files.download')}
          </Menu.Item>
          {node.may.write && (
            <Menu.Item
              leftSection={<Icon name="restore" small />}
              onClick={() => void restore(node, version)}
            >
              {t('details.versionRestore')}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
    </li>
  );
}

/** The present content becomes a version itself, so that going back is another restore. */
async function restore(node: FileNode, version: Version): Promise<void> {
  try {
    const before = await api.listVersions({ id: node.id });
    patchChanged(await api.restoreVersion({ id: node.id, version: version.id }));
    await queryClient.invalidateQueries({ queryKey: ['versions', node.id] });
    const known = new Set(before.items.filter(({ isCurrent }) => !isCurrent).map(({ id }) => id));
    say(t('details.restored', { time: timeText(version.at) }), {
      undo: async () => {
        const now = await api.listVersions({ id: node.id });
        const last = now.items.find(({ id, isCurrent }) => !isCurrent && !known.has(id));
        if (last === undefined) throw new Error(t('details.noVersions'));
        patchChanged(await api.restoreVersion({ id: node.id, version: last.id }));
        await queryClient.invalidateQueries({ queryKey: ['versions', node.id] });
      },
    });
  } catch (error) {
    sayFailed(error);
  }
}
