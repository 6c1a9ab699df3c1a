/** The menu of one or more entries, at the pointer or at their button. */
import { Menu } from '@mantine/core';
import { Fragment } from 'react';
import type { ReactNode } from 'react';
import { useStore } from '../../api/store.ts';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';
import { useScreen } from './folder-screen.ts';
import { actionsFor } from './node-actions.ts';

export function NodeMenu(): ReactNode {
  const screen = useScreen();
  const place = useStore(screen.menu);
  const groups = place === undefined ? [] : actionsFor(screen, place.nodes);
  return (
    <Menu
      opened={place !== undefined} onClose={() => screen.menu.set(undefined)} width={232}
      position="bottom-start" withinPortal shadow="md" returnFocus={false}
      transitionProps={{ duration: 80 }}
    >
      <Menu.Target>
        <span
          className="hf-menu-anchor" aria-hidden="true"
          style={{ left: `${place?.x ?? 0}px`, top: `${place?.y ?? 0}px` }}
        />
      </Menu.Target>
      <Menu.Dropdown>
        {groups.map((group, at) => (
          <Fragment key={group[0]?.key ?? at}>
            {at > 0 && <Menu.Divider />}
            {group.map(({ key, label, icon, keys, isDanger, run }) => (
              <Menu.Item
                key={key} leftSection={<Icon name={icon} small />} onClick={run}
                {...(isDanger === true && { color: 'red' })}
                rightSection={keys !== undefined && <span className="hf-keys-hint">{keys}</span>}
              >
                {t(label)}
              </Menu.Item>
            ))}
          </Fragment>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
