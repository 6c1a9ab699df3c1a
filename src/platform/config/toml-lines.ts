/** In which line of a TOML text a key is set. The parser we use does not say, and an operator with
 *  forty lines wants to know. A reading aid only: it never decides what the file means. */

const TABLE = /^\s*\[\[?\s*([^\]]+?)\s*\]/;
const PART = '(?:[A-Za-z0-9_-]+|"[^"]*"|\'[^\']*\')';
const KEY = new RegExp(`^\\s*(${PART}(?:\\s*\\.\\s*${PART})*)\\s*=`);

export function lineNumbers(toml: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let table = '';
  toml.split('\n').forEach((line, at) => {
    const header = TABLE.exec(line);
    const key = header === null ? KEY.exec(line)?.[1] : undefined;
    if (header !== null) table = plain(header[1] ?? '');
    const full = header === null ? [table, plain(key ?? '')].filter(Boolean).join('.') : table;
    if ((header !== null || key !== undefined) && !lines.has(full)) lines.set(full, at + 1);
  });
  return lines;
}

function plain(key: string): string {
  return key.split('.').map((part) => part.trim().replace(/^["']|["']$/g, '')).join('.');
}
