/** Who can see a node, and why. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import type { FileNode } from '../../api/shapes.ts';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';

const ICONS = { owner: 'user', user: 'user', group: 'shared', link: 'open' } as const;

export function AccessList({ node }: { readonly node: FileNode }): ReactNode {
  const { data } = useQuery({
    queryKey: ['access', node.id],
    queryFn: ({ signal }) => api.explainAccess({ id: node.id }, { signal }),
    retry: false, enabled: node.may.share,
  });
  // Whoever may not ask sees no list rather than an error about one.
  if (data === undefined) return null;
  return (
    <section className="hf-details-part">
      <h3>{t('details.access')}</h3>
      {data.items.length === 0 ? <p>{t('details.onlyYou')}</p> : (
        <ul>
          {data.items.map(({ receiver, label, role, kind, at }, index) => (
            <li key={`${index}-${at.nodeId}`}>
              <Icon name={ICONS[kind]} small />
              <span>{receiver?.displayName ?? label ?? t(`access.${kind}`)}</span>
              <small>{t(`role.${role}`)}</small>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
