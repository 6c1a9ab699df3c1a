/** How our plots look. Loaded with uPlot when the first plot is shown. */
import Plot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { PlotLine } from './plot.tsx';

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
      { ...axis, values: '{HH}:{mm}', space: 70 },
      {
        ...axis, size: 74, space: 36,
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
