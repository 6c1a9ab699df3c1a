/** Divides Markdown into blocks, line by line. What it does not know is a paragraph. */
export interface ListItem {
  readonly text: string;
  readonly depth: number;
  /** Of a task. */
  readonly isDone: boolean | undefined;
}

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly text: string }
  | { readonly kind: 'paragraph' | 'quote' | 'code'; readonly text: string }
  | { readonly kind: 'line' }
  | { readonly kind: 'list'; readonly isOrdered: boolean; readonly items: readonly ListItem[] }
  | {
    readonly kind: 'table';
    readonly head: readonly string[];
    readonly rows: readonly (readonly string[])[];
  };

const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const LINE = /^\s*(?:[-*_]\s*){3,}$/;
const FENCE = /^\s*(?:```|~~~)/;
const ITEM = /^(\s*)(?:[-*+]|(\d+)[.)])\s+(?:\[([ xX])\]\s+)?(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
const DEPTH_MAX = 6;

export function blocksOf(text: string): Block[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const [block, next] = blockAt(lines, at);
    if (block !== undefined) blocks.push(block);
    at = next;
  }
  return blocks;
}

function blockAt(lines: readonly string[], at: number): [Block | undefined, number] {
  const line = lines[at] ?? '';
  if (line.trim() === '') return [undefined, at + 1];
  if (FENCE.test(line)) return codeAt(lines, at);
  const heading = HEADING.exec(line);
  if (heading !== null) {
    const [, marks = '', text = ''] = heading;
    return [{ kind: 'heading', level: marks.length, text }, at + 1];
  }
  if (LINE.test(line)) return [{ kind: 'line' }, at + 1];
  if (ITEM.test(line)) return listAt(lines, at);
  if (line.includes('|') && TABLE_RULE.test(lines[at + 1] ?? '')) return tableAt(lines, at);
  const isQuote = line.startsWith('>');
  const part = takeWhile(lines, at, (one) => isSameParagraph(one, isQuote));
  const words = part.map((one) => one.replace(/^>\s?/, '').trim()).join(' ');
  return [{ kind: isQuote ? 'quote' : 'paragraph', text: words }, at + part.length];
}

function isSameParagraph(line: string, isQuote: boolean): boolean {
  if (line.trim() === '' || line.startsWith('>') !== isQuote) return false;
  if (HEADING.test(line) || FENCE.test(line) || LINE.test(line)) return false;
  return isQuote || !ITEM.test(line);
}

function takeWhile(
  lines: readonly string[], from: number, isPart: (line: string) => boolean,
): string[] {
  const part = [lines[from] ?? ''];
  for (let at = from + 1; at < lines.length && isPart(lines[at] ?? ''); at += 1) {
    part.push(lines[at] ?? '');
  }
  return part;
}

function codeAt(lines: readonly string[], at: number): [Block, number] {
  const part = takeWhile(lines, at, (line) => !FENCE.test(line));
  return [{ kind: 'code', text: part.slice(1).join('\n') }, at + part.length + 1];
}

function listAt(lines: readonly string[], at: number): [Block, number] {
  const part = takeWhile(lines, at, (line) => ITEM.test(line) || /^\s+\S/.test(line));
  const items: ListItem[] = [];
  for (const line of part) {
    const match = ITEM.exec(line);
    const last = items.at(-1);
    if (match === null) {
      const text = `${last?.text ?? ''} ${line.trim()}`;
      if (last !== undefined) items[items.length - 1] = { ...last, text };
      continue;
    }
    const [, indent = '', , task, text = ''] = match;
    const depth = Math.min(DEPTH_MAX, Math.floor(indent.replaceAll('\t', '  ').length / 2));
    items.push({ text, depth, isDone: task === undefined ? undefined : task !== ' ' });
  }
  const isOrdered = ITEM.exec(part[0] ?? '')?.[2] !== undefined;
  return [{ kind: 'list', isOrdered, items }, at + part.length];
}

function tableAt(lines: readonly string[], at: number): [Block, number] {
  const part = takeWhile(lines, at, (line) => line.includes('|') && line.trim() !== '');
  const cellsOf = (line: string): string[] => {
    return line.trim().replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim());
  };
  const [head = '', , ...rows] = part;
  return [{ kind: 'table', head: cellsOf(head), rows: rows.map(cellsOf) }, at + part.length];
}
