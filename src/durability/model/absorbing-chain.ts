/**
 * Chances of ending in the last state of a small Markov chain in continuous time.
 *
 * The chances are as small as 10^-30, and 1 - (1 - 10^-30) is 0: no step may find a small number as
 * the difference of two big ones. So everything here is made of sums and products of positive
 * numbers, which keep their relative precision however small they are:
 * - `lossWithin` takes the matrix of one short step (a Poisson sum: uniformization) and squares it
 *   until the steps fill the time;
 * - `lossBeforeReturn` removes one state after the other and hands its flow to the others, the
 *   state reduction of Grassmann, Taksar and Heyman (1985).
 */
import { assert } from '../../base/assert.ts';

/** `rates[from][to]`, events a year; the diagonal is not read. The last state is the end: nothing
 *  leaves it. */
export type Chain = readonly (readonly number[])[];

/** Terms of the Poisson sum: with at most one event expected, the 40th is below 10^-47. */
const TERMS = 40;
/** 2^60 steps: a million events a second for a thousand years. */
const DOUBLINGS_MAX = 60;

function rate(chain: Chain, from: number, to: number): number {
  return chain[from]?.[to] ?? 0;
}

/** Sum of the rates that leave a state. */
function outflow(chain: Chain, from: number): number {
  let sum = 0;
  for (let to = 0; to < chain.length; to++) if (to !== from) sum += rate(chain, from, to);
  return sum;
}

/** The chance to have reached the last state after `years`, when it began in state 0. */
export function lossWithin(chain: Chain, years: number): number {
  const states = chain.length;
  const fastest = Math.max(...chain.map((_, from) => outflow(chain, from)));
  if (fastest === 0 || years === 0) return 0;
  const doublings = Math.max(0, Math.ceil(Math.log2(fastest * years)));
  assert(doublings <= DOUBLINGS_MAX, 'the rates of a chain are within reason');
  const jump = jumpMatrix(chain, fastest);
  let step = shortStep(jump, (fastest * years) / 2 ** doublings);
  for (let done = 0; done < doublings; done++) step = normalized(product(step, step));
  return step[0]?.[states - 1] ?? 0;
}

/** Where the chain is after the next event, when events come at the pace of the busiest state. */
function jumpMatrix(chain: Chain, fastest: number): number[][] {
  return chain.map((_, from) => {
    const row = chain.map((_ignored, to) => rate(chain, from, to) / fastest);
    row[from] = Math.max(0, 1 - outflow(chain, from) / fastest);
    return row;
  });
}

/** The matrix of a time in which `events` (at most 1) are expected. */
function shortStep(jump: number[][], events: number): number[][] {
  let power: number[][] = jump.map((row, from) => row.map((_, to) => Number(from === to)));
  let weight = Math.exp(-events);
  const sum = power.map((row) => row.map((value) => value * weight));
  for (let count = 1; count <= TERMS; count++) {
    power = product(power, jump);
    weight *= events / count;
    for (const [from, row] of power.entries()) {
      const target = sum[from] as number[];
      for (const [to, value] of row.entries()) target[to] = (target[to] as number) + value * weight;
    }
  }
  return normalized(sum);
}

function product(left: number[][], right: number[][]): number[][] {
  return left.map((row) => row.map((_, to) => {
    let sum = 0;
    for (const [via, value] of row.entries()) sum += value * (right[via]?.[to] ?? 0);
    return sum;
  }));
}

/** Each row is a share of 1; without this the rounding would double with each squaring. */
function normalized(matrix: number[][]): number[][] {
  return matrix.map((row) => {
    const sum = row.reduce((total, value) => total + value, 0);
    return row.map((value) => value / sum);
  });
}

/** The chance to reach the last state before state 0, when it begins in state `from`. */
export function lossBeforeReturn(chain: Chain, from: number): number {
  const end = chain.length - 1;
  if (from === 0) return 0;
  if (from >= end) return 1;
  const flow = chain.map((row) => [...row]);
  for (let state = end - 1; state > 0; state--) {
    if (state !== from) removeState(flow, state);
  }
  const lost = rate(flow, from, end);
  const back = rate(flow, from, 0);
  return lost === 0 ? 0 : lost / (lost + back);
}

/** Flow through `state` goes directly from where it comes to where it leads. */
function removeState(flow: number[][], state: number): void {
  const out = outflow(flow, state);
  if (out === 0) return;
  for (const [from, row] of flow.entries()) {
    const into = row[state] ?? 0;
    if (from === state || into === 0) continue;
    for (let to = 0; to < row.length; to++) {
      if (to === state || to === from) continue;
      row[to] = (row[to] ?? 0) + (into * rate(flow, state, to)) / out;
    }
    row[state] = 0;
  }
  flow[state] = (flow[state] as number[]).map(() => 0);
}
