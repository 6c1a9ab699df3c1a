/**
 * What is different between two texts, line by line: the longest common subsequence, by the table
 * that every textbook has. It takes room and time as the product of both lengths, so what both
 * begin and end with is set aside first, and a limit says how much is left at most.
 */

export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
  /** Numbers of the line in both, from 1. */
  readonly before: number | undefined;
  readonly after: number | undefined;
}

/** Lines of each text. */
export const DIFF_LINES_MAX = 20_000;
/** Pairs of lines that are compared, after what is the same at both ends: some ten milliseconds. */
export const DIFF_PAIRS_MAX = 4_000_000;

/** undefined: too long, or too different for the limits. */
export function diffLines(before: string, after: string): DiffLine[] | undefined {
  const [a, b] = [linesOf(before), linesOf(after)];
  if (Math.max(a.length, b.length) > DIFF_LINES_MAX) return undefined;
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start += 1;
  let end = 0;
  const most = Math.min(a.length, b.length) - start;
  while (end < most && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const [rows, columns] = [a.length - start - end, b.length - start - end];
  if (rows * columns > DIFF_PAIRS_MAX) return undefined;
  const lines: DiffLine[] = [];
  const add = (kind: DiffLine['kind'], x: number, y: number): void => {
    lines.push({
      kind, text: (kind === 'added' ? b[y] : a[x]) ?? '',
      before: kind === 'added' ? undefined : x + 1, after: kind === 'removed' ? undefined : y + 1,
    });
  };
  for (let at = 0; at < start; at += 1) add('same', at, at);
  const common = commonLengths(a.slice(start, start + rows), b.slice(start, start + columns));
  let [x, y] = [0, 0];
  const at = (row: number, column: number): number => common[row * (columns + 1) + column] ?? 0;
  while (x < rows || y < columns) {
    if (x < rows && y < columns && a[start + x] === b[start + y]) {
      add('same', start + x, start + y);
      x += 1;
      y += 1;
    } else if (y >= columns || (x < rows && at(x + 1, y) >= at(x, y + 1))) {
      add('removed', start + x, start + y);
      x += 1;
    } else {
      add('added', start + x, start + y);
      y += 1;
    }
  }
  for (let n = end; n > 0; n -= 1) add('same', a.length - n, b.length - n);
  return lines;
}

/** How many lines what is left of both has in common, from each pair of places on. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint16Array {
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let x = a.length - 1; x >= 0; x -= 1) {
    for (let y = b.length - 1; y >= 0; y -= 1) {
      const here = x * width + y;
      table[here] = a[x] === b[y] ? (table[here + width + 1] ?? 0) + 1
        : Math.max(table[here + width] ?? 0, table[here + 1] ?? 0);
    }
  }
  return table;
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

export type Stretch =
  | { readonly kind: 'lines'; readonly lines: readonly DiffLine[] }
  | { readonly kind: 'skipped'; readonly count: number };

/** So many lines that are the same stand around what is not. */
const AROUND = 3;

/** Long stretches that are the same are left out. */
export function stretchesOf(lines: readonly DiffLine[]): Stretch[] {
  const isNear = new Uint8Array(lines.length);
  lines.forEach(({ kind }, at) => {
    if (kind === 'same') return;
    isNear.fill(1, Math.max(0, at - AROUND), at + AROUND + 1);
  });
  const stretches: Stretch[] = [];
  for (let at = 0; at < lines.length;) {
    const isShown = isNear[at] === 1;
    let end = at;
    while (end < lines.length && (isNear[end] === 1) === isShown) end += 1;
    stretches.push(isShown ? { kind: 'lines', lines: lines.slice(at, end) }
      : { kind: 'skipped', count: end - at });
    at = end;
  }
  return stretches;
}
