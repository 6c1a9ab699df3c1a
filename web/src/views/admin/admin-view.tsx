/** Administration: its own navigation at the side, and the part that was chosen. */
import { Suspense, lazy, useEffect, useMemo, useRef } from 'react';
import type { ReactNode } from 'react';
import { hrefOf, usePathname } from '../../parts/address.ts';
import { Icon } from '../../parts/icons.tsx';
import { Link } from '../../parts/link.tsx';
import { EmptyState, LoadingRows } from '../../parts/states.tsx';
import { useSession } from '../../shell/session-gate.tsx';
import { t } from '../../texts/texts.ts';
import { useIsInstallation } from './rights.ts';
import { TABS } from './tabs.ts';
import type { AdminTab } from './tabs.ts';
import './admin.css';

const PARTS = new Map(TABS.map(({ part, load }) => [part, lazy(load)]));

export function AdminView(): ReactNode {
  const { user } = useSession();
  const isOfAll = useIsInstallation();
  const part = /\/admin\/?([^/]*)/.exec(usePathname())?.[1] ?? '';
  const tabs = useMemo(
    () => TABS.filter(({ isOfInstallation = false }) => isOfAll || !isOfInstallation), [isOfAll],
  );
  const tab = tabs.find((one) => one.part === part);
  const title = t(tab?.label ?? 'admin.title');
  useEffect(() => {
    document.title = `${title} · ${t('admin.title')} · ${t('app.name')}`;
  }, [title]);
  if (!user.isAdmin) {
    return <EmptyState icon="lock" title={t('admin.notYours')} text={t('admin.notYoursText')} />;
  }
  const Part = tab === undefined ? undefined : PARTS.get(part);
  return (
    <div className="hf-admin">
      <AdminTabs tabs={tabs} part={part} />
      <div className="hf-admin-part">
        {Part === undefined
          ? <EmptyState icon="search" title={t('error.lost')} text={t('error.lostText')} />
          : <Suspense fallback={<LoadingRows />}><Part key={part} /></Suspense>}
      </div>
    </div>
  );
}

function AdminTabs(
  { tabs, part: here }: { readonly tabs: readonly AdminTab[]; readonly part: string },
): ReactNode {
  const strip = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone they are a strip, and this one may be out of sight.
    const current = strip.current?.querySelector('[aria-current]');
    current?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [here]);
  return (
    <nav ref={strip} className="hf-admin-tabs" aria-label={t('admin.title')}>
      {tabs.map(({ part, label, icon }) => (
        <Link
          key={part} href={hrefOf(part === '' ? '/admin' : `/admin/${part}`)}
          {...(part === here && { 'aria-current': 'page' as const })}
        >
          <Icon name={icon} small solid={part === here} /><span>{t(label)}</span>
        </Link>
      ))}
    </nav>
  );
}
