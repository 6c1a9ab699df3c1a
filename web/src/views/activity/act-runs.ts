/** Makes of single acts what one would tell: by days, and alike ones together. Pure. */
import type { Act } from '../../../../src/wire/client.ts';

/** Alike acts in a row: one sentence. */
export interface Run {
  readonly key: string;
  /** Newest first, at least one. */
  readonly acts: readonly Act[];
  /** Of the newest. */
  readonly act: Act;
  /** Different files and folders among them. */
  readonly count: number;
  readonly folder: string | undefined;
}

export interface Day {
  /** Any moment of it. */
  readonly at: string;
  readonly runs: readonly Run[];
}

/** Between two acts of one run at most. */
const GAP_MS = 30 * 60_000;
/** What is changed so soon after it came was still coming. */
const ARRIVING_MS = 10 * 60_000;

/** `acts`: newest first. */
export function daysOf(acts: readonly Act[]): Day[] {
  const days: { at: string; runs: { acts: Act[] }[] }[] = [];
  for (const act of withoutArriving(acts)) {
    let day = days.at(-1);
    if (day === undefined || dayOf(day.at) !== dayOf(act.at)) {
      day = { at: act.at, runs: [] };
      days.push(day);
    }
    const run = day.runs.at(-1);
    if (run !== undefined && isAlike(run.acts.at(-1), act)) run.acts.push(act);
    else day.runs.push({ acts: [act] });
  }
  return days.map(({ at, runs }) => ({ at, runs: runs.flatMap(({ acts: all }) => runOf(all)) }));
}

function runOf(acts: readonly Act[]): Run[] {
  const [act] = acts;
  if (act === undefined) return [];
  const names = new Set(acts.map(({ nodeId, path, name }) => nodeId ?? path ?? name));
  const copied = acts.length === 1 ? act.count : undefined;
  return [{ key: act.id, acts, act, count: copied ?? names.size, folder: folderOf(act) }];
}

function withoutArriving(acts: readonly Act[]): Act[] {
  const came = new Map<string, number>();
  for (const { change, at, path, by } of acts) {
    if (change === 'added' && path !== undefined) came.set(`${by} ${path}`, Date.parse(at));
  }
  return acts.filter(({ change, at, path, by }) => {
    const cameAt = came.get(`${by} ${path}`);
    const sinceMs = cameAt === undefined ? Infinity : Date.parse(at) - cameAt;
    return change !== 'changed' || sinceMs < 0 || sinceMs > ARRIVING_MS;
  });
}

function isAlike(before: Act | undefined, act: Act): boolean {
  return before !== undefined && before.by === act.by && before.change === act.change
    && folderOf(before) === folderOf(act)
    && Date.parse(before.at) - Date.parse(act.at) <= GAP_MS;
}

export function folderOf({ path }: Pick<Act, 'path'>): string | undefined {
  return path === undefined ? undefined : path.slice(0, path.lastIndexOf('/')) || '/';
}

/** Of the place where one is. */
function dayOf(at: string): string {
  return new Date(at).toDateString();
}
