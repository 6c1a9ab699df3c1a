/** With the account at the end of the bar, five places. */
const BAR_MAX = 4;

/** What stands in the bar of a phone, and what behind "More", which takes a place itself. */
export function placesOf<T>(all: readonly T[]): {
  readonly inBar: readonly T[]; readonly behind: readonly T[];
} {
  const inBar = all.length <= BAR_MAX ? all : all.slice(0, BAR_MAX - 1);
  return { inBar, behind: all.slice(inBar.length) };
}
