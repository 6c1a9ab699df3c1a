/** All that can be said about a link. */
import {
  Button, Group, NativeSelect, PasswordInput, Switch, TextInput, Textarea,
} from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Share, ShareChange } from '../../../../src/wire/client.ts';
import { t } from '../../texts/texts.ts';
import { changeShare, sendMailAgain } from './share-changes.ts';
import { dateOf, endOfDay, modeOf, modesFor, termsOfMode } from './sharing-words.ts';
import type { LinkMode } from './sharing-words.ts';

interface Draft {
  readonly label: string;
  readonly mode: LinkMode;
  readonly hasPassword: boolean;
  readonly password: string;
  readonly date: string;
  readonly downloadsMax: string;
  readonly note: string;
}

function draftOf(share: Share): Draft {
  const { label = '', note = '', hasPassword = false, expiresAt, downloadsMax } = share;
  return {
    label, note, hasPassword, password: '', mode: modeOf(share), date: dateOf(expiresAt),
    downloadsMax: downloadsMax === undefined ? '' : String(downloadsMax),
  };
}

/** Only what was changed: a password that is not touched stays. */
function changeOf(share: Share, draft: Draft): ShareChange {
  const before = draftOf(share);
  const is = (key: keyof Draft): boolean => draft[key] !== before[key];
  const { password } = draft;
  const newPassword = draft.hasPassword ? password : '';
  const isKept = draft.hasPassword ? password === '' : !before.hasPassword;
  return {
    ...(is('label') && { label: draft.label.trim() }),
    ...(is('note') && { note: draft.note.trim() }),
    ...(is('mode') && termsOfMode(draft.mode)),
    ...(is('date') && { expiresAt: endOfDay(draft.date) ?? null }),
    ...(is('downloadsMax') && { downloadsMax: Number(draft.downloadsMax) }),
    ...(!isKept && { password: newPassword }),
  };
}

export interface LinkOptionsProps {
  readonly share: Share;
  readonly close: () => void;
}

export function LinkOptions({ share, close }: LinkOptionsProps): ReactNode {
  const [draft, setDraft] = useState(() => draftOf(share));
  const [isBusy, setBusy] = useState(false);
  const set = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const until = endOfDay(draft.date);
  const isPast = until !== undefined && Date.parse(until) < Date.now();
  const lacksPassword = draft.hasPassword && draft.password === '' && share.hasPassword !== true;
  const submit = async (): Promise<void> => {
    setBusy(true);
    const change = changeOf(share, draft);
    const isDone = Object.keys(change).length === 0 || await changeShare(share, change);
    setBusy(false);
    if (isDone) close();
  };
  const modes = new Set([...modesFor(share.nodeKind), modeOf(share)]);
  return (
    <form
      className="hf-share-options"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <NativeSelect
        label={t('sharing.field.mode')} value={draft.mode} className="hf-span"
        data={[...modes].map((value) => ({ value, label: t(`sharing.mode.${value}`) }))}
        onChange={(event) => set({ mode: event.currentTarget.value as LinkMode })}
      />
      <PasswordPart {...{ share, draft, set, lacksPassword }} />
      <TextInput
        type="date" label={t('sharing.field.until')} description={t('sharing.field.untilHint')}
        value={draft.date} error={isPast ? t('sharing.untilPast') : undefined}
        onChange={(event) => set({ date: event.currentTarget.value })}
      />
      <TextInput
        type="number" min={1} max={1_000_000_000} step={1} value={draft.downloadsMax}
        label={t('sharing.field.downloads')} description={t('sharing.field.downloadsHint')}
        disabled={draft.mode === 'look' || draft.mode === 'drop'}
        onChange={(event) => set({ downloadsMax: event.currentTarget.value })}
      />
      <TextInput
        label={t('sharing.field.label')} description={t('sharing.field.labelHint')}
        value={draft.label} maxLength={200} className="hf-span"
        onChange={(event) => set({ label: event.currentTarget.value })}
      />
      <Textarea
        label={t('sharing.field.note')} value={draft.note} rows={2} maxLength={1000}
        className="hf-span" onChange={(event) => set({ note: event.currentTarget.value })}
      />
      <Group justify="flex-end" gap={8} className="hf-span">
        {share.mail !== undefined && (
          <Button variant="subtle" onClick={() => void sendMailAgain(share)}>
            {t('sharing.sendAgain')}
          </Button>
        )}
        <Button variant="default" onClick={close}>{t('action.cancel')}</Button>
        <Button type="submit" loading={isBusy} disabled={isPast || lacksPassword}>
          {t('sharing.save')}
        </Button>
      </Group>
    </form>
  );
}

interface PasswordPartProps {
  readonly share: Share;
  readonly draft: Draft;
  readonly set: (part: Partial<Draft>) => void;
  readonly lacksPassword: boolean;
}

function PasswordPart({ share, draft, set, lacksPassword }: PasswordPartProps): ReactNode {
  return (
    <div className="hf-span hf-password">
      <Switch
        label={t('sharing.field.password')} checked={draft.hasPassword}
        onChange={(event) => set({ hasPassword: event.currentTarget.checked })}
      />
      {draft.hasPassword && (
        <PasswordInput
          aria-label={t('sharing.field.newPassword')} value={draft.password} maxLength={1024}
          autoComplete="new-password" error={lacksPassword ? t('sharing.passwordEmpty') : undefined}
          placeholder={t(share.hasPassword === true ? 'sharing.field.keepPassword'
            : 'sharing.field.newPassword')}
          onChange={(event) => set({ password: event.currentTarget.value })}
        />
      )}
    </div>
  );
}
