/** A number of bytes as people say it: an amount and a unit; nothing for no limit. */
import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { t } from '../../texts/texts.ts';

const UNITS = { MB: 1e6, GB: 1e9, TB: 1e12 } as const;
type Unit = keyof typeof UNITS;

export interface QuotaFieldProps {
  readonly bytes: number | undefined;
  /** null: no limit; undefined: what is written is no amount. */
  readonly onChange: (bytes: number | null | undefined) => void;
}

export function QuotaField({ bytes, onChange }: QuotaFieldProps): ReactNode {
  const [unit, setUnit] = useState<Unit>(unitOf(bytes));
  const [amount, setAmount] = useState(bytes === undefined ? '' : String(bytes / UNITS[unit]));
  const change = (text: string, inUnit: Unit): void => {
    setAmount(text);
    setUnit(inUnit);
    onChange(bytesOf(text, inUnit));
  };
  return (
    <div className="hf-inline-form">
      <TextInput
        label={t('admin.quotaLimit')} placeholder={t('admin.noLimit')} value={amount}
        inputMode="decimal" data-autofocus
        error={bytesOf(amount, unit) === undefined ? t('admin.noNumber') : undefined}
        onChange={(event) => change(event.currentTarget.value, unit)}
      />
      <NativeSelect
        aria-label={t('admin.unit')} value={unit} data={Object.keys(UNITS)}
        onChange={(event) => change(amount, event.currentTarget.value as Unit)}
      />
    </div>
  );
}

function unitOf(bytes: number | undefined): Unit {
  if (bytes === undefined) return 'GB';
  return bytes >= UNITS.TB ? 'TB' : bytes >= UNITS.GB ? 'GB' : 'MB';
}

function bytesOf(text: string, unit: Unit): number | null | undefined {
  if (text.trim() === '') return null;
  const amount = Number(text.replace(',', '.'));
  return Number.isFinite(amount) && amount >= 0 ? Math.round(amount * UNITS[unit]) : undefined;
}
