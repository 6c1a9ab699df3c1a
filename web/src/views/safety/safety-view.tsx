/** "Is my data safe?", for everybody: what is proven, what is not, and what is not known. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import type { Safety } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { hrefOf } from '../../parts/address.ts';
import { Icon } from '../../parts/icons.tsx';
import type { IconName } from '../../parts/icons.tsx';
import { Link } from '../../parts/link.tsx';
import { ErrorState, LoadingRows } from '../../parts/states.tsx';
import { useSession } from '../../shell/session-gate.tsx';
import { exactTimeText, sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { ReadDays } from './read-days.tsx';
import './safety.css';

const AGAIN_MS = 60_000;
/** While the files are being counted. */
const SOON_MS = 3_000;
const SIGN: Readonly<Record<Safety['verdict'], IconName>> = {
  good: 'shield', attention: 'alert', unknown: 'info',
};

export function SafetyView(): ReactNode {
  const { data, error, refetch } = useQuery({
    queryKey: ['safety'], queryFn: ({ signal }) => api.getSafety({ signal }),
    refetchInterval: ({ state }) => (state.data?.files === undefined ? SOON_MS : AGAIN_MS),
  });
  useEffect(() => {
    document.title = `${t('safety.title')} · ${t('app.name')}`;
  }, []);
  if (data === undefined) {
    return error === null ? <LoadingRows />
      : <ErrorState error={error} retry={() => void refetch()} />;
  }
  return <SafetyPage safety={data} />;
}

function SafetyPage({ safety }: { readonly safety: Safety }): ReactNode {
  const { user } = useSession();
  const { verdict, statements, readDays } = safety;
  const order = ['attention', 'unknown', 'good'];
  const sorted = statements.toSorted((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone));
  return (
    <div className="hf-safety" tabIndex={0} role="region" aria-label={t('safety.title')}>
      <div className="hf-safety-page">
        <header className="hf-verdict" data-tone={verdict}>
          <span className="hf-verdict-sign"><Icon name={SIGN[verdict]} /></span>
          <div>
            <p className="hf-verdict-ask">{t('safety.title')}</p>
            <h1>{t(`safety.${verdict}`)}</h1>
            <p>{t(`safety.${verdict}Text`)}</p>
          </div>
        </header>
        <Holdings safety={safety} />
        <section aria-label={t('safety.known')}>
          <h2>{t('safety.known')}</h2>
          <ul className="hf-statements" aria-label={t('safety.statements')}>
            {sorted.map(({ code, tone, text }) => (
              <li key={code} data-tone={tone}>
                <Icon name={tone === 'good' ? 'check' : SIGN[tone]} />
                <span>{text}</span>
              </li>
            ))}
          </ul>
          {user.isAdmin && verdict !== 'good' && (
            <Button component={Link} href={hrefOf('/admin/verifiers')} variant="default" size="xs">
              {t('safety.toVerifiers')}
            </Button>
          )}
        </section>
        <section aria-label={t('safety.plot')}>
          <h2>{t('safety.plot')}</h2>
          <p>{t('safety.plotText')}</p>
          <ReadDays days={readDays} />
        </section>
        <Questions safety={safety} />
      </div>
    </div>
  );
}

/** How many, and where. A second place counts while it has everything. */
function copiesOf({ copies, kind, diskCount, mirror }: Safety): [string, string | undefined] {
  const isTwice = mirror === 'in-step';
  const where = kind === 'objects' ? t(isTwice ? 'safety.inObjectsTwice' : 'safety.inObjects')
    : diskCount === undefined ? undefined
      : t(isTwice ? 'safety.onDisksTwice' : 'safety.onDisks', { count: diskCount });
  return [
    copies === undefined ? t('safety.copiesElsewhere') : String(copies + (isTwice ? 1 : 0)), where,
  ];
}

function Holdings({ safety }: { readonly safety: Safety }): ReactNode {
  const { files, filesCountedAt, sizeBytes } = safety;
  const { everyByteReadSince: since, lastReadAt } = safety;
  const facts: [string, string, string | undefined][] = [
    [
      t('safety.files'),
      files === undefined ? t('safety.filesCounting') : new Intl.NumberFormat('en').format(files),
      files === undefined || filesCountedAt === undefined
        ? undefined : t('safety.filesCounted', { time: timeText(filesCountedAt) }),
    ],
    [t('safety.size'), sizeText(sizeBytes), undefined],
    [t('safety.copies'), ...copiesOf(safety)],
    [
      t('safety.read'),
      since !== undefined ? timeText(since) : t(lastReadAt === undefined ? 'safety.readNever'
        : 'safety.readUnderWay'),
      since === undefined ? undefined : t('safety.readSince'),
    ],
  ];
  return (
    <section aria-label={t('safety.yours')}>
      <h2>{t('safety.yours')}</h2>
      <dl className="hf-holdings">
        {facts.map(([label, value, detail]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}{detail !== undefined && <small>{detail}</small>}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Questions({ safety }: { readonly safety: Safety }): ReactNode {
  const { mirror, kind, lastExerciseAt, verifiersProvedAt: proved } = safety;
  const place = mirror ?? (kind === 'objects' ? 'unknown' : 'none');
  const answers: [string, string][] = [
    [t('safety.mirror'), t(`safety.mirror.${place}`)],
    [
      t('safety.exercise'),
      lastExerciseAt === undefined ? t('safety.exerciseNever') : exactTimeText(lastExerciseAt),
    ],
    [t('safety.backup'), t('safety.backupUnknown')],
    [
      t('safety.proved'),
      proved === undefined ? t('safety.provedNever')
        : t('safety.provedAt', { time: timeText(proved) }),
    ],
  ];
  return (
    <section aria-label={t('safety.more')}>
      <h2>{t('safety.more')}</h2>
      <dl className="hf-questions">
        {answers.map(([label, value]) => (
          <div key={label}><dt>{label}</dt><dd>{value}</dd></div>
        ))}
        <div>
          <dt>{t('safety.past')}</dt>
          <dd>
            {t('safety.pastText')}{' '}
            <Link href={hrefOf('/trash')}>{t('safety.toTrash')}</Link>
          </dd>
        </div>
      </dl>
    </section>
  );
}
