/** Something that somebody else shares with whoever looks. */
import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { reloadListing } from '../../api/listings.ts';
import { queryClient } from '../../api/query-client.ts';
import type { Share } from '../../../../src/wire/client.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';
import { SHARES_KEY } from '../sharing/share-changes.ts';
import { ShareFacts } from '../sharing/share-facts.tsx';
import { dayText } from '../sharing/sharing-words.ts';
import { SharedIcon, SharedName } from './shared-name.tsx';

async function leave({ id, nodeName }: Share): Promise<void> {
  try {
    await api.endShare({ id });
    await queryClient.invalidateQueries({ queryKey: SHARES_KEY });
    void reloadListing();
    say(t('shared.left', { name: nodeName }));
  } catch (error) {
    sayFailed(error);
  }
}

export function ReceivedRow({ share }: { readonly share: Share }): ReactNode {
  const [isLeaving, setLeaving] = useState(false);
  const { nodeName: name, note, owner, createdAt, role, receiver, kind } = share;
  const close = (): void => setLeaving(false);
  const from = owner === undefined ? t('shared.fromTeam')
    : t('shared.from', { name: owner.displayName });
  const facts = [
    from, t('shared.since', { day: dayText(createdAt) }),
    ...(kind === 'group' && receiver ? [t('shared.to', { name: receiver.displayName })] : []),
  ];
  return (
    <li className="hf-shared-row">
      <SharedIcon share={share} />
      <div className="hf-share-who">
        <SharedName share={share} />
        <ShareFacts share={share} before={facts} />
        {note !== undefined && <q>{note}</q>}
      </div>
      <span className="hf-shared-role">{t(`sharing.role.${role}`)}</span>
      <Button
        variant="subtle" color="gray" size="compact-sm" aria-label={t('shared.leaveOf', { name })}
        onClick={() => setLeaving(true)}
      >
        {t('shared.leave')}
      </Button>
      <Dialog title={t('shared.leaveTitle', { name })} isOpen={isLeaving} onClose={close}>
        <p className="hf-share-text">
          {owner === undefined ? t('shared.leaveTextTeam')
            : t('shared.leaveText', { owner: owner.displayName })}
        </p>
        <Group justify="flex-end" gap={10} mt={20}>
          <Button variant="default" onClick={close}>{t('action.cancel')}</Button>
          <Button
            data-danger data-autofocus
            onClick={() => {
              close();
              void leave(share);
            }}
          >
            {t('shared.leave')}
          </Button>
        </Group>
      </Dialog>
    </li>
  );
}
