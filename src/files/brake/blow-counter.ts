/** How much of what was there before a device has deleted or overwritten in the last while. */

/** A window is counted in so many steps. */
const STEPS = 20;
/** Devices counted at once; those that have done nothing for the longest time are forgotten. */
const DEVICES_MAX = 10_000;

interface Count {
  /** Number of the newest step that has been counted. */
  step: number;
  /** Of the newest STEPS steps, by number modulo STEPS. */
  readonly blows: number[];
}

/** In memory: what was counted is forgotten when the program ends. */
export class BlowCounter {
  readonly #stepMs: number;
  readonly #devices = new Map<string, Count>();

  constructor(windowMs: number) {
    this.#stepMs = windowMs / STEPS;
  }

  /** Adds to what a device has done, and answers what that makes in the window that ends now. */
  add(device: string, blowCount: number, now: number): number {
    const step = Math.floor(now / this.#stepMs);
    const count = this.#devices.get(device) ?? { step, blows: Array<number>(STEPS).fill(0) };
    const passed = Math.min(STEPS, Math.max(0, step - count.step));
    for (let n = 1; n <= passed; n += 1) count.blows[(count.step + n) % STEPS] = 0;
    if (passed === STEPS) count.blows.fill(0);
    count.step = Math.max(step, count.step);
    const place = count.step % STEPS;
    count.blows[place] = (count.blows[place] ?? 0) + blowCount;
    this.#devices.delete(device);
    this.#devices.set(device, count);
    const [oldest] = this.#devices.keys();
    if (this.#devices.size > DEVICES_MAX && oldest !== undefined) this.#devices.delete(oldest);
    return count.blows.reduce((sum, blows) => sum + blows, 0);
  }

  /** The device begins anew. */
  forget(device: string): void {
    this.#devices.delete(device);
  }
}
