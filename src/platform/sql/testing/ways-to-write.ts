/** The same statement, written as it might be by others, or by those who want to slip past. */

/** Applies a change to what stands outside of quotes. */
function outside(text: string, change: (part: string) => string): string {
  return text.split(/('(?:[^']|'')*'|"[^"]*"|`[^`]*`)/).map((part, at) =>
    (at % 2 === 0 ? change(part) : part)).join('');
}

const mixed = (text: string): string => outside(text, (part) =>
  [...part].map((sign, at) => (at % 3 === 0 ? sign.toLowerCase() : sign.toUpperCase())).join(''));
const spread = (text: string): string => outside(text, (part) => part.replaceAll(' ', '\n\t  '));
const commented = (text: string): string => outside(text, (part) =>
  part.replaceAll(' ', ' /* where id = 1; */ '));
const ended = (text: string): string => `-- of old\n${text} # and no more`;
const small = (text: string): string => outside(text, (part) => part.toLowerCase());

/** Five and itself. Names of tables keep their small letters, since servers tell them apart. */
export function waysToWrite(text: string): string[] {
  const names = /\b(node|space|folder|information_schema|tables|mysql|user|v|n|s|f)\b/gi;
  const kept = (way: (each: string) => string) => (each: string): string =>
    outside(way(each), (part) => part.replaceAll(names, (name) => name.toLowerCase()));
  const ways = [small, mixed, spread, commented, ended].map((way) => kept(way)(text));
  return [...new Set([text, ...ways])];
}
