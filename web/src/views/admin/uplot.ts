/** How our plots look. Loaded with uPlot when the first plot is shown. */
import Plot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { LANGUAGE } from '../../texts/texts.ts';
import type { PlotLine } from './plot.tsx';

const short = new Intl.DateTimeFormat(LANGUAGE, {
  hour: '2-digit', minute: '2-digit', hour12: false,
});
const long = new Intl.DateTimeFormat(LANGUAGE, {
  hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false,
});

/** With seconds where two in a row would look the same. */
function timeText(seconds: number): string {
  return (seconds % 60 === 0 ? short : long).format(new Date(seconds * 1000));
}

export interface PlotWish {
  readonly lines: readonly PlotLine[];
  readonly textOf: (value: number) => string;
  readonly height: number;
  readonly data: Plot.AlignedData;
}

export function makePlot(within: HTMLElement, wish: PlotWish): Plot {
  const { lines, textOf, height, data } = wish;
  const colour = (name: string): string =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // Asked for at each drawing: the scheme may change.
  const axis = {
    stroke: () => colour('--hf-soft'), font: '12px system-ui, sans-serif',
    grid: { stroke: () => colour('--hf-line'), width: 1 },
    ticks: { show: false },
  };
  const plot = new Plot({
    width: within.clientWidth, height, legend: { show: false },
    cursor: { y: false, points: { show: false } },
    scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
    axes: [
      { ...axis, values: (_, times) => times.map(timeText), space: 80, size: 28 },
      {
        ...axis, size: 66, space: 36,
        values: (_, values) => values.map((value) => textOf(value)),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, colour: name }) => ({
        label, stroke: () => colour(name), width: 2, spanGaps: false,
        points: { show: data[0].length < 3 },
      })),
    ],
  }, data, within);
  return plot;
}
