/**
 * ShardKernel on the vector instructions of WebAssembly, 16 bytes at a time.
 *
 * Multiplying by a fixed number is linear, so the product of a byte is the sum of the products of
 * its two halves. Each half has 16 values: two tables of 16 bytes for each coefficient, and
 * i8x16.swizzle looks up 16 bytes at once. The function is written for its number of inputs and
 * outputs, with all addresses but one as constants, so its loop has nothing to do but the work.
 */
import { assert } from '../../base/assert.ts';
import { multiply } from './galois.ts';
import type { Matrix } from './galois.ts';
import type { KernelSize, ShardKernel } from './shard-kernel.ts';
import { code, moduleOf } from './wasm-module.ts';
import { webAssembly } from './web-assembly.ts';
import type { WasmMemory } from './web-assembly.ts';

const PAGE_BYTES = 65_536;
const VECTOR_BYTES = 16;
/** Two tables of 16 bytes for each coefficient. */
const TABLE_BYTES = 32;
/** Between the buffers: else the same place of all of them falls into one line of the cache. */
const GAP_BYTES = 320;

type Run = (position: number, end: number) => void;

interface Layout {
  readonly size: KernelSize;
  readonly inputAt: (index: number) => number;
  readonly outputAt: (index: number) => number;
  readonly tableAt: number;
  readonly pages: number;
}

function layoutOf(size: KernelSize): Layout {
  const stride = size.bufferBytes + GAP_BYTES;
  const tableAt = (size.inputs + size.outputs) * stride;
  const bytes = tableAt + size.inputs * size.outputs * TABLE_BYTES;
  return {
    size, tableAt,
    inputAt: (index) => index * stride,
    outputAt: (index) => (size.inputs + index) * stride,
    pages: Math.ceil(bytes / PAGE_BYTES),
  };
}

/** The bytes of the module for so many of the outputs. */
function kernelModule(layout: Layout, outputs: number): Uint8Array<ArrayBuffer> {
  const [position, end, mask, low, high, firstSum] = [0, 1, 2, 3, 4, 5];
  const sumOf = (output: number): number => firstSum + output;
  const { getLocal, setLocal } = code;
  const body: number[] = [];
  const { inputs } = layout.size;
  const lookUp = (tableAt: number, index: number): number[] => {
    return [...code.constant(0), ...code.loadVector(tableAt), ...getLocal(index), ...code.swizzle];
  };
  for (let input = 0; input < inputs; input++) {
    body.push(
      ...getLocal(position), ...code.loadVector(layout.inputAt(input)), ...setLocal(high),
      ...getLocal(high), ...getLocal(mask), ...code.and, ...setLocal(low),
      ...getLocal(high), ...code.constant(4), ...code.shiftBytesRight, ...setLocal(high),
    );
    for (let output = 0; output < outputs; output++) {
      const tableAt = layout.tableAt + (output * inputs + input) * TABLE_BYTES;
      body.push(...lookUp(tableAt, low), ...lookUp(tableAt + VECTOR_BYTES, high), ...code.xor);
      if (input > 0) body.push(...getLocal(sumOf(output)), ...code.xor);
      body.push(...setLocal(sumOf(output)));
    }
  }
  for (let output = 0; output < outputs; output++) {
    body.push(...getLocal(position), ...getLocal(sumOf(output)));
    body.push(...code.storeVector(layout.outputAt(output)));
  }
  const step = [
    ...getLocal(position), ...code.constant(VECTOR_BYTES), ...code.add, ...setLocal(position),
  ];
  const test = [...getLocal(position), ...getLocal(end), ...code.isBelow];
  const setUp = [...code.constant(15), ...code.splatByte, ...setLocal(mask)];
  return moduleOf({
    parameters: 2, vectorLocals: firstSum - mask + outputs, pages: layout.pages,
    body: [...setUp, ...code.repeat([...body, ...step, ...test])],
  });
}

/** True when this engine takes the kernel's instructions. */
export function isSimdSupported(): boolean {
  const layout = layoutOf({ inputs: 1, outputs: 1, bufferBytes: VECTOR_BYTES });
  return webAssembly?.validate(kernelModule(layout, 1)) ?? false;
}

export class SimdKernel implements ShardKernel {
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
  readonly #layout: Layout;
  readonly #memory: WasmMemory;
  /** By number of outputs; made when first needed. */
  readonly #runs: Run[] = [];

  constructor(size: KernelSize) {
    assert(webAssembly !== undefined, 'the kernel is opened only where it is supported');
    this.#layout = layoutOf(size);
    const { pages, inputAt, outputAt } = this.#layout;
    // It never grows: a growing memory would cut off the buffers that others read into.
    this.#memory = new webAssembly.Memory({ initial: pages, maximum: pages });
    const buffer = (at: number): Uint8Array => {
      return new Uint8Array(this.#memory.buffer, at, size.bufferBytes);
    };
    this.inputs = Array.from({ length: size.inputs }, (_, index) => buffer(inputAt(index)));
    this.outputs = Array.from({ length: size.outputs }, (_, index) => buffer(outputAt(index)));
  }

  combine(matrix: Matrix, length: number): void {
    const { size } = this.#layout;
    const fits = matrix.length <= size.outputs && length <= size.bufferBytes &&
      matrix.every((row) => row.length === size.inputs);
    assert(fits, 'the matrix and the length fit the buffers');
    if (matrix.length === 0 || length === 0) return;
    this.#loadTables(matrix);
    this.#runFor(matrix.length)(0, Math.ceil(length / VECTOR_BYTES) * VECTOR_BYTES);
  }

  #loadTables(matrix: Matrix): void {
    const tables = new Uint8Array(this.#memory.buffer, this.#layout.tableAt);
    let at = 0;
    for (const coefficient of matrix.flat()) {
      for (let half = 0; half < 16; half++) {
        tables[at + half] = multiply(coefficient, half);
        tables[at + 16 + half] = multiply(coefficient, half << 4);
      }
      at += TABLE_BYTES;
    }
  }

  #runFor(outputs: number): Run {
    const known = this.#runs[outputs];
    if (known !== undefined) return known;
    assert(webAssembly !== undefined, 'the kernel is opened only where it is supported');
    const module = new webAssembly.Module(kernelModule(this.#layout, outputs));
    const instance = new webAssembly.Instance(module, { host: { memory: this.#memory } });
    const run = instance.exports['run'] as Run;
    this.#runs[outputs] = run;
    return run;
  }
}
