/** Says in the log when the database node in use is left for another one, and when this process is
 *  back; one line for each look at most, however many connections move. */
import { nodesInUse } from '../platform/index.ts';
import type { Clock, Logger, MetricGauge, Metrics, NodesInUse } from '../platform/index.ts';

const LOOK_MS = 1_000;

export interface DatabaseNodeWatchParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly list?: () => readonly NodesInUse[];
}

interface Seen {
  readonly place: number;
  readonly returnedAt: number;
}

export class DatabaseNodeWatch {
  readonly #parts: DatabaseNodeWatchParts;
  readonly #gauge: MetricGauge;
  readonly #seen = new Map<NodesInUse, Seen>();
  #cancel = (): void => undefined;
  #isStopped = false;

  private constructor(parts: DatabaseNodeWatchParts) {
    this.#parts = parts;
    this.#gauge = parts.metrics.gauge({
      name: 'database_node_place', labels: ['cluster'],
      help: 'Which node of database.url, counted from 1, is in use; by the first one of the list.',
    });
  }

  static start(parts: DatabaseNodeWatchParts): DatabaseNodeWatch {
    const watch = new DatabaseNodeWatch(parts);
    watch.#look();
    return watch;
  }

  #look(): void {
    if (this.#isStopped) return;
    for (const nodes of (this.#parts.list ?? nodesInUse)()) this.#lookAt(nodes);
    this.#cancel = this.#parts.clock.after(LOOK_MS, () => this.#look());
  }

  #lookAt(nodes: NodesInUse): void {
    const { log } = this.#parts;
    const now = { place: nodes.place(), returnedAt: nodes.returnedAt() };
    // Each process begins with the first one.
    const before = this.#seen.get(nodes) ?? { place: 0, returnedAt: 0 };
    this.#seen.set(nodes, now);
    this.#gauge.set(now.place + 1, { cluster: nodes.names[0] ?? '' });
    if (now.place === before.place) return;
    const facts = { from: nodes.names[before.place], to: nodes.names[now.place] };
    if (now.returnedAt > before.returnedAt) {
      log.info(facts, 'a database node that was left is well again, and is used again');
    } else {
      log.warn(facts, 'a database node does not answer or may not be worked on; another is used');
    }
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    return Promise.resolve();
  }
}
