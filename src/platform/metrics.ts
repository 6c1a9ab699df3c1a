/** The program's metrics, in the Prometheus text format. Labels come from small fixed sets. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

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
}
export interface MetricHistogram {
  observe(value: number, labels?: Labels): void;
}

/** Where metrics are made and read. Making one name twice throws: it is a bug. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #texts: (() => string)[] = [];

  counter(options: MetricOptions): MetricCounter {
    const counter = new Counter(this.#settings(options));
    return { inc: (labels = {}, by = 1) => counter.inc(labels, by) };
  }

  gauge(options: MetricOptions): MetricGauge {
    const gauge = new Gauge(this.#settings(options));
    return { set: (value, labels = {}) => gauge.set(labels, value) };
  }

  /** A gauge whose value is asked for when somebody reads the metrics. */
  gaugeOf(options: MetricOptions, read: () => number): void {
    new Gauge({
      ...this.#settings(options),
      collect() {
        this.set(read());
      },
    });
  }

  histogram(options: MetricOptions & { readonly buckets: readonly number[] }): MetricHistogram {
    const settings = { ...this.#settings(options), buckets: [...options.buckets] };
    const histogram = new Histogram(settings);
    return { observe: (value, labels = {}) => histogram.observe(labels, value) };
  }

  /** For counters too hot for a library: `text` answers whole lines of the text format. */
  addText(text: () => string): void {
    this.#texts.push(text);
  }

  /** Memory, processor time, open files and the like, under the usual `process_` names. */
  addProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  async text(): Promise<string> {
    const own = this.#texts.map((text) => text());
    return `${await this.#registry.metrics()}${own.join('')}`;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #settings({ name, help, labels }: MetricOptions): {
    name: string;
    help: string;
    labelNames: string[];
    registers: Registry[];
  } {
    const labelNames = [...(labels ?? [])];
    return { name: `holdfast_${name}`, help, labelNames, registers: [this.#registry] };
  }
}
