/** What this server tells clients about itself. Pure. */
import type { OcsValue } from './ocs-envelope.ts';
import { DEFAULT_BITS } from './sharing/share-bits.ts';

/**
 * The version whose behaviour is spoken, not Holdfast's own: clients switch features by it. It is
 * the one that the desktop clients were seen to work with.
 */
const SPOKEN = { major: 25, minor: 0, micro: 4, four: '25.0.4.1', three: '25.0.4' } as const;
const PRODUCT = 'Holdfast';
/** How often a desktop client looks for changes. */
const POLL_INTERVAL_MS = 30_000;

/** The body of `/status.php`. */
export function serverStatus(isMaintenance: boolean): Readonly<Record<string, OcsValue>> {
  return {
    installed: true,
    maintenance: isMaintenance,
    needsDbUpgrade: false,
    version: SPOKEN.four,
    versionstring: SPOKEN.three,
    edition: '',
    productname: PRODUCT,
    extendedSupport: false,
  };
}

/** What of sharing there is: with users and groups of this server, and by link. */
const SHARING = {
  api_enabled: true,
  resharing: true,
  default_permissions: DEFAULT_BITS,
  group_sharing: true,
  group: { enabled: true, expire_date: { enabled: true } },
  public: {
    enabled: true,
    password: { enforced: false, askForOptionalPassword: false },
    expire_date: { enabled: false },
    multiple_links: true,
    upload: true,
    upload_files_drop: true,
    supports_upload_only: true,
    send_mail: false,
  },
  federation: { outgoing: false, incoming: false },
  sharee: { query_lookup_default: false, always_show_unique: true },
};

/** Passwords of links are told in another way than the link. */
function shareByMail(enabled: boolean): OcsValue {
  if (!enabled) return { enabled };
  return {
    enabled, send_password_by_mail: false, upload_files_drop: { enabled },
    password: { enabled, enforced: false }, expire_date: { enabled },
  };
}

/**
 * Every entry switches something on in clients, and a missing one switches it off, so this names
 * only what is served. Without `dav.chunking` clients fall back to an upload protocol that is not.
 */
export function serverCapabilities(
  options: { bulkUpload: boolean; mail: boolean; pushAddress: string },
): OcsValue {
  return {
    version: {
      major: SPOKEN.major,
      minor: SPOKEN.minor,
      micro: SPOKEN.micro,
      string: SPOKEN.three,
      edition: '',
      extendedSupport: false,
    },
    capabilities: {
      core: {
        pollinterval: POLL_INTERVAL_MS,
        'webdav-root': 'remote.php/webdav',
        status: serverStatus(false),
      },
      dav: { chunking: '1.0', ...(options.bulkUpload && { bulkupload: '1.0' }) },
      files: {
        bigfilechunking: true, undelete: true, versioning: true,
        locking: '1.0', 'api-feature-lock-type': true,
      },
      notify_push: { type: ['files'], endpoints: { websocket: options.pushAddress } },
      checksums: { supportedTypes: ['SHA1', 'SHA256', 'MD5'], preferredUploadType: 'SHA1' },
      files_sharing: {
        ...SHARING, sharebymail: shareByMail(options.mail),
        user: { send_mail: options.mail, expire_date: { enabled: true } },
      },
    },
  };
}
