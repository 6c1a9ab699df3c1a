/** Watches whether the event loop is held up: everything else waits while it is. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';
import { LOOP_SAMPLE_MS } from './metrics.ts';
import type { Metrics } from './metrics.ts';

const WINDOW_MS = 10_000;
export const LOOP_DELAY_MAX_MS = 20;

export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** In nanoseconds, as Node's histogram counts them. */
interface Delays {
  readonly count: number;
  readonly max: number;
  percentile(percent: number): number;
}

/** The histogram holds whole intervals: what lies above the resolution is delay. */
function delayOf(histogram: Delays): LoopDelay {
  if (histogram.count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0 };
  const above = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - LOOP_SAMPLE_MS);
  return {
    p50Ms: above(histogram.percentile(50)),
    p99Ms: above(histogram.percentile(99)),
    maxMs: above(histogram.max),
  };
}

/** Publishes the delays of the last ten seconds, and warns when one turn in a hundred was late.
 *  Returns what ends the watch. */
export function watchEventLoop(options: {
  metrics: Metrics;
  log: Logger;
  clock: Clock;
  /** Told of each ten seconds. */
  onLook?: (delay: LoopDelay) => void;
}): () => void {
  const { metrics, log, clock, onLook } = options;
  const gauge = metrics.gauge({
    name: 'event_loop_delay_seconds',
    help: 'How late the event loop ran during the last ten seconds.',
    labels: ['quantile'],
  });
  const histogram = monitorEventLoopDelay({ resolution: LOOP_SAMPLE_MS });
  histogram.enable();
  let cancel = (): void => undefined;
  const look = (): void => {
    const delay = delayOf(histogram);
    histogram.reset();
    onLook?.(delay);
    gauge.set(delay.p50Ms / 1000, { quantile: '0.5' });
    gauge.set(delay.p99Ms / 1000, { quantile: '0.99' });
    gauge.set(delay.maxMs / 1000, { quantile: '1' });
    if (delay.p99Ms > LOOP_DELAY_MAX_MS) log.warn({ ...delay }, 'the event loop is held up');
    cancel = clock.after(WINDOW_MS, look);
  };
  cancel = clock.after(WINDOW_MS, look);
  return () => {
    cancel();
    histogram.disable();
  };
}
