/** What `holdfast brake` has done: in the running server, or alone while none runs. */
import { HoldfastError } from '../base/errors.ts';
import type { Batches, BrakeService, Decider } from '../files/index.ts';
import { HELD_LIMIT_MAX } from '../metadata/index.ts';
import type { MetadataStore, QuarantineRecord } from '../metadata/index.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';

export interface BrakeWork {
  readonly brakes: BrakeService;
  readonly batches: Batches;
}

const OP = 'app/brake';
/** Said first: see `history.restore`. */
const BEGUN = { state: 'begun' };

export function brakeOperations(metadata: MetadataStore, work: BrakeWork): Operations {
  const { brakes, batches } = work;
  /** Whoever may give orders to this machine's Holdfast is its administrator. The journal names the
   *  owner of the files, and the command as the device. */
  const decider = async (id: number): Promise<Decider> => {
    const { spaceId, user } = await brakes.get(id);
    const { owner } = await metadata.getSpace(spaceId);
    return { user: owner ?? user, device: 'command line', isAdmin: true };
  };
  return {
    'brake.list': async (input) => (
      plain({ quarantines: await brakes.list({ all: input['all'] === true }) })),
    'brake.show': async (input) => {
      const id = idOf(input);
      const after = input['after'];
      const held = await brakes.show(id, HELD_LIMIT_MAX, typeof after === 'number' ? after : 0);
      return plain({ quarantine: await brakes.get(id), held });
    },
    'brake.keep': async (input, { progress }) => {
      progress(BEGUN);
      const id = idOf(input);
      const { id: batchId } = await brakes.keep(id, await decider(id));
      const batch = await batches.settled(batchId);
      return plain({ batch, quarantine: await brakes.get(id) });
    },
    'brake.undo': async (input, { progress }) => {
      progress(BEGUN);
      const id = idOf(input);
      const quarantine: QuarantineRecord = await brakes.undo(id, await decider(id));
      return plain({ quarantine });
    },
  };
}

function idOf(input: PlainRecord): number {
  const id = Number(input['id']);
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new HoldfastError('invalid', OP, 'A quarantine is named by its number: see brake list.');
}

function plain(value: object): PlainRecord {
  return JSON.parse(JSON.stringify(value)) as PlainRecord;
}
