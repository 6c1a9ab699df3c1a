/**
 * What two web nodes on this machine do together, beside what one does alone: each with a database
 * server and a bucket of its own, both started once. One and two are measured in turns, in one run
 * for both items of a pair, so that whatever else the machine does meets both.
 */
import { join } from 'node:path';
import type { CellResult } from '../load/jobs.ts';
import type { Measurement } from '../measurement.ts';
import { runProgram } from '../servers/children.ts';
import { UsageWatch } from '../servers/process-tree.ts';
import type { Usage } from '../servers/process-tree.ts';
import { startWebNodes } from '../servers/web-nodes.ts';
import type { WebNodes } from '../servers/web-nodes.ts';
import { checkCell, rateOf } from './item.ts';
import type { Item, Subject } from './item.ts';

const CONNECTIONS = 32;
const SMALL_BYTES = 1024;
/** More than stays in a server's memory: each GET of one asks the bucket. */
const GREAT_BYTES = 100 * 1024;
const COUNT_MAX = 200_000;
const NAMES = ['one', 'two'] as const;
/** Requests of a kind that each node has answered before it is measured, and how long that may
 *  take: a program gets faster while it runs, and two of them share what there is to run on. */
const WARM_COUNT = 3_000;
const WARM_MAX_MS = 20_000;

type Count = 1 | 2;

interface Place extends WebNodes {
  /** By their size: what the last PUT cell left for the GET cells. */
  readonly files: Map<number, { folder: string; count: number; salt: number }>;
}

type Pair = Readonly<Record<Count, Measurement>>;

const places = new Map<Count, Promise<Place>>();

function placeOf({ settings }: Subject, count: Count): Promise<Place> {
  const { scratchFolder, repository } = settings;
  const started = places.get(count) ?? startWebNodes({
    repository, folder: join(scratchFolder, `nodes-${count}`), names: NAMES.slice(0, count),
  }).then((nodes) => ({ ...nodes, files: new Map() }));
  places.set(count, started);
  return started;
}

/** With the processor time of everybody who takes part, and in words who used it. */
async function watched({ pids }: Place, act: () => Promise<CellResult>): Promise<Measurement> {
  await runProgram('sync', []);
  const watches = Object.entries(pids).map(([who, ids]) =>
    ({ who, watch: new UsageWatch(...ids) }));
  const usages: (Usage & { who: string })[] = [];
  let result: CellResult;
  try {
    result = await act();
  } finally {
    for (const { who, watch } of watches) usages.push({ who, ...watch.stop() });
  }
  const shares = usages.map(({ who, cpuMs }) =>
    `${who} ${Math.round((cpuMs * 1000) / Math.max(1, result.count))}`);
  const usage = {
    cpuMs: usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    peakRssBytes: usages.reduce((sum, { peakRssBytes }) => sum + peakRssBytes, 0),
  };
  return { ...rateOf(result, usage), note: `us/op: ${shares.join(', ')}` };
}

interface Extent {
  readonly sizeBytes: number;
  readonly timeLimitMs: number;
  readonly countMax: number;
}

/** New files in a new folder, which the GET cells then ask for. */
async function put(subject: Subject, place: Place, extent: Extent): Promise<CellResult> {
  const { driver } = subject;
  const { target, ports } = place;
  const folder = subject.freshName('put').replaceAll('/', '-');
  const salt = subject.freshSalt();
  const { statuses } = await driver.run<'call'>({
    kind: 'call', target, method: 'MKCOL', path: `${folder}/`,
  });
  if (statuses[0] !== 201) throw new Error(`MKCOL answered ${statuses[0]}`);
  const result = await driver.run<'put'>({
    kind: 'put', target, ports, folder, salt,
    connectionCount: CONNECTIONS, ...extent,
  });
  place.files.set(extent.sizeBytes, { folder, salt, count: result.count });
  return result;
}

async function get({ driver }: Subject, place: Place, extent: Extent): Promise<CellResult> {
  const { target, ports } = place;
  const files = place.files.get(extent.sizeBytes);
  if (files === undefined || files.count === 0) throw new Error('there are no files to get');
  const { folder, salt, count: fileCount } = files;
  return driver.run<'get'>({
    kind: 'get', target, ports, folder, salt, fileCount,
    connectionCount: CONNECTIONS, ...extent,
  });
}

function warmUp(count: Count, sizeBytes: number): Extent {
  return { sizeBytes, timeLimitMs: count * WARM_MAX_MS, countMax: count * WARM_COUNT };
}

/** As many as bring the bytes of a warm-up with small ones, ten times over. */
function filling(count: Count, sizeBytes: number): Extent {
  const countMax = Math.round(count * WARM_COUNT * Math.min(1, (10 * SMALL_BYTES) / sizeBytes));
  return { ...warmUp(count, sizeBytes), countMax };
}

/** The items of a pair, which share their rounds: each begins with another count. */
function pairOf(
  kind: string, title: string, sizeBytes: number,
  act: (subject: Subject, place: Place, extent: Extent) => Promise<CellResult>,
): Item[] {
  const rounds: Promise<Pair>[] = [];
  const measure = async (
    subject: Subject, count: Count, isFirst: boolean,
  ): Promise<Measurement> => {
    const place = await placeOf(subject, count);
    const warming = warmUp(count, sizeBytes);
    if (!place.files.has(sizeBytes)) await put(subject, place, filling(count, sizeBytes));
    if (isFirst) checkCell(await act(subject, place, warming));
    const timeLimitMs = subject.settings.secs * 1000;
    return watched(place, () =>
      act(subject, place, { sizeBytes, timeLimitMs, countMax: COUNT_MAX }));
  };
  const measurePair = async (subject: Subject, round: number): Promise<Pair> => {
    const pair: Partial<Record<Count, Measurement>> = {};
    for (const count of round % 2 === 0 ? [1, 2] as const : [2, 1] as const) {
      pair[count] = await measure(subject, count, round === 0);
    }
    return pair as Pair;
  };
  return ([[1, 'one web node'], [2, 'two web nodes']] as const).map(([count, nodes]) => {
    let nextRound = 0;
    return {
      id: `nodes-${kind}-${count}`, title: `${title}, ${nodes}`,
      group: 'nodes', isHoldfastOnly: true,
      run: async (subject: Subject) => {
        const round = nextRound;
        nextRound += 1;
        rounds[round] ??= measurePair(subject, round);
        return (await rounds[round])[count];
      },
    };
  });
}

export const NODE_ITEMS: readonly Item[] = [
  ...pairOf('put', 'PUT 1 KiB c32', SMALL_BYTES, put),
  ...pairOf('get', 'GET 1 KiB c32', SMALL_BYTES, get),
  ...pairOf('get-100k', 'GET 100 KiB c32', GREAT_BYTES, get),
];
