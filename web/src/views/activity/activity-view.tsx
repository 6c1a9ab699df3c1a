/** What happened lately, and what waits for a decision. */
import { Badge, Tabs } from '@mantine/core';
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { hrefOf, useGo, useSearch } from '../../parts/address.ts';
import { Link } from '../../parts/link.tsx';
import { t } from '../../texts/texts.ts';
import { HappenedList } from './happened-list.tsx';
import { InboxList } from './inbox-list.tsx';
import { useInbox } from './use-inbox.ts';
import './activity.css';

export function ActivityView(): ReactNode {
  const search = useSearch();
  const tab = search['tab'] === 'waiting' ? 'waiting' : 'happened';
  const { node: nodeId, of: name = '' } = search;
  const go = useGo();
  const inbox = useInbox();
  useEffect(() => {
    document.title = `${t('activity.title')} · ${t('app.name')}`;
  }, []);
  return (
    <div className="hf-activity">
      <header>
        <h1>{nodeId === undefined ? t('activity.title') : t('activity.titleOf', { name })}</h1>
        {nodeId !== undefined && (
          <Link href={hrefOf('/activity')}>{t('activity.ofAll')}</Link>
        )}
      </header>
      <Tabs
        value={tab} keepMounted={false} className="hf-activity-tabs"
        onChange={(value) => {
          const wanted = value === 'waiting' ? value : undefined;
          go(hrefOf('/activity', { node: nodeId, of: name, tab: wanted }), { replace: true });
        }}
      >
        <Tabs.List aria-label={t('activity.tabs')}>
          <Tabs.Tab value="happened">{t('activity.happened')}</Tabs.Tab>
          <Tabs.Tab
            value="waiting"
            rightSection={inbox.count > 0 && (
              <Badge size="sm" circle={inbox.count < 10} className="hf-count-badge">
                {inbox.count}
              </Badge>
            )}
          >
            {t('activity.waiting')}
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="happened"><HappenedList nodeId={nodeId} /></Tabs.Panel>
        <Tabs.Panel value="waiting"><InboxList inbox={inbox} /></Tabs.Panel>
      </Tabs>
    </div>
  );
}
