/** What somebody may do: chosen from a menu that says what each word means. */
import { Button, Menu } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';
import { rolesFor } from './sharing-words.ts';
import type { NodeKind, Role } from './sharing-words.ts';

export interface RoleMenuProps {
  readonly role: Role;
  readonly kind: NodeKind;
  /** Whose role it is. */
  readonly name: string;
  readonly onChange: (role: Role) => void;
  /** The edge of the button that the menu keeps to. */
  readonly edge?: 'start' | 'end';
}

export function RoleMenu({
  role, kind, name, onChange, edge = 'end',
}: RoleMenuProps): ReactNode {
  const text = t(`sharing.role.${role}`);
  return (
    <Menu position={`bottom-${edge}`} width={280} withinPortal shadow="md">
      <Menu.Target>
        <Button
          variant="subtle" color="gray" size="compact-sm" className="hf-role"
          rightSection={<Icon name="chevronDown" small />}
          aria-label={t('sharing.roleOf', { name, role: text })}
        >
          {text}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {rolesFor(kind).map((one) => (
          <Menu.Item
            key={one} onClick={() => one !== role && onChange(one)}
            {...(one === 'none' && { color: 'red' })} aria-current={one === role}
            rightSection={one === role ? <Icon name="check" small /> : null}
          >
            <span className="hf-role-choice">
              <span>{t(`sharing.role.${one}`)}</span>
              <small>{t(`sharing.means.${one}`)}</small>
            </span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
