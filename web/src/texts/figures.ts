/** Sizes, times and durations in words. */
import { LANGUAGE, t } from './texts.ts';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;
const oneDigit = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 1 });
const noDigit = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });

/** In powers of 1000, as shops and most systems count. */
export function sizeText(sizeBytes: number): string {
  let [value, unit] = [sizeBytes, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  const digits = value < 10 && unit > 0 ? oneDigit : noDigit;
  return `${digits.format(value)} ${UNITS[unit] ?? ''}`;
}

/** The first letters of the first and the last word, in place of a picture of somebody. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...word ?? ''][0] ?? '').join('').toUpperCase();
}

export function speedText(bytesPerSecond: number): string {
  return `${sizeText(bytesPerSecond)}/s`;
}

export function remainingText(seconds: number): string {
  if (seconds < 60) return t('figures.seconds', { count: Math.max(1, Math.round(seconds)) });
  if (seconds < 3600) return t('figures.minutes', { count: Math.round(seconds / 60) });
  return t('figures.hours', { count: Math.round(seconds / 3600) });
}

const clock = new Intl.DateTimeFormat(LANGUAGE, {
  hour: '2-digit', minute: '2-digit', hour12: false,
});
const day = new Intl.DateTimeFormat(LANGUAGE, { day: 'numeric', month: 'short' });
const fullDay = new Intl.DateTimeFormat(LANGUAGE, {
  day: 'numeric', month: 'short', year: 'numeric',
});
const exact = new Intl.DateTimeFormat(LANGUAGE, {
  dateStyle: 'full', timeStyle: 'medium', hour12: false,
});

/** Short, for a column: the time today, the day this year, else the date. */
export function timeText(iso: string, now = new Date()): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return '';
  if (time.toDateString() === now.toDateString()) {
    return t('figures.today', { time: clock.format(time) });
  }
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (time.toDateString() === yesterday.toDateString()) {
    return t('figures.yesterday', { time: clock.format(time) });
  }
  return time.getFullYear() === now.getFullYear() ? day.format(time) : fullDay.format(time);
}

export function exactTimeText(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? '' : exact.format(time);
}

/** The time of the day alone. */
export function clockText(iso: string): string {
  return clock.format(new Date(iso));
}

const weekday = new Intl.DateTimeFormat(LANGUAGE, {
  weekday: 'long', day: 'numeric', month: 'long', year: 'numeric',
});

/** A heading for what happened on that day. */
export function dayText(iso: string, now = new Date()): string {
  const time = new Date(iso);
  if (time.toDateString() === now.toDateString()) return t('activity.today');
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  const isYesterday = time.toDateString() === yesterday.toDateString();
  return isYesterday ? t('activity.yesterday') : weekday.format(time);
}
