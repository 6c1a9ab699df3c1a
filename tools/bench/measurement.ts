import type { ServerName } from './servers/bench-server.ts';

export type Unit = '/s' | 'MB/s' | 'ms' | 's' | 'MiB' | 'MB' | 'B';

/** One figure of one server, with what was seen beside it. */
export interface Measurement {
  readonly value: number;
  readonly unit: Unit;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Highest resident memory of all the server's processes during the measurement. */
  readonly peakRssMiB?: number;
  /** Processor time of the server per request, in microseconds. */
  readonly serverCpuUs?: number;
  /** Processor time of the load client per request, in microseconds. */
  readonly driverCpuUs?: number;
  /** The share of one core that the load client used: near 1, the figure is a lower bound. */
  readonly driverBusy?: number;
  /** Less was done than the item's title says, so no bar is judged by it. */
  readonly isPartial?: boolean;
  readonly note?: string;
}

export type Outcome =
  | {
      readonly kind: 'measured';
      readonly median: Measurement;
      readonly all: readonly Measurement[];
    }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'missing'; readonly reason: string };

export type Results = ReadonlyMap<string, ReadonlyMap<ServerName, Outcome>>;

export function findMedian(
  results: Results, itemId: string, server: ServerName,
): Measurement | undefined {
  const outcome = results.get(itemId)?.get(server);
  return outcome?.kind === 'measured' ? outcome.median : undefined;
}

export function isHigherBetter(unit: Unit): boolean {
  return unit === '/s' || unit === 'MB/s';
}

/** How many times faster (or smaller) `own` is than `peer`: above 1 is better for either unit. */
export function ratioOf(own: Measurement, peer: Measurement): number {
  return isHigherBetter(own.unit) ? own.value / peer.value : peer.value / own.value;
}
