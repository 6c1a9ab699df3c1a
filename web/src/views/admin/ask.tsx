/** Windows that ask: for a decision that names what happens, or for what a form takes. */
import { Alert, Button, Group } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent, ReactNode } from 'react';
import { reasonOf } from '../../api/http.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { t } from '../../texts/texts.ts';

export interface AskProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly action: string;
  readonly isDanger?: boolean;
  readonly isReady?: boolean;
  readonly size?: number;
  /** What it throws is said in the window, which stays. */
  readonly submit: () => Promise<unknown>;
  readonly children: ReactNode;
}

export function Ask(props: AskProps): ReactNode {
  const { title, isOpen, onClose, size = 460 } = props;
  return (
    <Dialog title={title} isOpen={isOpen} onClose={onClose} size={size}>
      <AskForm {...props} />
    </Dialog>
  );
}

function AskForm(
  { onClose, action, isDanger = false, isReady = true, submit, children }: AskProps,
): ReactNode {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await submit();
      onClose();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    if (isReady && !isBusy) void run();
  };
  return (
    <form className="hf-ask" onSubmit={onSubmit}>
      {children}
      {error !== undefined && (
        <Alert color="red" variant="light" role="alert">{reasonOf(error)}</Alert>
      )}
      <Group justify="flex-end" gap={10}>
        <Button variant="default" onClick={onClose}>{t('action.cancel')}</Button>
        <Button
          type="submit" loading={isBusy} disabled={!isReady}
          {...(isDanger && { color: 'red', 'data-danger': true })}
        >
          {action}
        </Button>
      </Group>
    </form>
  );
}
