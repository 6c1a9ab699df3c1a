/** One public link: its address to copy, its options, and its end. */
import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Share } from '../../../../src/wire/client.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';
import { LinkOptions } from './link-options.tsx';
import { EndButton, OptionsButton } from './person-row.tsx';
import { copyLink, endShare } from './share-changes.ts';
import { ShareFacts } from './share-facts.tsx';
import { nameOfShare } from './sharing-words.ts';

export interface LinkRowProps {
  readonly share: Share;
  /** Its options are shown. */
  readonly isOpen: boolean;
  readonly setOpen: (isOpen: boolean) => void;
}

export function LinkRow({ share, isOpen, setOpen }: LinkRowProps): ReactNode {
  const [isEnding, setEnding] = useState(false);
  const name = nameOfShare(share);
  const { mail, note } = share;
  return (
    <li className="hf-share">
      <div className="hf-share-line">
        <span className="hf-face"><Icon name={mail === undefined ? 'link' : 'mail'} small /></span>
        <div className="hf-share-who">
          <span>{name}</span>
          <ShareFacts share={share} />
          {note !== undefined && <q>{note}</q>}
        </div>
        <Button
          variant="light" size="compact-sm" leftSection={<Icon name="copy" small />}
          aria-label={`${t('sharing.copy')}: ${name}`} onClick={() => void copyLink(share)}
        >
          {t('sharing.copyShort')}
        </Button>
        <OptionsButton isOpen={isOpen} name={name} onClick={() => setOpen(!isOpen)} />
        <EndButton label={t('sharing.removeLink', { name })} onClick={() => setEnding(true)} />
      </div>
      {isOpen && <LinkOptions share={share} close={() => setOpen(false)} />}
      <EndLinkDialog share={share} isOpen={isEnding} close={() => setEnding(false)} />
    </li>
  );
}

export interface EndLinkDialogProps {
  readonly share: Share;
  readonly isOpen: boolean;
  readonly close: () => void;
}

export function EndLinkDialog({ share, isOpen, close }: EndLinkDialogProps): ReactNode {
  return (
    <Dialog
      title={t('sharing.endTitle', { name: nameOfShare(share) })} isOpen={isOpen} onClose={close}
    >
      <p className="hf-share-text">{t('sharing.endText')}</p>
      <Group justify="flex-end" gap={10}>
        <Button variant="default" onClick={close}>{t('action.cancel')}</Button>
        <Button
          data-danger data-autofocus
          onClick={() => {
            close();
            void endShare(share);
          }}
        >
          {t('sharing.end')}
        </Button>
      </Group>
    </Dialog>
  );
}
