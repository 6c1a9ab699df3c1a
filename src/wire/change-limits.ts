/** How much of what has changed is told at once, and how long is waited for it. Apart from the
 *  shapes: they take much to load, and whoever only waits for changes needs none. */

/** Longest time that an answer waits for something to happen: shorter than proxies do. */
export const WAIT_SECONDS_MAX = 55;
/** Events that one page takes in at most. */
export const CHANGES_LIMIT_MAX = 500;
export const CHANGES_LIMIT_DEFAULT = 200;
