import { multiply } from './galois.ts';
import type { Matrix } from './galois.ts';
import type { KernelSize, ShardKernel } from './shard-kernel.ts';

/** ShardKernel in plain JavaScript: one table look-up for each byte of each product. */
export class PlainKernel implements ShardKernel {
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];

  constructor({ inputs, outputs, bufferBytes }: KernelSize) {
    const buffers = (count: number): Uint8Array[] => {
      return Array.from({ length: count }, () => new Uint8Array(bufferBytes));
    };
    this.inputs = buffers(inputs);
    this.outputs = buffers(outputs);
  }

  combine(matrix: Matrix, length: number): void {
    for (const [row, coefficients] of matrix.entries()) {
      const output = (this.outputs[row] as Uint8Array).subarray(0, length).fill(0);
      for (const [at, coefficient] of coefficients.entries()) {
        addMultiple(output, (this.inputs[at] as Uint8Array).subarray(0, length), coefficient);
      }
    }
  }
}

function addMultiple(target: Uint8Array, source: Uint8Array, coefficient: number): void {
  if (coefficient === 0) return;
  const done = coefficient === 1 ? addWords(target, source) : 0;
  const products = Uint8Array.from({ length: 256 }, (_, byte) => multiply(byte, coefficient));
  for (let at = done; at < target.length; at++) {
    target[at] = (target[at] as number) ^ (products[source[at] as number] as number);
  }
}

/** Plain XOR, four bytes at a time. Answers how many bytes are done: all but the last few. */
function addWords(target: Uint8Array, source: Uint8Array): number {
  const count = target.length >> 2;
  const into = new Uint32Array(target.buffer, target.byteOffset, count);
  const from = new Uint32Array(source.buffer, source.byteOffset, count);
  for (let at = 0; at < count; at++) into[at] = (into[at] as number) ^ (from[at] as number);
  return count * 4;
}
