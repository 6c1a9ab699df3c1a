/** How much happened when, as bars over the slider; as a table for those who cannot see them. */
import type { ReactNode } from 'react';
import type { Activity } from '../../../../src/wire/client.ts';
import { exactTimeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import type { Span } from './time-range.ts';

export const DEEDS = ['added', 'changed', 'moved', 'deleted'] as const;

export type Buckets = Activity['buckets'];

const HEIGHT = 48;
const LEAST = 3;

interface ActivityPlotProps {
  readonly buckets: Buckets;
  readonly span: Span;
  readonly at: number;
}

export function totalOf(bucket: Buckets[number]): number {
  return DEEDS.reduce((sum, deed) => sum + bucket[deed], 0);
}

export function ActivityPlot({ buckets, span: { from, to }, at }: ActivityPlotProps): ReactNode {
  const most = Math.max(1, ...buckets.map(totalOf));
  const width = Math.max(1, buckets.length);
  const mark = ((at - from) / (to - from)) * width;
  return (
    <>
      <svg
        className="hf-past-plot" viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none"
        aria-hidden="true"
      >
        {buckets.map((bucket, index) => (
          <Bar key={bucket.at} bucket={bucket} index={index} most={most} />
        ))}
        <line
          className="hf-plot-mark" x1={mark} x2={mark} y1={0} y2={HEIGHT}
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      <PlotTable buckets={buckets} />
    </>
  );
}

interface BarProps {
  readonly bucket: Buckets[number];
  readonly index: number;
  readonly most: number;
}

/** Root of the count: a day of thousands hides no day of one. */
function Bar({ bucket, index, most }: BarProps): ReactNode {
  const total = totalOf(bucket);
  if (total === 0) return null;
  const height = LEAST + Math.sqrt(total / most) * (HEIGHT - LEAST);
  let top = HEIGHT - height;
  return DEEDS.map((deed) => {
    const part = (bucket[deed] / total) * height;
    const y = top;
    top += part;
    return part > 0 && (
      <rect
        key={deed} className={`hf-plot-${deed}`} x={index + 0.12} width={0.76} y={y} height={part}
      />
    );
  });
}

function PlotTable({ buckets }: { readonly buckets: Buckets }): ReactNode {
  const busy = buckets.filter((bucket) => totalOf(bucket) > 0);
  return (
    <table className="hf-hidden">
      <caption>{t('time.plot')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('time.plotFrom')}</th>
          {DEEDS.map((deed) => <th key={deed} scope="col">{t(`time.${deed}`)}</th>)}
        </tr>
      </thead>
      <tbody>
        {busy.map((bucket) => (
          <tr key={bucket.at}>
            <th scope="row">{exactTimeText(bucket.at)}</th>
            {DEEDS.map((deed) => <td key={deed}>{bucket[deed]}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What the colours mean, with how much there was of each. */
export function PlotLegend({ buckets }: { readonly buckets: Buckets }): ReactNode {
  const counts = DEEDS.map((deed) => ({
    deed, count: buckets.reduce((sum, bucket) => sum + bucket[deed], 0),
  })).filter(({ count }) => count > 0);
  if (counts.length === 0) return <p className="hf-past-legend">{t('time.plotNone')}</p>;
  return (
    <ul className="hf-past-legend" aria-hidden="true">
      {counts.map(({ deed, count }) => (
        <li key={deed}>
          <i className={`hf-plot-${deed}`} />
          <b className="hf-number">{count}</b> {t(`time.${deed}`)}
        </li>
      ))}
    </ul>
  );
}
