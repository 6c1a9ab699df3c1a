import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SeededRandom } from '../../platform/index.ts';
import { parityMatrix, recoveryMatrix } from './code-matrix.ts';
import { multiply } from './galois.ts';
import { PlainKernel } from './plain-kernel.ts';
import { openKernel } from './shard-kernel.ts';
import type { ShardKernel } from './shard-kernel.ts';
import { isSimdSupported, SimdKernel } from './simd-kernel.ts';

const random = new SeededRandom(3);

function fill(kernel: ShardKernel, contents: readonly Buffer[]): void {
  for (const [at, input] of kernel.inputs.entries()) input.set(contents[at] as Buffer);
}

it('The kernel of this machine is the vector one, where there is one', () => {
  const kernel = openKernel({ inputs: 1, outputs: 1, bufferBytes: 16 });
  assert.equal(kernel instanceof SimdKernel, isSimdSupported());
});

describe('The vector kernel', { skip: !isSimdSupported() && 'no vectors here' }, () => {
  it('gives the same bytes as plain code, for every shape and odd lengths', () => {
    for (let inputs = 1; inputs <= 16; inputs++) {
      for (let outputs = 1; outputs <= 4; outputs++) {
        const size = { inputs, outputs, bufferBytes: 1024 };
        const length = 1 + random.below(1024);
        const contents = Array.from({ length: inputs }, () => random.bytes(1024));
        const matrix = Array.from({ length: 1 + random.below(outputs) }, () => {
          return Array.from({ length: inputs }, () => random.below(256));
        });
        const results = [new SimdKernel(size), new PlainKernel(size)].map((kernel) => {
          fill(kernel, contents);
          kernel.combine(matrix, length);
          return kernel.outputs.slice(0, matrix.length).map((output) => {
            return Buffer.from(output.subarray(0, length));
          });
        });
        assert.deepEqual(results[0], results[1], `${inputs} inputs, ${outputs} outputs`);
      }
    }
  });

  it('leaves its inputs and the outputs that are not asked for as they are', () => {
    const kernel = new SimdKernel({ inputs: 3, outputs: 2, bufferBytes: 64 });
    const contents = [1, 2, 3].map(() => random.bytes(64));
    fill(kernel, contents);
    const [, second] = kernel.outputs;
    second?.fill(77);
    kernel.combine([[1, 2, 3]], 64);
    assert.deepEqual(kernel.inputs.map((input) => Buffer.from(input)), contents);
    assert.ok(second?.every((byte) => byte === 77));
  });
});

describe('Encoding and decoding', () => {
  for (const [data, parity] of [[2, 1], [4, 2], [6, 3]] as const) {
    it(`brings back every ${parity} of ${data + parity} shards, byte for byte`, () => {
      const shape = { data, parity };
      const kernel = openKernel({ inputs: data, outputs: parity, bufferBytes: 4096 });
      const shards = Array.from({ length: data }, () => random.bytes(4000));
      fill(kernel, shards);
      kernel.combine(parityMatrix(shape), 4000);
      shards.push(...kernel.outputs.map((output) => Buffer.from(output.subarray(0, 4000))));
      const all = [...shards.keys()];
      for (let mask = 0; mask < 2 ** all.length; mask++) {
        const missing = all.filter((shard) => (mask >> shard) & 1);
        if (missing.length === 0 || missing.length > parity) continue;
        const sources = all.filter((shard) => !missing.includes(shard)).slice(-data);
        fill(kernel, sources.map((shard) => shards[shard] as Buffer));
        kernel.combine(recoveryMatrix(shape, sources, missing), 4000);
        for (const [at, shard] of missing.entries()) {
          const found = Buffer.from(kernel.outputs[at] as Uint8Array).subarray(0, 4000);
          assert.ok(found.equals(shards[shard] as Buffer), `${missing.join()} missing`);
        }
      }
    });
  }

  it('with one parity is plain XOR', () => {
    assert.deepEqual(parityMatrix({ data: 2, parity: 1 }), [[1, 1]]);
    assert.deepEqual(parityMatrix({ data: 16, parity: 4 })[0], new Array(16).fill(1));
  });
});

it('Multiplication is that of polynomials, for every two bytes', () => {
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) {
      let wanted = 0;
      for (let bit = 0, shifted = a; bit < 8; bit++) {
        if ((b >> bit) & 1) wanted ^= shifted;
        shifted = (shifted << 1) ^ (shifted & 128 ? 0x11d : 0);
      }
      assert.equal(multiply(a, b), wanted);
    }
  }
});
