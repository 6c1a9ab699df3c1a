/** Codes from an authenticator app at sign-in: on, off, recovery codes. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icons.tsx';
import { say } from '../../parts/toasts.tsx';
import { ErrorState } from '../../parts/states.tsx';
import { timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { SECOND_FACTOR_KEY, reloadAccount } from './account-keys.ts';
import type { SecondFactor } from './account-keys.ts';
import { Card } from './card.tsx';
import { ProofForm } from './proof-form.tsx';
import { RecoveryCodes } from './recovery-codes.tsx';
import { TwoStepSetup } from './two-step-setup.tsx';

type Open = 'set-up' | 'off' | 'codes' | undefined;
const FEW_CODES = 3;

export function TwoStepCard(): ReactNode {
  const { data, error, refetch } = useQuery({
    queryKey: SECOND_FACTOR_KEY, queryFn: ({ signal }) => api.getSecondFactor({ signal }),
  });
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  return (
    <Card title={t('twoStep.title')} lead={t('twoStep.lead')} action={stateMark(data)}>
      {data === undefined && error !== null
        && <ErrorState error={error} retry={() => void refetch()} />}
      {data?.isOn === false && (
        <div>
          <Button leftSection={<Icon name="shield" small />} onClick={() => setOpen('set-up')}>
            {t('twoStep.setUp')}
          </Button>
        </div>
      )}
      {data?.isOn === true && <OnState state={data} open={setOpen} />}
      <Dialog title={t('twoStep.setUp')} isOpen={open === 'set-up'} onClose={close} size={480}>
        <TwoStepSetup done={close} />
      </Dialog>
      <Dialog title={t('twoStep.offTitle')} isOpen={open === 'off'} onClose={close}>
        <ProofForm
          text={t('twoStep.offText')} submit={t('twoStep.off')} isDanger cancel={close}
          act={async (proof) => {
            await api.turnOffSecondFactor({ body: proof });
            await reloadAccount();
            close();
            say(t('twoStep.isOff'));
          }}
        />
      </Dialog>
      <NewCodesDialog isOpen={open === 'codes'} close={close} />
    </Card>
  );
}

function stateMark(state: SecondFactor | undefined): ReactNode {
  if (state === undefined) return null;
  return state.isOn
    ? <span className="hf-mark hf-mark-good"><Icon name="check" small />{t('twoStep.on')}</span>
    : <span className="hf-mark">{t('twoStep.isOffMark')}</span>;
}

function OnState(
  { state, open }: { readonly state: SecondFactor; readonly open: (what: Open) => void },
): ReactNode {
  const { since, recoveryCodesLeft: count } = state;
  return (
    <>
      <p className="hf-card-text">
        {t('twoStep.since', { time: since === undefined ? '' : timeText(since) })}
        {' '}
        {t('twoStep.codesLeft', { count })}
      </p>
      {count <= FEW_CODES && <p className="hf-warning">{t('twoStep.fewCodes')}</p>}
      <div className="hf-card-actions">
        <Button variant="default" onClick={() => open('codes')}>{t('twoStep.newCodes')}</Button>
        <Button variant="light" color="red" onClick={() => open('off')}>
          {t('twoStep.turnOff')}
        </Button>
      </div>
    </>
  );
}

function NewCodesDialog(
  { isOpen, close }: { readonly isOpen: boolean; readonly close: () => void },
): ReactNode {
  const [codes, setCodes] = useState<readonly string[]>();
  const leave = (): void => {
    setCodes(undefined);
    close();
  };
  return (
    <Dialog title={t('twoStep.newCodes')} isOpen={isOpen} onClose={leave} size={480}>
      {codes === undefined ? (
        <ProofForm
          text={t('twoStep.newCodesText')} submit={t('twoStep.makeCodes')} cancel={leave}
          act={async (proof) => {
            setCodes((await api.renewRecoveryCodes({ body: proof })).codes);
            await reloadAccount();
          }}
        />
      ) : <RecoveryCodes codes={codes} done={leave} />}
    </Dialog>
  );
}
