/** Which moment is looked at: a slider under the plot, an exact time, and steps between changes. */
import { ActionIcon, Button, SegmentedControl, TextInput, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import { isStatus } from '../../api/http.ts';
import { Icon } from '../../parts/icons.tsx';
import { exactTimeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { ActivityPlot, PlotLegend, totalOf } from './activity-plot.tsx';
import type { Buckets } from './activity-plot.tsx';
import { RANGES, atOfField, fieldText, rangeOf } from './time-range.ts';
import type { Range, Span } from './time-range.ts';
import { useActivity } from './use-past.ts';

const STEPS = 1_000;

export interface MomentPickerProps {
  readonly folderId: string | undefined;
  readonly range: Range;
  readonly span: Span;
  /** undefined: now. */
  readonly at: number | undefined;
  readonly onRange: (range: Range) => void;
  /** undefined: now. */
  readonly onMoment: (at: number | undefined) => void;
}

export function MomentPicker(props: MomentPickerProps): ReactNode {
  const { folderId, range, span, at = span.to, onRange, onMoment } = props;
  const { data, error } = useActivity(folderId, span);
  const buckets = data?.buckets ?? [];
  const pick = (moment: number): void => {
    onMoment(moment >= span.to ? undefined : Math.max(span.from, moment));
  };
  return (
    <section className="hf-moment" aria-label={t('time.slider')}>
      <div className="hf-moment-line">
        <SegmentedControl
          size="xs" aria-label={t('time.range')} value={range} withItemsBorders={false}
          onChange={(value) => onRange(rangeOf(value))}
          data={RANGES.map((value) => ({ value, label: t(`time.${value}`) }))}
        />
        <Steps {...{ buckets, at, pick }} />
        <TextInput
          type="datetime-local" size="xs" className="hf-moment-field"
          aria-label={t('time.exact')} value={fieldText(at)} max={fieldText(span.to)}
          onChange={(event) => {
            const moment = atOfField(event.currentTarget.value);
            if (moment !== undefined) onMoment(moment >= span.to ? undefined : moment);
          }}
        />
        <Button
          size="compact-sm" variant="light" disabled={props.at === undefined}
          onClick={() => onMoment(undefined)}
        >
          {t('time.now')}
        </Button>
      </div>
      <div className="hf-moment-plot">
        <ActivityPlot buckets={buckets} span={span} at={at} />
        <input
          type="range" min={0} max={STEPS} aria-label={t('time.slider')}
          aria-valuetext={props.at === undefined ? t('time.now')
            : exactTimeText(new Date(at).toISOString())}
          value={Math.round(((at - span.from) / (span.to - span.from)) * STEPS)}
          onChange={(event) => {
            const part = Number(event.currentTarget.value) / STEPS;
            pick(Math.round(span.from + part * (span.to - span.from)));
          }}
        />
      </div>
      {data !== undefined && <PlotLegend buckets={buckets} />}
      {data?.isComplete === false && <p className="hf-past-legend">{t('time.plotCut')}</p>}
      {isStatus(error, 403) && <p className="hf-past-legend">{t('time.plotDenied')}</p>}
    </section>
  );
}

interface StepsProps {
  readonly buckets: Buckets;
  readonly at: number;
  readonly pick: (at: number) => void;
}

/** To just before a change, and to just after one: the bars say where they are. */
function Steps({ buckets, at, pick }: StepsProps): ReactNode {
  const begins = buckets.map((bucket) => ({
    at: new Date(bucket.at).getTime(), isBusy: totalOf(bucket) > 0,
  }));
  const before = begins.findLast((bucket) => bucket.isBusy && bucket.at < at);
  const width = (begins[1]?.at ?? 0) - (begins[0]?.at ?? 0);
  const after = begins.find((bucket) => bucket.isBusy && bucket.at + width > at);
  return (
    <div className="hf-moment-steps">
      <Tooltip label={t('time.earlierChange')} withArrow>
        <ActionIcon
          variant="default" aria-label={t('time.earlierChange')} disabled={before === undefined}
          onClick={() => before && pick(before.at - 1)}
        >
          <Icon name="chevronLeft" small />
        </ActionIcon>
      </Tooltip>
      <Tooltip label={t('time.laterChange')} withArrow>
        <ActionIcon
          variant="default" aria-label={t('time.laterChange')} disabled={after === undefined}
          onClick={() => after && pick(after.at + width)}
        >
          <Icon name="chevronRight" small />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}
