/** The window in which a file or folder is shared: with people and groups, and by links. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import type { FileNode } from '../../api/shapes.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icons.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { useSession } from '../../shell/session-gate.tsx';
import { t } from '../../texts/texts.ts';
import { AccessReasons } from './access-reasons.tsx';
import { AddPeople } from './add-people.tsx';
import { LinkRow } from './link-row.tsx';
import { PersonRow } from './person-row.tsx';
import { makeLink, nodeSharesKey } from './share-changes.ts';
import './sharing.css';

export interface SharingDialogProps {
  /** undefined: the window is closed. */
  readonly node: FileNode | undefined;
  readonly close: () => void;
}

export function SharingDialog({ node, close }: SharingDialogProps): ReactNode {
  return (
    <Dialog
      title={t('sharing.title', { name: node?.name ?? '' })} isOpen={node !== undefined}
      onClose={close} size={640}
    >
      {node !== undefined && (
        node.may.share ? <Sharing node={node} close={close} /> : <MayNot node={node} />
      )}
    </Dialog>
  );
}

function MayNot({ node: { owner } }: { readonly node: FileNode }): ReactNode {
  const { user } = useSession();
  const text = owner === undefined || owner.id === user.id ? t('sharing.mayNotText')
    : t('sharing.mayNotFrom', { name: owner.displayName });
  return <EmptyState icon="lock" title={t('sharing.mayNot')} text={text} />;
}

interface SharingProps {
  readonly node: FileNode;
  readonly close: () => void;
}

function Sharing({ node, close }: SharingProps): ReactNode {
  const [openId, setOpenId] = useState<string>();
  const [showsWhy, setShowsWhy] = useState(false);
  const { data, error, refetch } = useQuery({
    queryKey: nodeSharesKey(node.id),
    queryFn: ({ signal }) => api.listNodeShares({ id: node.id }, { signal }),
  });
  if (data === undefined) {
    return error === null ? <LoadingRows count={4} />
      : <ErrorState error={error} retry={() => void refetch()} />;
  }
  const people = data.items.filter(({ kind }) => kind !== 'link');
  const links = data.items.filter(({ kind }) => kind === 'link');
  return (
    <div className="hf-sharing">
      <AddPeople node={node} shares={data.items} />
      <section aria-labelledby="sharing-people">
        <h3 id="sharing-people">{t('sharing.people')}</h3>
        {people.length === 0 && <p className="hf-share-text">{t('sharing.onlyYou')}</p>}
        <ul className="hf-shares">
          {people.map((share) => <PersonRow key={share.id} share={share} />)}
        </ul>
      </section>
      <section aria-labelledby="sharing-links">
        <div className="hf-sharing-head">
          <h3 id="sharing-links">{t('sharing.links')}</h3>
          <Button
            variant="light" size="compact-sm" leftSection={<Icon name="plus" small />}
            onClick={() => void makeLink(node.id).then((made) => setOpenId(made?.id))}
          >
            {t('sharing.newLink')}
          </Button>
        </div>
        {links.length === 0 && <p className="hf-share-text">{t('sharing.noLinks')}</p>}
        <ul className="hf-shares">
          {links.map((share) => (
            <LinkRow
              key={share.id} share={share} isOpen={share.id === openId}
              setOpen={(isOpen) => setOpenId(isOpen ? share.id : undefined)}
            />
          ))}
        </ul>
      </section>
      <section>
        <button
          type="button" className="hf-why" aria-expanded={showsWhy}
          onClick={() => setShowsWhy(!showsWhy)}
        >
          <Icon name={showsWhy ? 'chevronDown' : 'chevronRight'} small />{t('sharing.why')}
        </button>
        {showsWhy && <AccessReasons node={node} onLeave={close} />}
      </section>
    </div>
  );
}
