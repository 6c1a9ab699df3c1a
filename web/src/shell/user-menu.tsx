import { Menu, useMantineColorScheme } from '@mantine/core';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import { Icon } from '../parts/icons.tsx';
import type { IconName } from '../parts/icons.tsx';
import { openKeys } from '../parts/keys-dialog.tsx';
import { Link } from '../parts/link.tsx';
import { sayFailed } from '../parts/toasts.tsx';
import { initialsOf } from '../texts/figures.ts';
import { t } from '../texts/texts.ts';
import type { TextKey } from '../texts/texts.ts';
import { SESSION_KEY, useSession } from './session-gate.tsx';

const SCHEMES: readonly (readonly ['light' | 'dark' | 'auto', IconName, TextKey])[] = [
  ['light', 'sun', 'scheme.light'], ['dark', 'moon', 'scheme.dark'],
  ['auto', 'settings', 'scheme.auto'],
];

export function UserMenu(): ReactNode {
  const { user } = useSession();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const leave = async (): Promise<void> => {
    try {
      await api.signOut();
      queryClient.clear();
      await queryClient.invalidateQueries({ queryKey: SESSION_KEY });
      location.assign('/app/');
    } catch (error) {
      sayFailed(error);
    }
  };
  return (
    <Menu
      position="top-start" width={240} shadow="md" withinPortal withInitialFocusPlaceholder={false}
    >
      <Menu.Target>
        <button
          className="hf-user" type="button"
          aria-label={t('user.menu', { name: user.displayName })}
        >
          <span className="hf-user-face" data-initials={initialsOf(user.displayName)} />
          <span className="hf-user-name">{user.displayName}</span>
          <Icon name="chevronDown" small />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          component={Link} href="/app/account" leftSection={<Icon name="user" small />}
        >
          {t('user.account')}
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="keyboard" small />} onClick={openKeys}>
          {t('user.keys')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{t('scheme.label')}</Menu.Label>
        {SCHEMES.map(([scheme, icon, label]) => (
          <Menu.Item
            key={scheme} leftSection={<Icon name={icon} small />}
            onClick={() => setColorScheme(scheme)}
            rightSection={colorScheme === scheme ? <Icon name="check" small /> : null}
          >
            {t(label)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="signOut" small />} onClick={() => void leave()}>
          {t('user.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
