/**
 * Just enough of the binary format of WebAssembly (core specification 2.0, chapter 5, with the
 * vector instructions) to write one function that works on one imported memory. The bytes are made
 * when they are needed: nothing has to be compiled at install, and nobody has to trust a blob.
 */

/** LEB128, unsigned. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** LEB128, signed, as constants are written. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}

const I32 = 0x7f;
const V128 = 0x7b;
const NO_RESULT = 0x40;
/** Vector instructions have this byte before their number. */
const vector = (instruction: number): number[] => [0xfd, ...unsigned(instruction)];

export const code = {
  getLocal: (local: number): number[] => [0x20, ...unsigned(local)],
  setLocal: (local: number): number[] => [0x21, ...unsigned(local)],
  constant: (value: number): number[] => [0x41, ...signed(value)],
  add: [0x6a],
  isBelow: [0x49],
  /** Repeats `body` as long as it leaves a number other than 0. */
  repeat: (body: readonly number[]): number[] => [0x03, NO_RESULT, ...body, 0x0d, 0, 0x0b],
  /** 16 bytes at the address on the stack plus `offset`. */
  loadVector: (offset: number): number[] => [...vector(0x00), 4, ...unsigned(offset)],
  storeVector: (offset: number): number[] => [...vector(0x0b), 4, ...unsigned(offset)],
  /** Of a vector of bytes and one of indices: the bytes at the indices. */
  swizzle: vector(0x0e),
  /** The number on the stack, 16 times. */
  splatByte: vector(0x0f),
  and: vector(0x4e),
  xor: vector(0x51),
  /** Each byte, shifted to the right by the number on the stack. */
  shiftBytesRight: vector(0x6d),
} as const;

/** A module that imports the memory `host.memory` and exports the function `run`. */
export function moduleOf(
  { parameters, vectorLocals, body, pages }: {
    /** All are i32. */
    parameters: number;
    /** Numbered on from the parameters. */
    vectorLocals: number;
    body: readonly number[];
    /** Of the memory, at least. */
    pages: number;
  },
): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: readonly number[]): number[] => {
    return [id, ...unsigned(content.length), ...content];
  };
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
  const type = [0x60, ...unsigned(parameters), ...new Array<number>(parameters).fill(I32), 0];
  const locals = [1, ...unsigned(vectorLocals), V128];
  const work = [...locals, ...body, 0x0b];
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
    ...section(1, [1, ...type]),
    ...section(2, [1, ...name('host'), ...name('memory'), 2, 0, ...unsigned(pages)]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('run'), 0, 0]),
    ...section(10, [1, ...unsigned(work.length), ...work]),
  ]);
}
