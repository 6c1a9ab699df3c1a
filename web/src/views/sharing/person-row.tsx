/** One person or group that has something: what they may do, until when, and the end of it. */
import { ActionIcon, Button, Group, TextInput, Textarea, Tooltip } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Share } from '../../../../src/wire/client.ts';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';
import { RoleMenu } from './role-menu.tsx';
import { changeShare, endShare, sendMailAgain } from './share-changes.ts';
import { ShareFacts } from './share-facts.tsx';
import { dateOf, endOfDay, iconOfKind, nameOfShare } from './sharing-words.ts';

export function PersonRow({ share }: { readonly share: Share }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const name = nameOfShare(share);
  const { kind, note, role, nodeKind } = share;
  return (
    <li className="hf-share">
      <div className="hf-share-line">
        <span className="hf-face"><Icon name={iconOfKind(kind)} small /></span>
        <div className="hf-share-who">
          <span>{name}</span>
          <ShareFacts share={share} before={kind === 'group' ? [t('sharing.group')] : []} />
          {note !== undefined && <q>{note}</q>}
        </div>
        <RoleMenu
          role={role} kind={nodeKind} name={name}
          onChange={(wanted) => void changeShare(share, { role: wanted })}
        />
        <OptionsButton isOpen={isOpen} name={name} onClick={() => setOpen(!isOpen)} />
        <EndButton label={t('sharing.remove', { name })} onClick={() => void endShare(share)} />
      </div>
      {isOpen && <PersonOptions share={share} close={() => setOpen(false)} />}
    </li>
  );
}

export interface OptionsButtonProps {
  readonly isOpen: boolean;
  readonly name: string;
  readonly onClick: () => void;
}

export function OptionsButton({ isOpen, name, onClick }: OptionsButtonProps): ReactNode {
  return (
    <Tooltip label={t('sharing.options', { name })} withArrow>
      <ActionIcon
        variant={isOpen ? 'light' : 'subtle'} color={isOpen ? 'teal' : 'gray'} size="lg"
        aria-label={t('sharing.options', { name })} aria-expanded={isOpen} onClick={onClick}
      >
        <Icon name="settings" small />
      </ActionIcon>
    </Tooltip>
  );
}

interface EndButtonProps {
  readonly label: string;
  readonly onClick: () => void;
}

export function EndButton({ label, onClick }: EndButtonProps): ReactNode {
  return (
    <Tooltip label={label} withArrow>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} onClick={onClick}>
        <Icon name="close" small />
      </ActionIcon>
    </Tooltip>
  );
}

interface OptionsProps {
  readonly share: Share;
  readonly close: () => void;
}

function PersonOptions({ share, close }: OptionsProps): ReactNode {
  const [date, setDate] = useState(dateOf(share.expiresAt));
  const [note, setNote] = useState(share.note ?? '');
  const [isBusy, setBusy] = useState(false);
  const until = endOfDay(date);
  const isPast = until !== undefined && Date.parse(until) < Date.now();
  const submit = async (): Promise<void> => {
    if (isPast) return;
    setBusy(true);
    const isDone = await changeShare(share, {
      ...(date !== dateOf(share.expiresAt) && { expiresAt: until ?? null }),
      ...(note.trim() !== (share.note ?? '') && { note: note.trim() }),
    });
    setBusy(false);
    if (isDone) close();
  };
  return (
    <form
      className="hf-share-options"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <TextInput
        type="date" label={t('sharing.field.until')} description={t('sharing.field.untilHint')}
        value={date} error={isPast ? t('sharing.untilPast') : undefined} min={dateOf(now())}
        onChange={(event) => setDate(event.currentTarget.value)}
      />
      <Textarea
        label={t('sharing.field.notePerson')} value={note} rows={2} maxLength={1000}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <Group justify="flex-end" gap={8}>
        {share.mailState !== undefined && (
          <Button variant="subtle" onClick={() => void sendMailAgain(share)}>
            {t('sharing.sendAgain')}
          </Button>
        )}
        <Button variant="default" onClick={close}>{t('action.cancel')}</Button>
        <Button type="submit" loading={isBusy} disabled={isPast}>{t('sharing.save')}</Button>
      </Group>
    </form>
  );
}

function now(): string {
  return new Date().toISOString();
}
