/** Reads a CPU profile as V8 writes it, and sums up where the time went. Pure. */

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds between each sample and the one before. */
  readonly timeDeltas: readonly number[];
}

export interface FunctionShare {
  /** Function, file below the checkout and line; or V8's entry, such as `(garbage collector)`. */
  readonly name: string;
  readonly selfMs: number;
  /** Of the time in which the thread was not idle. */
  readonly selfShare: number;
  /** With everything that it called, counted once in a recursion. */
  readonly totalShare: number;
}

export interface ProfileSummary {
  readonly elapsedMs: number;
  readonly busyMs: number;
  /** By self time, the largest first. */
  readonly bySelf: readonly FunctionShare[];
  /** Functions of the program itself by the time below them, the largest first. */
  readonly byTotal: readonly FunctionShare[];
}

type ProfileNode = CpuProfile['nodes'][number];

function shortUrl(url: string): string {
  return url.replace(/^file:\/\//, '').replace(/^.*\/(?=(?:src|node_modules|wire)\/)/, '');
}

function nameOf({ callFrame }: ProfileNode, caller: ProfileNode | undefined): string {
  const { functionName, url, lineNumber } = callFrame;
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url !== '') return `${name} ${shortUrl(url)}:${lineNumber + 1}`;
  // Functions of an addon have neither a name nor a place: only their caller tells them apart.
  if (functionName !== '' || caller === undefined) return name;
  return `(native) called by ${nameOf(caller, undefined)}`;
}

function isOwn(name: string): boolean {
  return / src\//.test(name) && !name.startsWith('(native)');
}

interface Times {
  selfUs: number;
  totalUs: number;
}

export function summarise(profile: CpuProfile): ProfileSummary {
  const selfUs = new Map<number, number>();
  let elapsedUs = 0;
  profile.samples.forEach((id, index) => {
    const deltaUs = Math.max(0, profile.timeDeltas[index] ?? 0);
    elapsedUs += deltaUs;
    selfUs.set(id, (selfUs.get(id) ?? 0) + deltaUs);
  });
  const parents = new Map<number, number>();
  for (const node of profile.nodes) {
    for (const child of node.children ?? []) parents.set(child, node.id);
  }
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const names = new Map(profile.nodes.map((node) =>
    [node.id, nameOf(node, nodes.get(parents.get(node.id) ?? -1))]));
  const times = new Map<string, Times>();
  let idleUs = 0;
  for (const [id, us] of selfUs) {
    const name = names.get(id) ?? '(unknown)';
    if (name === '(idle)') idleUs += us;
    addTime(times, name).selfUs += us;
    const seen = new Set<string>();
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const above = names.get(at) ?? '(unknown)';
      if (!seen.has(above)) addTime(times, above).totalUs += us;
      seen.add(above);
    }
  }
  const busyUs = Math.max(1, elapsedUs - idleUs);
  const shares = [...times].filter(([name]) => name !== '(idle)' && name !== '(root)')
    .map(([name, time]): FunctionShare => ({
      name,
      selfMs: time.selfUs / 1000,
      selfShare: time.selfUs / busyUs,
      totalShare: time.totalUs / busyUs,
    }));
  return {
    elapsedMs: elapsedUs / 1000,
    busyMs: (elapsedUs - idleUs) / 1000,
    bySelf: shares.toSorted((a, b) => b.selfShare - a.selfShare),
    byTotal: shares.filter(({ name }) => isOwn(name))
      .toSorted((a, b) => b.totalShare - a.totalShare),
  };
}

function addTime(times: Map<string, Times>, name: string): Times {
  const known = times.get(name);
  if (known !== undefined) return known;
  const time = { selfUs: 0, totalUs: 0 };
  times.set(name, time);
  return time;
}

const SHOWN = 18;

function percent(share: number): string {
  return `${(share * 100).toFixed(1).padStart(5)} %`;
}

/** Some lines for people. */
export function describeProfile(title: string, summary: ProfileSummary): string {
  const busy = percent(summary.busyMs / Math.max(1, summary.elapsedMs)).trim();
  return [
    `${title}: main thread busy for ${busy} of ${summary.elapsedMs.toFixed(0)} ms; of that, self:`,
    ...summary.bySelf.slice(0, SHOWN).map((f) => `  ${percent(f.selfShare)}  ${f.name}`),
    ' and with all that they call:',
    ...summary.byTotal.slice(0, SHOWN).map((f) => `  ${percent(f.totalShare)}  ${f.name}`),
  ].join('\n');
}
