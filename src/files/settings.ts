/** What the operator can tell the files module. */
import type { CasePolicy } from '../base/names.ts';
import { oneOf, setting, sizeBytes, slice } from '../platform/index.ts';

const TIB = 1024 ** 4;

export const filesSlice = slice({
  settings: {
    casePolicy: setting<CasePolicy>({
      key: 'files.case_policy', default: 'sensitive',
      parse: oneOf(['sensitive', 'insensitive']),
      docs: 'Whether README and readme are two files (sensitive) or clash (insensitive; choose it '
        + 'when people sync to Windows or macOS). Holds for spaces made from then on.',
    }),
    quotaBytes: setting<number>({
      key: 'files.quota', default: 0, parse: sizeBytes({ min: 0, max: 1024 * TIB }), unit: 'bytes',
      docs: 'How much each new user may store; 0 for no limit. For example "10 GiB".',
    }),
  },
});
