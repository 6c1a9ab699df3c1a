/** Lines over time, drawn by uPlot once it is loaded; as a table for whoever wants numbers or
 *  cannot see lines. */
import { SegmentedControl } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import type uPlot from 'uplot';
import { LANGUAGE, t } from '../../texts/texts.ts';
import { Card } from './pieces.tsx';

export interface PlotLine {
  readonly label: string;
  /** A colour of tokens.css. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

export interface PlotProps {
  readonly title: string;
  /** The end of each step. */
  readonly at: readonly string[];
  readonly lines: readonly PlotLine[];
  readonly textOf: (value: number) => string;
}

const HEIGHT = 180;
const ROWS_MAX = 60;
const clock = new Intl.DateTimeFormat(LANGUAGE, {
  hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false,
});

export function Plot({ title, at, lines, textOf }: PlotProps): ReactNode {
  const [view, setView] = useState('plot');
  const isEmpty = at.length === 0;
  return (
    <Card
      title={title} action={!isEmpty && (
        <SegmentedControl
          size="xs" value={view} onChange={setView} aria-label={t('admin.plotView')}
          data={[
            { value: 'plot', label: t('admin.asPlot') },
            { value: 'table', label: t('admin.asTable') },
          ]}
        />
      )}
    >
      {isEmpty && <p className="hf-plot-wait">{t('admin.plotWait')}</p>}
      {!isEmpty && view === 'plot' && (
        <Lines title={title} at={at} lines={lines} textOf={textOf} />
      )}
      {!isEmpty && view === 'table' && (
        <Figures title={title} at={at} lines={lines} textOf={textOf} />
      )}
    </Card>
  );
}

function Lines({ title, at, lines, textOf }: PlotProps): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const newest = lines.map(({ label, values }) => {
    const value = values.findLast((one) => one !== null);
    return `${label} ${value === undefined || value === null ? '–' : textOf(value)}`;
  }).join(', ');
  useEffect(() => {
    const data = dataOf(at, lines);
    if (plot.current !== undefined) {
      plot.current.setData(data);
      return;
    }
    const within = place.current;
    let isGone = false;
    void import('./uplot.ts').then(({ makePlot }) => {
      if (isGone || within === null || plot.current !== undefined) return;
      plot.current = makePlot(within, { lines, textOf, height: HEIGHT, data });
    });
    return () => {
      isGone = plot.current === undefined;
    };
  }, [at, lines, textOf]);
  useEffect(() => {
    const within = place.current;
    if (within === null) return undefined;
    const watch = new ResizeObserver(() => {
      plot.current?.setSize({ width: within.clientWidth, height: HEIGHT });
    });
    watch.observe(within);
    return () => {
      watch.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, []);
  return (
    <>
      <div
        ref={place} className="hf-plot" role="img"
        aria-label={t('admin.plotNow', { title, figures: newest })}
      />
      <ul className="hf-legend">
        {lines.map(({ label, colour }) => (
          <li key={label}>
            <i style={{ background: `var(${colour})` }} aria-hidden="true" />{label}
          </li>
        ))}
      </ul>
    </>
  );
}

function Figures({ title, at, lines, textOf }: PlotProps): ReactNode {
  const from = Math.max(0, at.length - ROWS_MAX);
  const rows = at.slice(from).map((time, row) => ({ time, index: from + row })).toReversed();
  return (
    <div className="hf-plot-table" tabIndex={0} role="region" aria-label={title}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('admin.time')}</th>
            {lines.map(({ label }) => <th key={label} scope="col">{label}</th>)}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ time, index }) => (
            <tr key={time}>
              <th scope="row">{clock.format(new Date(time))}</th>
              {lines.map(({ label, values }) => {
                const value = values[index] ?? null;
                return <td key={label}>{value === null ? '–' : textOf(value)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function dataOf(at: readonly string[], lines: readonly PlotLine[]): uPlot.AlignedData {
  return [
    at.map((time) => Date.parse(time) / 1000), ...lines.map(({ values }) => [...values]),
  ];
}
