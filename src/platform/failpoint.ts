/**
 * Named places where a crash test lets the process die, as by `kill -9`.
 *
 * Armed only by the setting `debug.failpoint` (HOLDFAST_FAILPOINT=name or name:nth). Unarmed, a
 * call costs one comparison. The arming reaches worker threads started afterwards; each thread
 * counts its own calls.
 */
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { HoldfastError } from '../base/errors.ts';

const SHARED = 'holdfast.failpoint';
const SPEC = /^([a-z0-9-]+\.[a-z0-9-]+)(?::([1-9]\d{0,8}))?$/;

let armedName: string | undefined;
let callsLeft = 0;

/** Dies here when armed by this name: `failpoint('storage.after-write')`. */
export function failpoint(name: string): void {
  if (armedName !== undefined && armedName === name) strike();
}

function strike(): void {
  callsLeft -= 1;
  if (callsLeft === 0) process.kill(process.pid, 'SIGKILL');
}

/** `spec` is `module.place` or `module.place:nth`. @throws invalid: it is neither. */
export function armFailpoint(spec: string): void {
  const match = SPEC.exec(spec);
  if (match === null) {
    const message = 'A failpoint is named module.place, with :nth for the nth time.';
    throw new HoldfastError('invalid', 'platform/armFailpoint', message);
  }
  armedName = match[1];
  callsLeft = Number(match[2] ?? 1);
  setEnvironmentData(SHARED, spec);
}

const inherited = getEnvironmentData(SHARED);
if (typeof inherited === 'string') armFailpoint(inherited);
