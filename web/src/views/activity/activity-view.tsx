/** What happened lately, and what waits for a decision. */
import { Badge, Tabs } from '@mantine/core';
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { hrefOf, useGo, useSearch } from '../../parts/address.ts';
import { t } from '../../texts/texts.ts';
import { HappenedList } from './happened-list.tsx';
import { InboxList } from './inbox-list.tsx';
import { useInbox } from './use-inbox.ts';
import './activity.css';

export function ActivityView(): ReactNode {
  const tab = useSearch()['tab'] === 'waiting' ? 'waiting' : 'happened';
  const go = useGo();
  const inbox = useInbox();
  useEffect(() => {
    document.title = `${t('activity.title')} · ${t('app.name')}`;
  }, []);
  return (
    <div className="hf-activity">
      <header><h1>{t('activity.title')}</h1></header>
      <Tabs
        value={tab} keepMounted={false} className="hf-activity-tabs"
        onChange={(value) => {
          const wanted = value === 'waiting' ? value : undefined;
          go(hrefOf('/activity', { tab: wanted }), { replace: true });
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
        <Tabs.Panel value="happened"><HappenedList /></Tabs.Panel>
        <Tabs.Panel value="waiting"><InboxList inbox={inbox} /></Tabs.Panel>
      </Tabs>
    </div>
  );
}
