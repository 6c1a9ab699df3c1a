/**
 * Loaded before each test file. Node's test runner notes of every promise which test it is of, and
 * that costs twenty times what the promise does. It is good for one thing: an error that nobody
 * caught is laid at its test. Without it a rejection that nobody awaited fails the file and not the
 * test; so it is shown here with the place that it came from. Errors that are thrown in timers and
 * by sockets are laid at their test as before.
 */
import hooks from 'node:async_hooks';
import type { AsyncHook, HookCallbacks } from 'node:async_hooks';

const RUNNER = 'node:internal/test_runner/';
const { createHook } = hooks;

Object.assign(hooks, {
  createHook(callbacks: HookCallbacks): AsyncHook {
    const [, , caller] = new Error().stack?.split('\n') ?? [];
    const isOfRunner = caller?.includes(RUNNER) === true;
    if (!isOfRunner) return createHook(callbacks);
    process.on('unhandledRejection', show);
    return createHook({ ...callbacks, trackPromises: false });
  },
});

function show(reason: unknown): void {
  // The runner listens too, until all tests are over. Alone we would hide what it does not see.
  if (process.listenerCount('unhandledRejection') === 1) throw reason;
  console.error('A rejection that nobody awaited:', reason);
}
