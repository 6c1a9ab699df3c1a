/** For how long what is past is kept: by the tenant's rule, and exceptions for a user or a team. */
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Retention, RetentionChange } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { ErrorState, LoadingRows } from '../../parts/states.tsx';
import { say } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';
import { Ask } from './ask.tsx';
import { daysText } from './days-text.ts';
import { reload } from './lists.ts';
import { PartHead } from './part-head.tsx';
import { Badge, Card } from './pieces.tsx';

const KEYS = ['keepAllDays', 'keepDailyDays', 'trashKeepDays'] as const;
type Key = (typeof KEYS)[number];
type Whose = Pick<RetentionChange, 'user' | 'spaceId'>;

export function RetentionTab(): ReactNode {
  const [kind, setKind] = useState<'user' | 'space'>('user');
  const [who, setWho] = useState('');
  const [looked, setLooked] = useState<Whose>();
  const { data: spaces } = useQuery({
    queryKey: ['admin', 'spaces', 'all'],
    queryFn: ({ signal }) => api.listSpaces({ limit: 1000 }, { signal }),
  });
  const choices = spaces?.items ?? [];
  return (
    <>
      <PartHead title={t('admin.retention')} lead={t('admin.retentionLead')} />
      <div className="hf-admin-scroll" tabIndex={0} role="region" aria-label={t('admin.retention')}>
        <Rule whose={{}} title={t('admin.retentionAll')} />
        <Card title={t('admin.retentionOne')}>
          <p>{t('admin.retentionOneText')}</p>
          <form
            className="hf-inline-form"
            onSubmit={(event) => {
              event.preventDefault();
              const text = who.trim();
              if (text === '') return;
              setLooked(kind === 'user' ? { user: text.toLowerCase() } : { spaceId: text });
            }}
          >
            {kind === 'user' ? (
              <TextInput
                label={t('admin.userId')} value={who} spellCheck={false} autoComplete="off"
                onChange={(event) => setWho(event.currentTarget.value)}
              />
            ) : (
              <NativeSelect
                label={t('admin.spaceName')} value={who}
                data={[
                  { value: '', label: t('admin.noSpaceChosen') },
                  ...choices.map(({ id, name }) => ({ value: id, label: name })),
                ]}
                onChange={(event) => setWho(event.currentTarget.value)}
              />
            )}
            <NativeSelect
              aria-label={t('admin.retentionKind')} value={kind}
              data={[
                { value: 'user', label: t('admin.kind.user') },
                { value: 'space', label: t('admin.kind.space') },
              ]}
              onChange={(event) => {
                setKind(event.currentTarget.value === 'space' ? 'space' : 'user');
                setWho('');
              }}
            />
            <Button type="submit" variant="default" disabled={who.trim() === ''}>
              {t('admin.show')}
            </Button>
          </form>
        </Card>
        {looked !== undefined && <Rule whose={looked} />}
      </div>
    </>
  );
}

function Rule({ whose, title }: { readonly whose: Whose; readonly title?: string }): ReactNode {
  const [isChanging, setChanging] = useState(false);
  const { data, error, refetch } = useQuery({
    queryKey: ['admin', 'retention', JSON.stringify(whose)],
    queryFn: ({ signal }) => api.getRetention(whose, { signal }),
  });
  if (data === undefined) {
    return error === null ? <LoadingRows count={3} />
      : <ErrorState error={error} retry={() => void refetch()} />;
  }
  return (
    <Card
      title={title ?? t('admin.retentionOf', { name: data.subject })} action={(
        <Button size="compact-sm" variant="default" onClick={() => setChanging(true)}>
          {t('admin.change')}
        </Button>
      )}
    >
      <dl className="hf-facts">
        {KEYS.map((key) => [
          <dt key={`${key} t`}>{t(`admin.${key}`)}</dt>,
          <dd key={`${key} d`}>
            {keptText(data.policy[key])}{' '}
            {data.rule[key] !== undefined
              && <Badge tone="good">{t('admin.setHere')}</Badge>}
          </dd>,
        ])}
      </dl>
      {isChanging && (
        <RuleWindow whose={whose} retention={data} close={() => setChanging(false)} />
      )}
    </Card>
  );
}

function RuleWindow({ whose, retention, close }: {
  readonly whose: Whose; readonly retention: Retention; readonly close: () => void;
}): ReactNode {
  const [days, setDays] = useState<Record<Key, string>>(() => ({
    keepAllDays: textOf(retention.rule.keepAllDays),
    keepDailyDays: textOf(retention.rule.keepDailyDays),
    trashKeepDays: textOf(retention.rule.trashKeepDays),
  }));
  const wanted = KEYS.map((key) => [key, daysOf(days[key])] as const);
  const isShorter = wanted.some(([key, value]) => (
    typeof value === 'number' && value !== 0
      && (retention.policy[key] === 0 || value < retention.policy[key])));
  return (
    <Ask
      title={t('admin.retentionOf', { name: retention.subject })} isOpen onClose={close}
      action={t('admin.save')} isDanger={isShorter}
      isReady={wanted.every(([, value]) => value !== undefined)}
      submit={async () => {
        await api.setRetention({ body: { ...whose, ...Object.fromEntries(wanted) } });
        await reload('retention');
        say(t('admin.retentionSaved', { name: retention.subject }));
      }}
    >
      <p>{t('admin.retentionText')}</p>
      {KEYS.map((key) => (
        <TextInput
          key={key} label={t(`admin.${key}`)} value={days[key]} inputMode="numeric"
          placeholder={t('admin.asAbove', { days: keptText(retention.policy[key]) })}
          error={daysOf(days[key]) === undefined ? t('admin.noDays') : undefined}
          onChange={(event) => setDays({ ...days, [key]: event.currentTarget.value })}
        />
      ))}
      {isShorter && <p role="alert"><strong>{t('admin.retentionShorter')}</strong></p>}
    </Ask>
  );
}

function textOf(days: number | undefined): string {
  return days === undefined ? '' : String(days);
}

/** null: nothing of its own; undefined: not a number of days. */
function daysOf(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  const days = Number(text);
  return Number.isInteger(days) && days >= 0 && days <= 36_500 ? days : undefined;
}

function keptText(days: number): string {
  return days === 0 ? t('admin.forEver') : daysText(days);
}
