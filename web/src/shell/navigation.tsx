/** The views. On a phone they are a bar at the lower edge, with room for few of them: what does not
 *  fit is behind "More". Both are drawn, and the width decides which is seen. */
import { Menu } from '@mantine/core';
import type { ReactNode } from 'react';
import { hrefOf, usePathname } from '../parts/address.ts';
import { Icon } from '../parts/icons.tsx';
import { Link } from '../parts/link.tsx';
import { t } from '../texts/texts.ts';
import { VIEWS } from '../views/views.ts';
import type { View } from '../views/views.ts';
import { placesOf } from './places.ts';
import { useSession } from './session-gate.tsx';
import { WaitingBadge, WaitingCount } from './waiting-badge.tsx';

export function Navigation(): ReactNode {
  const { user } = useSession();
  const isHere = useIsHere();
  const shown = VIEWS.filter(({ isForAdmins = false, isElsewhere = false }) => (
    !isElsewhere && (user.isAdmin || !isForAdmins)
  ));
  const { behind } = placesOf(shown);
  return (
    <nav className="hf-nav" aria-label={t('nav.label')}>
      {shown.map((view) => (
        <Link
          key={view.path} href={hrefOf(view.path)}
          className={`hf-nav-link ${behind.includes(view) ? 'hf-nav-behind' : ''}`}
          {...(isHere(view) && { 'aria-current': 'page' as const })}
        >
          <Icon name={view.icon} solid={isHere(view)} /><span>{t(view.label)}</span>
          {view.badge === 'waiting' && <WaitingBadge />}
        </Link>
      ))}
      {behind.length > 0 && <More views={behind} isHere={isHere} />}
    </nav>
  );
}

function More({ views, isHere }: {
  readonly views: readonly View[]; readonly isHere: (view: View) => boolean;
}): ReactNode {
  const isOne = views.some(isHere);
  return (
    <Menu
      position="top-end" width={220} shadow="md" withinPortal withInitialFocusPlaceholder={false}
    >
      <Menu.Target>
        <button
          type="button" className="hf-nav-link hf-nav-more"
          {...(isOne && { 'aria-current': 'true' as const })}
        >
          <Icon name="menu" /><span>{t('nav.more')}</span>
          {views.some(({ badge }) => badge === 'waiting') && <WaitingBadge />}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {views.map((view) => (
          <Menu.Item
            key={view.path} component={Link} href={hrefOf(view.path)}
            leftSection={<Icon name={view.icon} small />}
            rightSection={isHere(view) ? <Icon name="check" small /> : null}
          >
            <span className="hf-nav-more-line">
              {t(view.label)}{view.badge === 'waiting' && <WaitingCount />}
            </span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function useIsHere(): (view: View) => boolean {
  const pathname = usePathname();
  return ({ path }) => pathname === path || pathname.startsWith(`${path}/`)
    || pathname.startsWith(`/app${path}`);
}
