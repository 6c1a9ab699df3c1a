/** Does the same to many, a few at a time. One that fails does not stop the others. */
const LANES_MAX = 4;

export interface Outcome<Item, Result> {
  readonly done: readonly (readonly [Item, Result])[];
  readonly failed: readonly (readonly [Item, unknown])[];
}

export async function runAll<Item, Result>(
  items: readonly Item[], run: (item: Item, at: number) => Promise<Result>,
): Promise<Outcome<Item, Result>> {
  const done: [number, Item, Result][] = [];
  const failed: [number, Item, unknown][] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const at = next;
      next += 1;
      const item = items[at] as Item;
      try {
        done.push([at, item, await run(item, at)]);
      } catch (error) {
        failed.push([at, item, error]);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES_MAX, items.length) }, lane));
  const inOrder = <Entry extends readonly [number, ...unknown[]]>(entries: Entry[]): Entry[] => {
    return entries.sort(([a], [b]) => a - b);
  };
  return {
    done: inOrder(done).map(([, item, result]) => [item, result] as const),
    failed: inOrder(failed).map(([, item, error]) => [item, error] as const),
  };
}
