/** Hands somebody's files over: whom to, then the plan, then what there was before and after. */
import { Alert, Button, Group, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Transfer } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { reasonOf } from '../../api/http.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { sizeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { reload } from './lists.ts';
import { Badge } from './pieces.tsx';

interface TransferWindowProps {
  readonly from: string;
  readonly close: () => void;
}

export function TransferWindow({ from, close }: TransferWindowProps): ReactNode {
  const [to, setTo] = useState('');
  const [space, setSpace] = useState('');
  const [plan, setPlan] = useState<Transfer>();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const ask = async (planEtag?: string): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      setPlan(await api.transferFiles({
        id: from, body: {
          ...(space === '' ? { toUser: to.trim().toLowerCase() } : { toSpaceId: space }),
          ...(planEtag !== undefined && { planEtag }),
        },
      }));
      if (planEtag !== undefined) await reload('quotas', 'users', 'spaces');
    } catch (failure) {
      setError(failure);
      if (planEtag !== undefined) setPlan(undefined); // What was looked at holds no more.
    } finally {
      setBusy(false);
    }
  };
  const isDone = plan?.isDone === true;
  return (
    <Dialog title={t('admin.handOverOf', { name: from })} isOpen onClose={close} size={560}>
      <form
        className="hf-ask"
        onSubmit={(event) => {
          event.preventDefault();
          void ask(plan?.etag);
        }}
      >
        {plan === undefined && (
          <Receiver to={to} setTo={setTo} space={space} setSpace={setSpace} />
        )}
        {plan !== undefined && !isDone && <Plan plan={plan} />}
        {plan?.report !== undefined && <Report plan={plan} report={plan.report} />}
        {error !== undefined && (
          <Alert color="red" variant="light" role="alert">{reasonOf(error)}</Alert>
        )}
        <Group justify="flex-end" gap={10}>
          <Button variant="default" onClick={close}>
            {t(isDone ? 'action.done' : 'action.cancel')}
          </Button>
          {!isDone && (
            <Button
              type="submit" loading={isBusy}
              disabled={(to.trim() === '' && space === '') || (plan?.objections.length ?? 0) > 0}
            >
              {t(plan === undefined ? 'admin.makePlan' : 'admin.handOverNow')}
            </Button>
          )}
        </Group>
      </form>
    </Dialog>
  );
}

interface ReceiverProps {
  readonly to: string;
  readonly setTo: (to: string) => void;
  readonly space: string;
  readonly setSpace: (space: string) => void;
}

function Receiver({ to, setTo, space, setSpace }: ReceiverProps): ReactNode {
  const { data: spaces } = useQuery({
    queryKey: ['admin', 'spaces', 'all'],
    queryFn: ({ signal }) => api.listSpaces({ limit: 1000 }, { signal }),
  });
  return (
    <>
      <p>{t('admin.handOverText')}</p>
      <TextInput
        label={t('admin.receiver')} value={to} data-autofocus disabled={space !== ''}
        spellCheck={false} autoComplete="off"
        onChange={(event) => setTo(event.currentTarget.value)}
      />
      <NativeSelect
        label={t('admin.orSpace')} value={space}
        data={[
          { value: '', label: t('admin.noSpaceChosen') },
          ...(spaces?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
        ]}
        onChange={(event) => setSpace(event.currentTarget.value)}
      />
    </>
  );
}

function Plan({ plan }: { readonly plan: Transfer }): ReactNode {
  const { to, folderName, fileCount, folderCount, sizeBytes, shareCount, receivedCount } = plan;
  const { oldVersionCount, trashCount, trashBytes, notes, objections, isInterrupted } = plan;
  return (
    <>
      <p>{t('admin.planInto', { to, folder: folderName })}</p>
      <dl className="hf-facts">
        <dt>{t('admin.files')}</dt>
        <dd>
          {t('admin.planFiles', {
            files: t('admin.countFiles', { count: fileCount }),
            folders: t('admin.countFolders', { count: folderCount }), size: sizeText(sizeBytes),
          })}
        </dd>
        <dt>{t('admin.shares')}</dt><dd>{t('admin.planShares', { count: shareCount })}</dd>
        <dt>{t('admin.stays')}</dt>
        <dd>{t('admin.planStays', {
          received: receivedCount, trash: trashCount,
          versions: t('admin.countVersions', { count: oldVersionCount }),
          size: sizeText(trashBytes),
        })}</dd>
      </dl>
      {isInterrupted && <p>{t('admin.planInterrupted')}</p>}
      {notes.length > 0 && <ul>{notes.map((note) => <li key={note}>{note}</li>)}</ul>}
      {objections.length > 0 && (
        <Alert color="red" variant="light" role="alert">{objections.join(' ')}</Alert>
      )}
    </>
  );
}

function Report(
  { plan, report }: { readonly plan: Transfer; readonly report: NonNullable<Transfer['report']> },
): ReactNode {
  const { before, after, remainingCount, differences } = report;
  const rows = [
    [t('admin.files'), before.fileCount, after.fileCount],
    [t('admin.folders'), before.folderCount, after.folderCount],
    [t('admin.size'), sizeText(before.sizeBytes), sizeText(after.sizeBytes)],
    [t('admin.sharesAlone'), before.shareCount, after.shareCount],
    [t('admin.links'), before.linkCount, after.linkCount],
  ] as const;
  return (
    <>
      <p>{t('admin.handedOver', { to: plan.to, folder: plan.folderName })}</p>
      <div className="hf-plot-table">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('admin.what')}</th><th scope="col">{t('admin.before')}</th>
              <th scope="col">{t('admin.after')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([label, was, is]) => (
              <tr key={label}><th scope="row">{label}</th><td>{was}</td><td>{is}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
      {differences.length === 0
        ? <Badge tone="good">{t('admin.nothingDiffers')}</Badge>
        : <ul>{differences.map((line) => <li key={line}>{line}</li>)}</ul>}
      {remainingCount > 0 && <p>{t('admin.remaining', { count: remainingCount })}</p>}
    </>
  );
}
