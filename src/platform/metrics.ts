/** The program's metrics, in the Prometheus text format. Labels come from small fixed sets. */
import { createRequire } from 'node:module';
import type { Metric, Registry } from 'prom-client';

/** How often it is looked how late a timer fires: often enough for the percentiles of ten seconds,
 *  and seldom enough that an idle server sleeps. */
export const LOOP_SAMPLE_MS = 50;

export type Labels = Readonly<Record<string, string | number>>;

export interface MetricOptions {
  /** Without the `holdfast_` in front; the unit comes last: `..._seconds`, `..._bytes`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

export interface MetricCounter {
  inc(labels?: Labels, by?: number): void;
}
export interface MetricGauge {
  set(value: number, labels?: Labels): void;
  /** Says nothing until it is set again: 0 and nothing are not the same. */
  clear(labels: Labels): void;
}
export interface MetricHistogram {
  observe(value: number, labels?: Labels): void;
}

type Library = typeof import('prom-client');
let loaded: Library | undefined;

/** Loaded for the first metrics that are made: commands and the threads of a server make none, and
 *  it would be the longest part of their start. */
function library(): Library {
  loaded ??= createRequire(import.meta.url)('prom-client') as Library;
  return loaded;
}

/** The label by which parts of the whole are told apart: see `Metrics.ofTenant`. */
const PART = 'tenant';

interface Shared {
  readonly registry: Registry;
  readonly texts: (() => string)[];
  /** By name: the metric, and which parts have made it. */
  readonly made: Map<string, { metric: Metric; parts: Set<string> }>;
}

/** Where metrics are made and read. Making one name twice throws: it is a bug. */
export class Metrics {
  readonly #shared: Shared;
  /** That every value of this part has. */
  readonly #own: Labels;

  constructor(shared?: Shared, own: Labels = {}) {
    const { Registry } = library();
    this.#shared = shared ?? { registry: new Registry(), texts: [], made: new Map() };
    this.#own = own;
  }

  /** The same metrics for one tenant: what is made there has the label `tenant`. */
  ofTenant(tenant: string): Metrics {
    return new Metrics(this.#shared, { [PART]: tenant });
  }

  counter(options: MetricOptions): MetricCounter {
    const own = this.#own;
    const { Counter } = library();
    const counter = this.#make(options, (settings) => new Counter(settings));
    if (options.labels === undefined) counter.inc(own, 0); // Shown before it counts anything.
    return { inc: (labels = {}, by = 1) => counter.inc({ ...labels, ...own }, by) };
  }

  gauge(options: MetricOptions): MetricGauge {
    const own = this.#own;
    const { Gauge } = library();
    const gauge = this.#make(options, (settings) => new Gauge(settings));
    if (options.labels === undefined) gauge.set(own, 0);
    return {
      set: (value, labels = {}) => gauge.set({ ...labels, ...own }, value),
      clear: (labels) => gauge.remove({ ...labels, ...own }),
    };
  }

  /** A gauge whose value is asked for when somebody reads the metrics. */
  gaugeOf(options: MetricOptions, read: () => number): void {
    const own = this.#own;
    const { Gauge } = library();
    const reads: ((gauge: InstanceType<typeof Gauge>) => void)[] = [];
    const gauge = this.#make(options, (settings) => Object.assign(new Gauge({
      ...settings,
      collect() {
        for (const one of reads) one(this);
      },
    }), { reads }));
    gauge.reads.push((one) => one.set(own, read()));
  }

  histogram(options: MetricOptions & { readonly buckets: readonly number[] }): MetricHistogram {
    const own = this.#own;
    const { Histogram } = library();
    const histogram = this.#make(options, (settings) => (
      new Histogram({ ...settings, buckets: [...options.buckets] })));
    if (options.labels === undefined) histogram.zero(own);
    return { observe: (value, labels = {}) => histogram.observe({ ...labels, ...own }, value) };
  }

  /** For counters too hot for a library: `text` answers whole lines of the text format. */
  addText(text: () => string): void {
    this.#shared.texts.push(text);
  }

  /** Memory, processor time, open files and the like, under the usual `process_` names. */
  addProcess(): void {
    library().collectDefaultMetrics({
      register: this.#shared.registry, eventLoopMonitoringPrecision: LOOP_SAMPLE_MS,
    });
  }

  async text(): Promise<string> {
    const own = this.#shared.texts.map((text) => text());
    return `${await this.#shared.registry.metrics()}${own.join('')}`;
  }

  get contentType(): string {
    return this.#shared.registry.contentType;
  }

  /** Whichever part comes first makes it, for all parts. */
  #make<T extends Metric>({ name, help, labels = [] }: MetricOptions, make: (settings: {
    name: string; help: string; labelNames: string[]; registers: Registry[];
  }) => T): T {
    const { registry, made } = this.#shared;
    const part = String(this.#own[PART] ?? '');
    const known = made.get(name);
    if (known !== undefined && !known.parts.has(part)) {
      known.parts.add(part);
      return known.metric as T;
    }
    // The registry throws when this part has made it before.
    const metric = make({
      name: `holdfast_${name}`, help, labelNames: [...labels, PART], registers: [registry],
    });
    made.set(name, { metric, parts: new Set([part]) });
    return metric;
  }
}
