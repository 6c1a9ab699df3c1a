/**
 * How a batch travels between the threads. A structured clone costs several times what making and
 * reading JSON does, most of all for the buffer of each manifest, and it is paid for every change:
 * so the changes of everyday travel as one text, their manifests behind one another in one buffer.
 * Whatever is not known to be plain data goes as a clone.
 */
import type { Change } from '../../changes.ts';
import type { Outcome, PackedBatch, ToWriter, WriterChange } from './messages.ts';

/** Strings, numbers, truth values, lists and records of these, and nothing else but the manifest of
 *  `put-file`. What is undefined is left out on the way, which says the same. */
const PLAIN: ReadonlySet<WriterChange['op']> = new Set<Change['op']>([
  'put-file', 'make-folder', 'move', 'delete', 'set-times', 'reserve-quota', 'drop-reservation',
]);
const NO_BYTES = new Uint8Array();

export function packBatch(changes: WriterChange[]): ToWriter {
  if (!changes.every(({ op }) => PLAIN.has(op))) {
    return { kind: 'batch', changes: changes.map(compact) };
  }
  const manifests: Uint8Array[] = [];
  const plain = changes.map((change) => {
    if (change.op !== 'put-file') return change;
    const { content } = change;
    manifests.push(content.manifest);
    return { ...change, content: { ...content, manifest: content.manifest.byteLength } };
  });
  return { kind: 'packed-batch', text: JSON.stringify(plain), manifests: joined(manifests) };
}

export function unpackBatch({ text, manifests }: PackedBatch): WriterChange[] {
  const changes = JSON.parse(text) as WriterChange[];
  let place = 0;
  for (const change of changes) {
    if (change.op !== 'put-file') continue;
    const { content } = change;
    const end = place + (content.manifest as unknown as number);
    content.manifest = manifests.subarray(place, end);
    place = end;
  }
  return changes;
}

/** Undefined: they have to travel as a clone. */
export function packOutcomes(
  changes: readonly WriterChange[], outcomes: readonly Outcome[],
): string | undefined {
  const arePlain = changes.every(({ op }) => PLAIN.has(op))
    && outcomes.every((outcome) => 'result' in outcome);
  return arePlain ? JSON.stringify(outcomes) : undefined;
}

export function unpackOutcomes(text: string): Outcome[] {
  return JSON.parse(text) as Outcome[];
}

/** A view into a larger buffer would drag all of that buffer along to the other thread. */
function compact(change: WriterChange): WriterChange {
  if (change.op === 'put-file') {
    const { content } = change;
    const { manifest } = content;
    if (manifest.byteLength === manifest.buffer.byteLength) return change;
    return { ...change, content: { ...content, manifest: Uint8Array.from(manifest) } };
  }
  if (change.op === 'put-part') {
    return { ...change, manifest: Uint8Array.from(change.manifest) };
  }
  if (change.op === 'write-rows') {
    const steps = change.steps.map(({ values, ...step }) => ({
      ...step, values: values.map((each) =>
        (each instanceof Uint8Array ? Uint8Array.from(each) : each)),
    }));
    return { ...change, steps };
  }
  return change;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 0) return NO_BYTES;
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.byteLength;
  }
  return whole;
}
