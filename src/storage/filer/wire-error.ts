/** Errors on their way from the filer to the coordinator. */
import { HoldfastError, type ErrorKind } from '../../base/errors.ts';
import { errorCode } from '../backends/local/volume-files.ts';
import { badFrame } from './frame-fault.ts';
import { type FieldReader, FieldWriter } from './fields.ts';

/** By position on the wire: only ever append. 0 stands for an error of the operating system. */
const KINDS: readonly (ErrorKind | undefined)[] = [
  undefined, 'not-found', 'exists', 'conflict', 'precondition', 'locked', 'unauthenticated',
  'denied', 'invalid', 'too-large', 'quota', 'full', 'busy', 'unavailable', 'corrupt', 'internal',
];
const CODE_CHARACTERS_MAX = 64;
const MESSAGE_CHARACTERS_MAX = 500;

/** The system's errors keep their code, ours all but their cause. Messages of the system stay here:
 *  they name paths. */
export function encodeError(error: unknown): Buffer {
  const fields = new FieldWriter();
  if (error instanceof HoldfastError) {
    const { kind, code, message } = error;
    return fields.u8(KINDS.indexOf(kind)).text(code ?? '')
      .text(message.slice(0, MESSAGE_CHARACTERS_MAX)).done();
  }
  return fields.u8(0).text(errorCode(error).slice(0, CODE_CHARACTERS_MAX)).text('').done();
}

export function decodeError(fields: FieldReader): Error {
  const number = fields.u8();
  const code = fields.text(CODE_CHARACTERS_MAX);
  const message = fields.text(MESSAGE_CHARACTERS_MAX);
  fields.end();
  if (number >= KINDS.length) throw badFrame('an error of an unknown kind');
  const kind = KINDS[number];
  if (kind !== undefined) {
    return new HoldfastError(kind, 'storage/filer', message, code === '' ? {} : { code });
  }
  return Object.assign(new Error(`the filer's disk answers ${code}`), { code });
}

/** The connection was lost, or the answer did not come in time: whether the call was carried out
 *  is not known, unless it never left this machine. */
export function filerLost(code: string, cause?: unknown): HoldfastError {
  const message = 'A filer cannot be reached. Check that it runs and the network between.';
  const options = cause === undefined ? { code } : { code, cause };
  return new HoldfastError('unavailable', 'storage/filer', message, options);
}
