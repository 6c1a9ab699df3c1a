/** One thing at a time, with what went wrong beside the form. */
import { useState } from 'react';
import { reasonOf } from '../../api/http.ts';

export interface Act {
  readonly isBusy: boolean;
  readonly fault: string | undefined;
  readonly run: (act: () => Promise<void>) => void;
  readonly forget: () => void;
}

export function useAct(): Act {
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<string>();
  const run = (act: () => Promise<void>): void => {
    setBusy(true);
    setFault(undefined);
    act().catch((error: unknown) => setFault(reasonOf(error))).finally(() => setBusy(false));
  };
  return { isBusy, fault, run, forget: () => setFault(undefined) };
}

/** The fields of a form, by name. */
export function fieldsOf(form: HTMLFormElement): (name: string) => string {
  const data = new FormData(form);
  return (name) => {
    const value = data.get(name);
    return typeof value === 'string' ? value : '';
  };
}
