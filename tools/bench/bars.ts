/**
 * What Holdfast has to reach (bar) and wants to reach (aim), item by item: the only place where
 * these figures stand. Ratios are speeds: 1.2 x nginx means that Holdfast is faster by a fifth.
 */
import { findMedian, ratioOf } from './measurement.ts';
import type { Results, Unit } from './measurement.ts';
import type { ServerName } from './servers/bench-server.ts';

export type Goal =
  | { readonly kind: 'ratio'; readonly peer: ServerName; readonly atLeast: number;
      /** The peer's item to compare with, where it is not the same one. */
      readonly peerItem?: string }
  /** Of the speed that Holdfast itself has with another item. */
  | { readonly kind: 'share'; readonly of: string; readonly atLeast: number }
  | { readonly kind: 'atMost'; readonly value: number; readonly unit: Unit }
  /** Not more than the factor times another item's time, or a millisecond above it. */
  | { readonly kind: 'growth'; readonly from: string; readonly factorAtMost: number };

export interface Bar {
  readonly bar: readonly Goal[];
  readonly aim: readonly Goal[];
}

const GROWTH_SLACK_MS = 1;

function ratio(peer: ServerName, atLeast: number, peerItem?: string): readonly Goal[] {
  return [{ kind: 'ratio', peer, atLeast, ...(peerItem !== undefined && { peerItem }) }];
}

function atMost(value: number, unit: Unit): readonly Goal[] {
  return [{ kind: 'atMost', value, unit }];
}

function share(of: string, atLeast: number): readonly Goal[] {
  return [{ kind: 'share', of, atLeast }];
}

/** Not more than the factor times the time of another item. */
function slower(of: string, factor: number): readonly Goal[] {
  return share(of, 1 / factor);
}

function flat(value: number, from: string): readonly Goal[] {
  return [...atMost(value, 'ms'), { kind: 'growth', from, factorAtMost: 2 }];
}

export const BARS: Readonly<Record<string, Bar>> = {
  'put-1k': { bar: ratio('nginx', 1), aim: ratio('nginx', 1.5) },
  'put-100k': { bar: ratio('nginx', 0.6), aim: ratio('nginx', 1) },
  'put-4m': { bar: ratio('nginx', 1.2), aim: ratio('nginx', 2) },
  'up-1g': { bar: ratio('nginx', 1.2), aim: ratio('nginx', 2) },
  'get-1k': { bar: ratio('apache', 1), aim: ratio('nginx', 0.5) },
  'down-1g': { bar: ratio('nginx', 0.7), aim: ratio('nginx', 0.9) },
  'list-15': { bar: ratio('apache', 1, 'list-5'), aim: ratio('nginx', 1, 'list-5') },
  'move-10k': { bar: flat(5, 'move-100'), aim: flat(1, 'move-100') },
  'delete-10k': { bar: flat(5, 'delete-100'), aim: flat(1, 'delete-100') },
  'client-up': { bar: atMost(12, 's'), aim: atMost(8, 's') },
  'client-down': { bar: atMost(8, 's'), aim: atMost(5, 's') },
  'memory-up-1g': { bar: atMost(300, 'MiB'), aim: atMost(200, 'MiB') },
  'memory-list': { bar: atMost(300, 'MiB'), aim: atMost(200, 'MiB') },
  'memory-32': { bar: atMost(300, 'MiB'), aim: atMost(200, 'MiB') },
  'start-empty': { bar: atMost(1.5, 's'), aim: atMost(0.7, 's') },
  'start-1m': { bar: atMost(3, 's'), aim: atMost(1.5, 's') },
  'nodes-put-2': { bar: share('nodes-put-1', 0.9), aim: share('nodes-put-1', 1) },
  'nodes-get-2': { bar: share('nodes-get-1', 0.9), aim: share('nodes-get-1', 1) },
  'nodes-get-100k-2': { bar: share('nodes-get-100k-1', 0.9), aim: share('nodes-get-100k-1', 1) },
  'copies-3': { bar: share('copies-1', 0.4), aim: share('copies-1', 0.6) },
  'filers-3': { bar: share('copies-1', 0.25), aim: share('copies-1', 0.4) },
  'index-memory': { bar: atMost(32, 'B'), aim: atMost(30, 'B') },
  'restart-1m': { bar: atMost(3, 's'), aim: atMost(1.5, 's') },
  'scrub-rate': { bar: share('disk-read', 0.7), aim: share('disk-read', 0.9) },
  'scrub-p99': { bar: slower('calm-p99', 1.3), aim: slower('calm-p99', 1.1) },
  'events-1000': { bar: atMost(250, 'ms'), aim: atMost(100, 'ms') },
  'page-first': { bar: atMost(1000, 'ms'), aim: atMost(500, 'ms') },
  'install-time': { bar: atMost(90, 's'), aim: atMost(45, 's') },
  'install-size': { bar: atMost(600, 'MB'), aim: atMost(600, 'MB') },
};

/** `open`: it cannot be said, since one side was not measured, or not in full. */
export type Verdict = 'met' | 'missed' | 'open';

function judgeGoal(results: Results, itemId: string, goal: Goal): Verdict {
  const own = findMedian(results, itemId, 'holdfast');
  if (own === undefined || own.isPartial === true) return 'open';
  switch (goal.kind) {
    case 'atMost':
      return own.value <= goal.value ? 'met' : 'missed';
    case 'growth': {
      const from = findMedian(results, goal.from, 'holdfast');
      if (from === undefined) return 'open';
      const limit = Math.max(from.value * goal.factorAtMost, from.value + GROWTH_SLACK_MS);
      return own.value <= limit ? 'met' : 'missed';
    }
    case 'share': {
      const other = findMedian(results, goal.of, 'holdfast');
      if (other === undefined) return 'open';
      return ratioOf(own, other) >= goal.atLeast ? 'met' : 'missed';
    }
    case 'ratio': {
      const peer = findMedian(results, goal.peerItem ?? itemId, goal.peer);
      if (peer === undefined) return 'open';
      return ratioOf(own, peer) >= goal.atLeast ? 'met' : 'missed';
    }
  }
}

/** Met when all goals are; one missed goal decides, and an open one leaves it open. */
export function judge(results: Results, itemId: string, goals: readonly Goal[]): Verdict {
  const verdicts = goals.map((goal) => judgeGoal(results, itemId, goal));
  if (verdicts.includes('missed')) return 'missed';
  return verdicts.includes('open') ? 'open' : 'met';
}

export function describeGoal(goal: Goal): string {
  switch (goal.kind) {
    case 'atMost': return `<= ${goal.value} ${goal.unit}`;
    case 'growth': return 'flat';
    case 'share': return `${goal.atLeast.toFixed(2)} x ${goal.of}`;
    case 'ratio': return `${goal.atLeast} x ${goal.peer}`;
  }
}
