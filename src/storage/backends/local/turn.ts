/** Lets everything else that is due have its turn: ends a long stretch of work on this thread. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
