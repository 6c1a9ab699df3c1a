/** Parsers of values, for use in settings. Each takes the file's form and the text form. */
import { SettingError } from './setting.ts';
import type { RawValue } from './setting.ts';

type Parser<T> = (raw: RawValue) => T;

export const text: Parser<string> = (raw) => {
  if (typeof raw !== 'string') throw new SettingError('must be text in quotes');
  return raw;
};

/** Text that may be left empty to mean "none". */
export const optionalText: Parser<string | undefined> = (raw) => {
  const value = text(raw).trim();
  return value === '' ? undefined : value;
};

export const flag: Parser<boolean> = (raw) => {
  if (raw === true || raw === 'true') return true;
  if (raw === false || raw === 'false') return false;
  throw new SettingError('must be true or false');
};

export interface Limits {
  readonly min: number;
  readonly max: number;
}

export function integer({ min, max }: Limits): Parser<number> {
  return (raw) => {
    const value = typeof raw === 'string' && /^-?\d+$/.test(raw.trim()) ? Number(raw) : raw;
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
      throw new SettingError('must be a whole number');
    }
    return within(value, { min, max }, String);
  };
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40,
};

/** Bytes: a whole number, or text such as `"512 MiB"`. Only binary units, so nobody guesses. */
export function sizeBytes(limits: Limits): Parser<number> {
  return (raw) => within(scaled(raw, SIZE_UNITS, '512 MiB'), limits, formatBytes);
}

const TIME_UNITS: Readonly<Record<string, number>> = {
  '': 1, s: 1, m: 60, h: 3600, d: 86_400,
};

/** Seconds: a whole number, or text such as `"30 s"`, `"5 m"`, `"12 h"`, `"14 d"`. */
export function seconds(limits: Limits): Parser<number> {
  return (raw) => within(scaled(raw, TIME_UNITS, '30 s'), limits, (value) => `${value} s`);
}

export function oneOf<const T extends string>(choices: readonly T[]): Parser<T> {
  return (raw) => {
    const found = choices.find((choice) => choice === raw);
    if (found === undefined) throw new SettingError(`must be one of ${choices.join(', ')}`);
    return found;
  };
}

/** A list, or text with commas. */
export function listOf<T>(parseOne: Parser<T>, lengthMax: number): Parser<readonly T[]> {
  return (raw) => {
    const items = typeof raw === 'string' ? splitList(raw) : raw;
    if (!Array.isArray(items)) throw new SettingError('must be a list');
    if (items.length > lengthMax) throw new SettingError(`can hold ${lengthMax} entries at most`);
    return (items as readonly RawValue[]).map(parseOne);
  };
}

function splitList(raw: string): string[] {
  return raw.split(',').map((item) => item.trim()).filter((item) => item !== '');
}

function scaled(raw: RawValue, units: Readonly<Record<string, number>>, example: string): number {
  const plain = typeof raw === 'string' || typeof raw === 'number' ? String(raw) : '';
  const match = /^(\d+)\s*([a-z]*)$/i.exec(plain.trim());
  const factor = units[(match?.[2] ?? '?').toLowerCase()];
  if (match === null || factor === undefined) {
    throw new SettingError(`must be a whole number, or text such as "${example}"`);
  }
  return Number(match[1]) * factor;
}

function within(value: number, { min, max }: Limits, show: (value: number) => string): number {
  if (value >= min && value <= max) return value;
  throw new SettingError(`must lie between ${show(min)} and ${show(max)}`);
}

export function formatBytes(value: number): string {
  for (const [unit, factor] of [['TiB', 2 ** 40], ['GiB', 2 ** 30], ['MiB', 2 ** 20]] as const) {
    if (value >= factor && value % factor === 0) return `${value / factor} ${unit}`;
  }
  return String(value);
}
