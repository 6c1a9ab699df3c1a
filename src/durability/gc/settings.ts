/** What the operator can tell the garbage collector. */
import { flag, integer, setting, sizeBytes, slice } from '../../platform/index.ts';

const GIB = 1024 ** 3;

export const gcSlice = slice({
  settings: {
    isOn: setting<boolean>({
      key: 'gc.enabled', default: true, parse: flag,
      docs: 'Whether the server gives back the room of what nothing refers to any more. Off: it '
        + 'keeps everything, and "holdfast gc run" can be called by hand.',
    }),
    everyHours: setting<number>({
      key: 'gc.every_hours', default: 12, parse: integer({ min: 1, max: 168 }), unit: 'hours',
      docs: 'How often it looks for garbage. What two looks, a day apart, have found goes.',
    }),
    bytesPerSecond: setting<number>({
      key: 'gc.rate', default: 64 * 1024 ** 2, parse: sizeBytes({ min: 1024 ** 2, max: 64 * GIB }),
      unit: 'bytes',
      docs: 'How much a second compaction may read, so that users do not notice it.',
    }),
  },
});
