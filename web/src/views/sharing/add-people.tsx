/** The first part of the window: somebody to share with, and what they may do. */
import { Button, Checkbox, Group, Textarea } from '@mantine/core';
import { useRef, useState } from 'react';
import type { ReactNode } from 'react';
import type { FileNode } from '../../api/shapes.ts';
import type { Share } from '../../../../src/wire/client.ts';
import { t } from '../../texts/texts.ts';
import { PersonPicker } from './person-picker.tsx';
import type { Picked } from './person-picker.tsx';
import { RoleMenu } from './role-menu.tsx';
import { shareWith } from './share-changes.ts';
import type { Role } from './sharing-words.ts';

export interface AddPeopleProps {
  readonly node: FileNode;
  readonly shares: readonly Share[];
}

export function AddPeople({ node, shares }: AddPeopleProps): ReactNode {
  const [picked, setPicked] = useState<readonly Picked[]>([]);
  const field = useRef<HTMLInputElement>(null);
  const taken = new Set(shares.map(({ kind, receiver }) => `${kind}:${receiver?.id ?? ''}`));
  // What had the focus goes away with the form.
  const close = (): void => {
    setPicked([]);
    field.current?.focus();
  };
  return (
    <div className="hf-add">
      <PersonPicker picked={picked} onPick={setPicked} taken={taken} field={field} />
      {picked.length > 0 && <AddForm node={node} picked={picked} close={close} />}
    </div>
  );
}

interface AddFormProps {
  readonly node: FileNode;
  readonly picked: readonly Picked[];
  readonly close: () => void;
}

function AddForm({ node, picked, close }: AddFormProps): ReactNode {
  const [role, setRole] = useState<Role>('viewer');
  const [note, setNote] = useState('');
  const [notify, setNotify] = useState(true);
  const [isBusy, setBusy] = useState(false);
  const names = picked.map(({ name }) => name);
  const hasUsers = picked.some(({ receiver }) => receiver.kind === 'user');
  const submit = async (): Promise<void> => {
    setBusy(true);
    const text = note.trim();
    const terms = {
      role, ...(text !== '' && { note: text }), ...(hasUsers && notify && { notify }),
    };
    const receivers = picked.map(({ receiver }) => receiver);
    const isDone = await shareWith({ nodeId: node.id, receivers, names, terms });
    setBusy(false);
    if (isDone) close();
  };
  return (
    <form
      className="hf-add-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Textarea
        label={t('sharing.note')} value={note} autosize={false} rows={2} maxLength={1000}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      {hasUsers && (
        <Checkbox
          label={t('sharing.notify')} checked={notify} size="sm"
          onChange={(event) => setNotify(event.currentTarget.checked)}
        />
      )}
      <Group justify="space-between" gap={8}>
        <RoleMenu
          role={role} kind={node.kind} onChange={setRole} edge="start"
          name={new Intl.ListFormat('en', { type: 'conjunction' }).format(names)}
        />
        <Group gap={8} justify="flex-end" className="hf-add-acts">
          <Button variant="default" onClick={close}>{t('action.cancel')}</Button>
          <Button type="submit" loading={isBusy}>
            {t('sharing.shareWith', { count: names.length, name: names[0] ?? '' })}
          </Button>
        </Group>
      </Group>
    </form>
  );
}
