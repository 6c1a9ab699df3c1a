/** Columns of how much was read back on each of the last 31 days. For readers of screens a list. */
import type { ReactNode } from 'react';
import type { DayFigure } from '../../../../src/wire/client.ts';
import { sizeText } from '../../texts/figures.ts';
import { LANGUAGE, t } from '../../texts/texts.ts';

const DAYS = 31;
const DAY_MS = 24 * 60 * 60 * 1000;
const HEIGHT = 90;
const STEP = 20;
const dayName = new Intl.DateTimeFormat(LANGUAGE, {
  day: 'numeric', month: 'short', timeZone: 'UTC',
});

export function ReadDays({ days }: { readonly days: readonly DayFigure[] }): ReactNode {
  if (days.length === 0) return <p className="hf-read-none">{t('safety.plotEmpty')}</p>;
  const known = new Map(days.map(({ day, checked }) => [day, checked]));
  const today = Date.now();
  const columns = Array.from({ length: DAYS }, (_, at) => {
    const day = new Date(today - (DAYS - 1 - at) * DAY_MS).toISOString().slice(0, 10);
    return { day, checked: known.get(day) ?? 0 };
  });
  const most = Math.max(1, ...columns.map(({ checked }) => checked));
  const textOf = ({ day, checked }: DayFigure): string =>
    t('safety.plotDay', { day: dayName.format(new Date(day)), size: sizeText(checked) });
  return (
    <figure className="hf-read-days">
      <svg viewBox={`0 0 ${DAYS * STEP} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {columns.map((column, at) => {
          const height = column.checked === 0 ? 2
            : Math.max(4, (column.checked / most) * (HEIGHT - 4));
          return (
            <rect
              key={column.day} x={at * STEP + 3} width={STEP - 6} rx={3} y={HEIGHT - height}
              height={height} data-none={column.checked === 0 ? true : undefined}
            >
              <title>{textOf(column)}</title>
            </rect>
          );
        })}
      </svg>
      <figcaption aria-hidden="true">
        <span>{dayName.format(new Date(columns[0]?.day ?? today))}</span>
        <span>{t('safety.plotMost', { size: sizeText(most) })}</span>
        <span>{dayName.format(today)}</span>
      </figcaption>
      <ul className="hf-hidden">
        {days.map((one) => <li key={one.day}>{textOf(one)}</li>)}
      </ul>
    </figure>
  );
}
