/** What it takes to compare a folder with another copy of it: counts, and one digest of all. */
import { Button } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { FolderVerdict } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import type { FileNode } from '../../api/shapes.ts';
import { copyText } from '../../parts/copy-text.ts';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { sizeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';

export function ComparePart({ node }: { readonly node: FileNode }): ReactNode {
  const [verdict, setVerdict] = useState<FolderVerdict>();
  const [isBusy, setBusy] = useState(false);
  const count = async (): Promise<void> => {
    setBusy(true);
    try {
      setVerdict(await api.verifyFolder({ id: node.id }));
    } catch (error) {
      sayFailed(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className="hf-details-part">
      <h3>{t('compare.title')}</h3>
      {verdict === undefined ? <p>{t('compare.text')}</p> : <Verdict verdict={verdict} />}
      <Button size="compact-sm" variant="default" loading={isBusy} onClick={() => void count()}>
        {t(verdict === undefined ? 'compare.count' : 'compare.again')}
      </Button>
    </section>
  );
}

function Verdict({ verdict }: { readonly verdict: FolderVerdict }): ReactNode {
  const { files, folders, sizeBytes, digest } = verdict;
  const copy = async (): Promise<void> => {
    say(t(await copyText(digest) ? 'compare.copied' : 'compare.copyByHand'));
  };
  return (
    <>
      <p role="status">
        {t('compare.files', { count: files })}, {t('compare.folders', { count: folders })},{' '}
        {sizeText(sizeBytes)}
      </p>
      <p>
        <button
          type="button" className="hf-digest" title={t('compare.copy')} onClick={() => void copy()}
        >
          <code>{digest}</code>
        </button>
      </p>
      <p>{t('compare.how')}</p>
    </>
  );
}
