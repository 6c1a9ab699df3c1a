/**
 * Counts requests: plain numbers in arrays, turned into text only when somebody looks.
 *
 * A labelled counter of a metrics library hashes its labels on every call; at tens of thousands of
 * requests a second that shows. Every label here comes from a small fixed set.
 */

const METHOD_CLASSES = ['read', 'list', 'write', 'other'] as const;
const METHOD_CLASS: Readonly<Record<string, number>> = {
  GET: 0, HEAD: 0,
  PROPFIND: 1, REPORT: 1, SEARCH: 1,
  PUT: 2, POST: 2, PATCH: 2, DELETE: 2, MKCOL: 2, MOVE: 2, COPY: 2, PROPPATCH: 2, LOCK: 2,
  UNLOCK: 2,
};
const OTHER = METHOD_CLASSES.length - 1;
/** The last one counts exchanges that ended without an answer. */
const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'cut'] as const;
const CUT = STATUS_CLASSES.length - 1;
const SERVER_ERRORS = STATUS_CLASSES.indexOf('5xx');
const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000] as const;
const ROUTES_MAX = 200;

/** What was counted since the start. */
export interface TallyTotals {
  readonly requests: number;
  /** Answers with a status of 500 and above. */
  readonly errors: number;
  /** How many took longer than the bound before and not longer than this one. */
  readonly buckets: readonly { readonly uptoMs: number; readonly count: number }[];
}

/** What is counted of one route. */
export class RouteTally {
  readonly statuses = new Float64Array(METHOD_CLASSES.length * STATUS_CLASSES.length);
  /** For each method class, one number a bound, then one for all that took longer. */
  readonly buckets = new Float64Array(METHOD_CLASSES.length * (BOUNDS_MS.length + 1));
  readonly sumsMs = new Float64Array(METHOD_CLASSES.length);

  observe(method: string | undefined, status: number | 'cut', durationMs: number): void {
    const methodAt = METHOD_CLASS[method ?? ''] ?? OTHER;
    const hundreds = status === 'cut' ? 0 : Math.floor(status / 100);
    const statusAt = hundreds >= 1 && hundreds <= 5 ? hundreds - 1 : CUT;
    const statusSlot = methodAt * STATUS_CLASSES.length + statusAt;
    this.statuses[statusSlot] = (this.statuses[statusSlot] ?? 0) + 1;
    let bound = 0;
    while (bound < BOUNDS_MS.length && durationMs > (BOUNDS_MS[bound] ?? 0)) bound += 1;
    const slot = methodAt * (BOUNDS_MS.length + 1) + bound;
    this.buckets[slot] = (this.buckets[slot] ?? 0) + 1;
    this.sumsMs[methodAt] = (this.sumsMs[methodAt] ?? 0) + durationMs;
  }
}

export class HttpTally {
  readonly #routes = new Map<string, RouteTally>();

  /** The same name always gets the same tally, so that routes may be replaced. */
  route(name: string): RouteTally {
    const known = this.#routes.get(name);
    if (known !== undefined) return known;
    const tally = new RouteTally();
    if (this.#routes.size < ROUTES_MAX) this.#routes.set(name, tally);
    return tally;
  }

  /** Of all routes together, since the start. */
  totals(): TallyTotals {
    let [requests, errors] = [0, 0];
    const bounds = [...BOUNDS_MS, Number.POSITIVE_INFINITY];
    const buckets = bounds.map((uptoMs) => ({ uptoMs, count: 0 }));
    for (const { statuses, buckets: own } of this.#routes.values()) {
      statuses.forEach((count, at) => {
        requests += count;
        if (at % STATUS_CLASSES.length === SERVER_ERRORS) errors += count;
      });
      own.forEach((count, at) => {
        const bucket = buckets[at % buckets.length];
        if (bucket !== undefined) bucket.count += count;
      });
    }
    return { requests, errors, buckets };
  }

  /** In the Prometheus text format, version 0.0.4. */
  text(): string {
    const counts: string[] = [];
    const durations: string[] = [];
    for (const [route, tally] of this.#routes) {
      METHOD_CLASSES.forEach((method, methodAt) => {
        const labels = `route="${route}",method="${method}"`;
        counts.push(...statusLines(tally, methodAt, labels));
        durations.push(...durationLines(tally, methodAt, labels));
      });
    }
    return [
      '# HELP holdfast_http_requests_total Requests answered, or cut off.',
      '# TYPE holdfast_http_requests_total counter',
      ...counts,
      '# HELP holdfast_http_request_seconds From the request\'s head to the end of the answer.',
      '# TYPE holdfast_http_request_seconds histogram',
      ...durations,
      '',
    ].join('\n');
  }
}

function statusLines(tally: RouteTally, methodAt: number, labels: string): string[] {
  return STATUS_CLASSES.flatMap((status, at) => {
    const count = tally.statuses[methodAt * STATUS_CLASSES.length + at] ?? 0;
    if (count === 0) return [];
    return [`holdfast_http_requests_total{${labels},status="${status}"} ${count}`];
  });
}

function durationLines(tally: RouteTally, methodAt: number, labels: string): string[] {
  const first = methodAt * (BOUNDS_MS.length + 1);
  const name = 'holdfast_http_request_seconds';
  let total = 0;
  const lines: string[] = [];
  for (let at = 0; at <= BOUNDS_MS.length; at += 1) {
    total += tally.buckets[first + at] ?? 0;
    const bound = BOUNDS_MS[at];
    const le = bound === undefined ? '+Inf' : String(bound / 1000);
    lines.push(`${name}_bucket{${labels},le="${le}"} ${total}`);
  }
  if (total === 0) return [];
  const sumSeconds = (tally.sumsMs[methodAt] ?? 0) / 1000;
  return [...lines, `${name}_sum{${labels}} ${sumSeconds}`, `${name}_count{${labels}} ${total}`];
}
