import { HoldfastError } from '../../base/errors.ts';
import type { HttpHandler } from './exchange.ts';
import type { HttpTally, RouteTally } from './http-tally.ts';
import type { UpgradeHandler } from './upgrades.ts';

export interface Route {
  /** The longest match wins. `/x/` matches all below it, `/x` only itself. */
  readonly prefix: string;
  /** A label for metrics, from a small fixed set: never made from a request. */
  readonly name: string;
  readonly handler: HttpHandler;
  /** Answered while starting and draining too, such as a health check. */
  readonly always?: boolean;
  /** Its answers wait for what may never happen: when the server drains, their signals fire at
   *  once, and they count as no work under way. */
  readonly waits?: boolean;
  /** Takes connections over of clients that ask for a WebSocket here. */
  readonly upgrade?: UpgradeHandler;
}

export interface RouteMatch {
  readonly route: Route;
  readonly tally: RouteTally;
}

const ROUTES_MAX = 200;

/** Finds the route of a path. Built once; a look-up allocates nothing. */
export class RouteTable {
  readonly #exact = new Map<string, RouteMatch>();
  #exactLengthMax = 0;
  readonly #below: RouteMatch[] = [];

  constructor(routes: readonly Route[], tally: HttpTally) {
    const refuse = (message: string): never => {
      throw new HoldfastError('invalid', 'platform/RouteTable', message);
    };
    if (routes.length > ROUTES_MAX) refuse(`More than ${ROUTES_MAX} routes.`);
    const seen = new Set<string>();
    for (const route of routes) {
      if (!route.prefix.startsWith('/')) refuse('A route begins with a slash.');
      if (seen.has(route.prefix)) refuse('Two routes have one prefix.');
      seen.add(route.prefix);
      const match = { route, tally: tally.route(route.name) };
      if (route.prefix.endsWith('/')) this.#below.push(match);
      else this.#addExact(match);
    }
    this.#below.sort((a, b) => b.route.prefix.length - a.route.prefix.length);
  }

  find(path: string): RouteMatch | undefined {
    // Looking up a long path, and most are, means to hash all of it.
    if (path.length <= this.#exactLengthMax) {
      const exact = this.#exact.get(path);
      if (exact !== undefined) return exact;
    }
    for (const match of this.#below) {
      if (path.startsWith(match.route.prefix)) return match;
    }
    return undefined;
  }

  #addExact(match: RouteMatch): void {
    const { prefix } = match.route;
    this.#exact.set(prefix, match);
    this.#exactLengthMax = Math.max(this.#exactLengthMax, prefix.length);
  }
}
