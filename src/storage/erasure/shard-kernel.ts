/** The inner loop of the code: sums of multiples of shards. */
import { assert } from '../../base/assert.ts';
import type { Matrix } from './galois.ts';
import { PlainKernel } from './plain-kernel.ts';
import { isSimdSupported, SimdKernel } from './simd-kernel.ts';

/**
 * Fixed buffers and one operation. To save copies, callers read into `inputs` and write from
 * `outputs`. One user at a time.
 */
export interface ShardKernel {
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
  /** Row r of the matrix has a coefficient for each input: the sum of the inputs' first `length`
   *  bytes, each times its coefficient, goes to output r. Other outputs stay as they are; bytes
   *  of the used outputs after `length` may change. */
  combine(matrix: Matrix, length: number): void;
}

export interface KernelSize {
  readonly inputs: number;
  readonly outputs: number;
  /** Of each buffer; a multiple of 16. */
  readonly bufferBytes: number;
}

let isSimdTrusted: boolean | undefined;

/** WebAssembly where this machine has its vector instructions and they give the same answers as
 *  plain code; else plain code, ten times slower or more, and as right. */
export function openKernel(size: KernelSize): ShardKernel {
  assert(size.bufferBytes % 16 === 0, 'buffers are made of whole vectors');
  isSimdTrusted ??= isSimdSupported() && agrees(SimdKernel);
  return isSimdTrusted ? new SimdKernel(size) : new PlainKernel(size);
}

/** Every product of two bytes, by both. */
function agrees(kernel: new (size: KernelSize) => ShardKernel): boolean {
  const size = { inputs: 2, outputs: 1, bufferBytes: 256 };
  const tried = new kernel(size);
  const plain = new PlainKernel(size);
  for (const { inputs: [first, second] } of [tried, plain]) {
    for (let at = 0; at < 256; at++) {
      if (first !== undefined) first[at] = at;
      if (second !== undefined) second[at] = (at * 7 + 3) & 255;
    }
  }
  for (let factor = 0; factor < 256; factor++) {
    const matrix = [[factor, factor ^ 0xa5]];
    tried.combine(matrix, 256);
    plain.combine(matrix, 256);
    if (Buffer.compare(tried.outputs[0] as Uint8Array, plain.outputs[0] as Uint8Array) !== 0) {
      return false;
    }
  }
  return true;
}
