import { Checkbox, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { say } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';
import { Ask } from './ask.tsx';
import { reload } from './lists.ts';
import { PasswordField, isGoodPassword } from './password-field.tsx';

interface NewUserWindowProps {
  readonly isOpen: boolean;
  readonly close: () => void;
}

const NOTHING = { id: '', displayName: '', email: '', password: '', isAdmin: false };

export function NewUserWindow({ isOpen, close }: NewUserWindowProps): ReactNode {
  const [form, setForm] = useState(NOTHING);
  const { id, displayName, email, password, isAdmin } = form;
  const end = (): void => {
    close();
    setForm(NOTHING);
  };
  const add = async (): Promise<void> => {
    await api.addUser({
      body: {
        id: id.trim().toLowerCase(), password, isAdmin,
        ...(displayName.trim() !== '' && { displayName: displayName.trim() }),
        ...(email.trim() !== '' && { email: email.trim() }),
      },
    });
    await reload('users');
    say(t('admin.userAdded', { name: displayName.trim() || id }));
  };
  const text = (name: 'id' | 'displayName' | 'email') => ({
    value: form[name], spellCheck: false,
    onChange: (event: { currentTarget: { value: string } }) =>
      setForm({ ...form, [name]: event.currentTarget.value }),
  });
  return (
    <Ask
      title={t('admin.addUser')} isOpen={isOpen} onClose={end} action={t('admin.add')}
      isReady={id.trim() !== '' && isGoodPassword(password)} submit={add}
    >
      <TextInput
        label={t('admin.userId')} description={t('admin.userIdText')} data-autofocus
        autoComplete="off" {...text('id')}
      />
      <TextInput label={t('admin.displayName')} autoComplete="off" {...text('displayName')} />
      <TextInput label={t('admin.email')} type="email" autoComplete="off" {...text('email')} />
      <PasswordField
        value={password} onChange={(value) => setForm({ ...form, password: value })}
      />
      <Checkbox
        label={t('admin.isAdmin')} description={t('admin.isAdminText')} checked={isAdmin}
        onChange={(event) => setForm({ ...form, isAdmin: event.currentTarget.checked })}
      />
    </Ask>
  );
}
