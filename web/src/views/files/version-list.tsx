import { ActionIcon, Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { patchChanged } from '../../api/listings.ts';
import { versionHref } from '../../api/nodes.ts';
import { queryClient } from '../../api/query-client.ts';
import type { FileNode, Version } from '../../api/shapes.ts';
import { Icon } from '../../parts/icons.tsx';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';

export function VersionList({ node }: { readonly node: FileNode }): ReactNode {
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
        {earlier.map((version) => <VersionRow key={version.id} node={node} version={version} />)}
      </ul>
    </section>
  );
}

interface VersionRowProps {
  readonly node: FileNode;
  readonly version: Version;
}

function VersionRow({ node, version }: VersionRowProps): ReactNode {
  const time = timeText(version.at);
  const { by } = version;
  return (
    <li>
      <Icon name="restore" small />
      <span>
        {time}
        <small>{[sizeText(version.sizeBytes), by].filter(Boolean).join(' · ')}</small>
      </span>
      <ActionIcon
        component="a" href={versionHref(node.id, version.id)} download variant="subtle" color="gray"
        aria-label={t('details.downloadVersion', { time })}
      >
        <Icon name="download" small />
      </ActionIcon>
      {node.may.write && (
        <Button
          size="compact-xs" variant="light" aria-label={t('details.restoreLabel', { time })}
          onClick={() => void restore(node, version)}
        >
          {t('details.restore')}
        </Button>
      )}
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
