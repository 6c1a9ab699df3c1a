/**
 * Colours for source text, good enough to read by: comments, texts, numbers and the words that most
 * languages share. It reads tokens and not languages, so it never fails on what it does not know.
 */
export type PieceKind = 'plain' | 'comment' | 'text' | 'number' | 'word';

export interface Piece {
  readonly kind: PieceKind;
  readonly text: string;
}

const HASH_COMMENTS = 'py rb sh bash zsh fish r pl yml yaml toml ini conf env dockerfile makefile '
  + 'cmake ex exs';
const DASH_COMMENTS = 'sql lua hs';
const MARKUP = 'html htm xml vue svelte';
const WORDS = new Set((
  'abstract and as async await begin break case catch class const continue def default defer '
  + 'del delete do elif else end enum except export extends extern false False final finally fn '
  + 'for foreach from func function global go goto if impl implements import in instanceof '
  + 'interface is lambda let local loop match mod module mut namespace new nil none None not null '
  + 'nullptr of or package pass private protected pub public raise readonly return self static '
  + 'struct super switch then this throw trait true True try type typeof undefined union unless '
  + 'unsafe until use using var virtual void where while with yield select insert update delete '
  + 'create table values into SELECT INSERT UPDATE DELETE CREATE TABLE VALUES INTO FROM WHERE AND '
  + 'OR NOT NULL'
).split(' '));

/** Longer texts stay without colours: each piece is an element of the page. */
const COLOURED_CHARACTERS_MAX = 200_000;

export function piecesOf(text: string, ending: string): Piece[] {
  if (ending === '' || text.length > COLOURED_CHARACTERS_MAX) return [{ kind: 'plain', text }];
  const pieces: Piece[] = [];
  let plain = '';
  let at = 0;
  const token = tokenOf(ending);
  for (const match of text.matchAll(token)) {
    const kind = kindOfToken(match.groups ?? {});
    plain += text.slice(at, match.index);
    at = match.index + match[0].length;
    if (kind === 'plain') {
      plain += match[0];
      continue;
    }
    if (plain !== '') pieces.push({ kind: 'plain', text: plain });
    plain = '';
    pieces.push({ kind, text: match[0] });
  }
  plain += text.slice(at);
  if (plain !== '') pieces.push({ kind: 'plain', text: plain });
  return pieces;
}

function kindOfToken(groups: Readonly<Record<string, string | undefined>>): PieceKind {
  if (groups['comment'] !== undefined) return 'comment';
  if (groups['text'] !== undefined) return 'text';
  if (groups['number'] !== undefined) return 'number';
  return WORDS.has(groups['word'] ?? '') ? 'word' : 'plain';
}

function tokenOf(ending: string): RegExp {
  const has = (list: string): boolean => list.split(' ').includes(ending);
  const line = has(HASH_COMMENTS) ? '#[^\\n]*' : has(DASH_COMMENTS) ? '--[^\\n]*'
    : has(MARKUP) ? '<!--[^]*?-->' : '//[^\\n]*|/\\*[^]*?\\*/';
  const quoted = '"(?:[^"\\\\\\n]|\\\\.)*"|\'(?:[^\'\\\\\\n]|\\\\.)*\'|`(?:[^`\\\\]|\\\\.)*`';
  return new RegExp(
    `(?<comment>${line})|(?<text>${quoted})|(?<word>[A-Za-z_$][\\w$]*)|(?<number>\\b\\d[\\w.]*)`,
    'g',
  );
}
