/** What the operator can tell this protocol. */
import { oneOf, setting, slice } from '../../platform/index.ts';

export const nextcloudSlice = slice({
  settings: {
    bulkUpload: setting<'off' | 'on'>({
      key: 'nextcloud.bulk_upload', default: 'off', parse: oneOf(['off', 'on']),
      docs: 'Whether clients may send many small files in one request. Faster, but some releases '
        + 'of the desktop client then fail on empty files and upload nothing: leave it off unless '
        + 'all your clients are known to cope.',
    }),
  },
});
