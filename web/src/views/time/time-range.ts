/** Spans of time that one looks back over, and times as fields of a form have them. */

export const RANGES = ['day', 'week', 'month', 'year', 'all'] as const;
export type Range = (typeof RANGES)[number];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const LENGTH_MS: Readonly<Record<Exclude<Range, 'all'>, number>> = {
  day: DAY_MS, week: 7 * DAY_MS, month: 31 * DAY_MS, year: 366 * DAY_MS,
};

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** `beganAt`: when there was nothing before. */
export function spanOf(range: Range, to: number, beganAt: number): Span {
  const lengthMs = range === 'all' ? Math.max(HOUR_MS, to - beganAt) : LENGTH_MS[range];
  return { from: to - lengthMs, to };
}

export function rangeOf(text: string | undefined): Range {
  return RANGES.find((range) => range === text) ?? 'week';
}

/** Of the place where one is, to the minute: what `datetime-local` takes. */
export function fieldText(at: number): string {
  const time = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [
    String(time.getFullYear()).padStart(4, '0'), two(time.getMonth() + 1), two(time.getDate()),
  ].join('-');
  return `${day}T${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** undefined: nothing, or not a time. */
export function atOfField(text: string): number | undefined {
  const at = new Date(text).getTime();
  return text === '' || Number.isNaN(at) ? undefined : at;
}
