/**
 * Named places where a crash test lets the process die, as by `kill -9`, or stand still until it is
 * woken, as a machine does that was put to sleep.
 *
 * Armed only by the setting `debug.failpoint` (HOLDFAST_FAILPOINT=name or name:nth, and with :stop
 * at the end to stand still). Unarmed, a call costs one comparison. The arming reaches worker
 * threads started afterwards; each thread counts its own calls.
 */
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { HoldfastError } from '../base/errors.ts';

const SHARED = 'holdfast.failpoint';
const SPEC = /^([a-z0-9-]+\.[a-z0-9-]+)(?::([1-9]\d{0,8}))?(:stop)?$/;
/** Until the signal has reached all threads. */
const STOPPING_MS = 200;

let armedName: string | undefined;
let callsLeft = 0;
let isStop = false;

/** Dies, or stands still, here when armed by this name: `failpoint('storage.after-write')`. */
export function failpoint(name: string): void {
  if (armedName !== undefined && armedName === name) strike();
}

function strike(): void {
  callsLeft -= 1;
  if (callsLeft !== 0) return;
  process.kill(process.pid, isStop ? 'SIGSTOP' : 'SIGKILL');
  if (isStop) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STOPPING_MS);
}

/** `spec` is `module.place` or `module.place:nth`, and `:stop` may follow.
 *  @throws invalid: it is none of these. */
export function armFailpoint(spec: string): void {
  const match = SPEC.exec(spec);
  if (match === null) {
    const message = 'A failpoint is named module.place, with :nth for the nth time, and '
      + ':stop at the end to stand still.';
    throw new HoldfastError('invalid', 'platform/armFailpoint', message);
  }
  armedName = match[1];
  callsLeft = Number(match[2] ?? 1);
  isStop = match[3] !== undefined;
  setEnvironmentData(SHARED, spec);
}

const inherited = getEnvironmentData(SHARED);
if (typeof inherited === 'string') armFailpoint(inherited);
