/** A share or link of whoever looks: what, with whom, how it stands, and the ways to change it. */
import { Button } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import type { FileNode } from '../../api/shapes.ts';
import type { Share } from '../../../../src/wire/client.ts';
import { Icon } from '../../parts/icons.tsx';
import { sayFailed } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';
import { EndLinkDialog } from '../sharing/link-row.tsx';
import { EndButton } from '../sharing/person-row.tsx';
import { copyLink, endShare, sendMailAgain } from '../sharing/share-changes.ts';
import { ShareFacts } from '../sharing/share-facts.tsx';
import { SharingHost } from '../sharing/sharing-host.tsx';
import { iconOfKind, nameOfShare } from '../sharing/sharing-words.ts';
import { SharedIcon, SharedName } from './shared-name.tsx';

export function GivenRow({ share }: { readonly share: Share }): ReactNode {
  const [isEnding, setEnding] = useState(false);
  const [node, setNode] = useState<FileNode>();
  const { kind, role, nodeId, nodeName, mailState, note } = share;
  const name = nameOfShare(share);
  const isLink = kind === 'link';
  const change = async (): Promise<void> => {
    try {
      setNode(await api.getNode({ id: nodeId }));
    } catch (error) {
      sayFailed(error);
    }
  };
  const who = isLink ? name : t('shared.to', { name });
  return (
    <li className="hf-shared-row">
      <SharedIcon share={share} />
      <div className="hf-share-who">
        <SharedName share={share} />
        <span className="hf-shared-whom">
          <Icon name={iconOfKind(kind)} small />
          <ShareFacts share={share} before={isLink ? [who] : [who, t(`sharing.role.${role}`)]} />
        </span>
        {note !== undefined && <q>{note}</q>}
      </div>
      <div className="hf-shared-acts">
        {isLink && (
          <Button
            variant="light" size="compact-sm" leftSection={<Icon name="copy" small />}
            aria-label={`${t('sharing.copy')}: ${name}`} onClick={() => void copyLink(share)}
          >
            {t('sharing.copyShort')}
          </Button>
        )}
        {mailState === 'undeliverable' && (
          <Button variant="subtle" size="compact-sm" onClick={() => void sendMailAgain(share)}>
            {t('sharing.sendAgain')}
          </Button>
        )}
        <Button
          variant="subtle" color="gray" size="compact-sm" onClick={() => void change()}
          aria-label={t('shared.change', { name: nodeName })}
        >
          {t('shared.changeShort')}
        </Button>
        <EndButton
          label={t(isLink ? 'sharing.removeLink' : 'sharing.remove', { name })}
          onClick={() => (isLink ? setEnding(true) : void endShare(share))}
        />
      </div>
      <EndLinkDialog share={share} isOpen={isEnding} close={() => setEnding(false)} />
      <SharingHost node={node} close={() => setNode(undefined)} />
    </li>
  );
}
