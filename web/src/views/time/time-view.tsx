/** Looking back at a folder: how it was at a moment, what is different, and bringing it back. */
import { Button, Loader, SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { useStore } from '../../api/store.ts';
import { folderHref, hrefOf, useGo, useSearch } from '../../parts/address.ts';
import { Icon } from '../../parts/icons.tsx';
import { Link } from '../../parts/link.tsx';
import { exactTimeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { DifferenceList } from './difference-list.tsx';
import { MomentPicker } from './moment-picker.tsx';
import { PastList } from './past-list.tsx';
import { RestoreDialog } from './restore-dialog.tsx';
import type { RestoreWish } from './restore-dialog.tsx';
import { restoreJob } from './restore-job.ts';
import { rangeOf, spanOf } from './time-range.ts';
import type { Range, Span } from './time-range.ts';
import { useDifferences, useFolderNow } from './use-past.ts';
import './time.css';

/** The newest moment that the server's clock has surely seen. */
const BEHIND_MS = 2_000;
/** A slider passes many moments; that at which it rests is asked for. */
const REST_MS = 250;

interface Looking {
  readonly path: string;
  readonly name: string;
  readonly range: Range;
  readonly span: Span;
  /** undefined: now. */
  readonly moment: number | undefined;
  /** That at which somebody rests. */
  readonly at: string;
  readonly isNow: boolean;
  readonly onPath: (path: string) => void;
  readonly onRange: (range: Range) => void;
  readonly onMoment: (moment: number | undefined) => void;
}

/** Where and when somebody looks: all of it is in the address. */
function useLooking(): Looking {
  const search = useSearch();
  const go = useGo();
  const path = search['path'] ?? '/';
  const range = rangeOf(search['range']);
  const given = Date.parse(search['at'] ?? '');
  const [moment, setMoment] = useState(Number.isNaN(given) ? undefined : given);
  const [end, setEnd] = useState(() => Date.now() - BEHIND_MS);
  const began = useQuery({
    queryKey: ['account'], queryFn: ({ signal }) => api.getAccount({ signal }), staleTime: Infinity,
  });
  const beganAt = Date.parse(began.data?.createdAt ?? '') || end;
  const span = useMemo(() => spanOf(range, end, beganAt), [range, end, beganAt]);
  const rested = useRested(moment);
  const at = useMemo(() => new Date(rested ?? end).toISOString(), [rested, end]);
  const show = (change: Readonly<Record<string, string | undefined>>): void => {
    const now = moment === undefined ? undefined : new Date(moment).toISOString();
    const href = hrefOf('/time', { path, range, at: now, ...change });
    go(href, { replace: change['path'] === undefined });
  };
  return {
    path, range, span, moment, at, isNow: rested === undefined,
    name: path === '/' ? t('files.root') : path.slice(path.lastIndexOf('/') + 1),
    onPath: (next) => show({ path: next }),
    onRange: (next) => {
      setEnd(Date.now() - BEHIND_MS);
      show({ range: next });
    },
    onMoment: (next) => {
      setMoment(next);
      if (next === undefined) setEnd(Date.now() - BEHIND_MS);
      show({ at: next === undefined ? undefined : new Date(next).toISOString() });
    },
  };
}

export function TimeView(): ReactNode {
  const looking = useLooking();
  const { path, name, range, span, moment, at, isNow, onPath, onRange, onMoment } = looking;
  const [shows, setShows] = useState<Shown>('past');
  const [wish, setWish] = useState<RestoreWish>();
  const folder = useFolderNow(path);
  const folderId = folder.data?.id;
  const differences = useDifferences(isNow ? undefined : folderId, at);
  const since = useMemo(() => new Map(differences.data?.pages.flatMap(({ items }) => {
    return items.map(({ nodeId, change }) => [nodeId, change] as const);
  })), [differences.data]);
  useEffect(() => {
    document.title = `${t('time.titleOf', { folder: name })} · ${t('app.name')}`;
  }, [name]);
  return (
    <div className="hf-time">
      <TimeHead path={path} name={name} onOpen={onPath} />
      <MomentPicker {...{ folderId, range, span, at: moment, onMoment, onRange }} />
      <TimeBar
        looking={looking} shows={shows} onShow={setShows}
        onRestore={() => setWish({ path, name, kind: 'folder' })}
      />
      <JobNote />
      <div className="hf-time-body" tabIndex={0} role="region" aria-label={name}>
        {shows === 'past' ? (
          <PastList {...{ path, at, isNow, name, since }} onRestore={setWish} onOpen={onPath} />
        ) : (
          <DifferenceList
            top={path} query={differences} isGone={folder.data === null} isNow={isNow}
          />
        )}
      </div>
      <RestoreDialog wish={wish} at={at} onClose={() => setWish(undefined)} />
    </div>
  );
}

type Shown = 'past' | 'different';

interface TimeBarProps {
  readonly looking: Looking;
  readonly shows: Shown;
  readonly onShow: (shows: Shown) => void;
  readonly onRestore: () => void;
}

function TimeBar({ looking, shows, onShow, onRestore }: TimeBarProps): ReactNode {
  const { isNow, at, path } = looking;
  return (
    <div className="hf-time-bar">
      <p role="status">
        {isNow ? t('time.asOfNow') : t('time.asOf', { time: exactTimeText(at) })}
      </p>
      <SegmentedControl
        size="sm" aria-label={t('time.show')} value={shows} withItemsBorders={false}
        onChange={(value) => onShow(value === 'different' ? value : 'past')}
        data={[
          { value: 'past', label: t('time.asItWas') },
          { value: 'different', label: t('time.different') },
        ]}
      />
      <Button
        disabled={isNow} leftSection={<Icon name="restore" small />} onClick={onRestore}
      >
        {t(path === '/' ? 'time.restoreAll' : 'time.restoreFolder')}
      </Button>
    </div>
  );
}

function useRested<Value>(value: Value): Value {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), REST_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return rested;
}

interface TimeHeadProps {
  readonly path: string;
  readonly name: string;
  readonly onOpen: (path: string) => void;
}

function TimeHead({ path, name, onOpen }: TimeHeadProps): ReactNode {
  const names = path.split('/').filter((part) => part !== '');
  const steps = names.map((_, at) => `/${names.slice(0, at + 1).join('/')}`);
  return (
    <header className="hf-time-head">
      <Link className="hf-time-back" href={folderHref(path)} aria-label={t('time.back')}>
        <Icon name="chevronLeft" />
      </Link>
      <div>
        <h1>{t('time.titleOf', { folder: name })}</h1>
        {names.length > 0 && (
          <nav aria-label={t('files.breadcrumb')}>
            {['/', ...steps.slice(0, -1)].map((step, at) => (
              <button key={step} type="button" onClick={() => onOpen(step)}>
                {step === '/' ? t('files.root') : names[at - 1]}
                <Icon name="chevronRight" small />
              </button>
            ))}
            <span>{name}</span>
          </nav>
        )}
      </div>
    </header>
  );
}

/** What is being brought back, while it is. */
function JobNote(): ReactNode {
  const job = useStore(restoreJob);
  if (job === undefined) return null;
  const { batch: { doneCount: count }, isUndo } = job;
  return (
    <div className="hf-time-job" role="status">
      <Loader size="xs" />
      <span>{t(isUndo ? 'time.undoing' : 'time.running', { count })}</span>
      <small>{t('time.goesOn')}</small>
    </div>
  );
}
