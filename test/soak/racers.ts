/** Two clients that want the same new name at the same moment, at two nodes: one gets it. */
import { setTimeout as pause } from 'node:timers/promises';
import { seededBytes } from '../support/trees.ts';
import type { Settler } from './settled.ts';

export class Racers {
  readonly #settlers: readonly Settler[];
  /** By tenant: races of which nobody heard how they ended. */
  readonly slack = new Map<string, number>();
  /** By tenant and name: the size of who won, as far as somebody heard. */
  readonly won = new Map<string, number>();
  #count = 0;

  constructor(settlers: readonly Settler[]) {
    this.#settlers = settlers;
  }

  async work(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.#race();
      await pause(150);
    }
  }

  async #race(): Promise<void> {
    this.#count += 1;
    const [one] = this.#settlers;
    const settler = one?.random.pick(this.#settlers);
    if (settler === undefined) return;
    const { tenant, findings } = settler;
    const name = `race-${this.#count}`;
    const first = settler.someNode();
    const answers = await Promise.all([first, settler.someNode(first)].map((at, number) => (
      settler.once(at, 'PUT', settler.root + name, {
        body: seededBytes(10 + number, name), headers: { 'If-None-Match': '*' },
      }))));
    findings.count('races');
    const winners = answers.flatMap((answer, number) => (answer?.status === 201 ? [number] : []));
    const isSure = answers.every((answer) => answer !== undefined && answer.status < 500);
    const [winner] = winners;
    if (winners.length > 1) findings.add(`${tenant} ${name}: both were first`);
    if (isSure && winner === undefined) {
      findings.add(`${tenant} ${name}: nobody was first: ${answers.map((a) => a?.status).join()}`);
    }
    if (winner !== undefined) {
      this.won.set(`${tenant} ${name}`, 10 + winner);
    }
    this.slack.set(tenant, (this.slack.get(tenant) ?? 0) + 1);
  }

  /** At the end. */
  async look(): Promise<void> {
    for (const [who, size] of this.won) {
      const [tenant, name = ''] = who.split(' ');
      const settler = this.#settlers.find((one) => one.tenant === tenant);
      const seen = await settler?.read(settler.root + name);
      if (seen?.answer.body.equals(seededBytes(size, name)) !== true) {
        settler?.findings.add(`${who}: ${size} bytes were first, found ${seen?.answer.status} `
          + `${seen?.answer.body.length}`);
      }
    }
  }
}
