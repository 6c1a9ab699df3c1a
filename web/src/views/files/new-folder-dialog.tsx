import { Button, Group, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from '../../api/store.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { t } from '../../texts/texts.ts';
import { useScreen } from './folder-screen.ts';
import { faultOfName } from './name-rules.ts';
import { makeFolder } from './operations.ts';

export function NewFolderDialog(): ReactNode {
  const screen = useScreen();
  const asking = useStore(screen.asking);
  const close = (): void => screen.asking.set(undefined);
  return (
    <Dialog title={t('files.newFolder')} isOpen={asking?.kind === 'new-folder'} onClose={close}>
      <NewFolderForm close={close} />
    </Dialog>
  );
}

function NewFolderForm({ close }: { readonly close: () => void }): ReactNode {
  const screen = useScreen();
  const [name, setName] = useState(t('files.untitled'));
  const [isTouched, setTouched] = useState(false);
  const fault = faultOfName(name);
  const submit = async (): Promise<void> => {
    const { folder } = screen;
    if (fault !== undefined || folder === undefined) return;
    const made = await makeFolder(folder, name.trim());
    if (made === undefined) return;
    close();
    // The list has it after the next drawing.
    requestAnimationFrame(() => screen.focusOn(made.id));
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <TextInput
        label={t('files.folderName')} value={name} data-autofocus spellCheck={false}
        error={isTouched ? fault : undefined} onFocus={(event) => event.currentTarget.select()}
        onChange={(event) => {
          setName(event.currentTarget.value);
          setTouched(true);
        }}
      />
      <Group justify="flex-end" mt={20} gap={10}>
        <Button variant="default" onClick={close}>{t('action.cancel')}</Button>
        <Button type="submit" disabled={fault !== undefined}>{t('files.create')}</Button>
      </Group>
    </form>
  );
}
