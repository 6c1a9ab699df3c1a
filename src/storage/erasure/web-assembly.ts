/** The part of WebAssembly that the kernel uses; the compiler's own description of it comes only
 *  with that of browsers. */

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

interface WebAssemblyHost {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: unknown) => {
    readonly exports: Readonly<Record<string, unknown>>;
  };
  readonly Memory: new (limits: { initial: number; maximum: number }) => WasmMemory;
}

/** Undefined where the engine has none, or runs without its compiler. */
export const webAssembly = (globalThis as { WebAssembly?: WebAssemblyHost }).WebAssembly;
