/** What an operator can say about a container of Azure Blob storage. */
import { HoldfastError } from '../../../base/errors.ts';
import type { StoreSettings } from '../s3/object-client.ts';

/** The key of the storage account, or a shared access signature that may list, read, add, create,
 *  write and delete in the container. */
export type AzureCredentials = { accountKey: string } | { sasToken: string };

export interface AzureOptions extends StoreSettings {
  /** The name of the storage account. */
  account: string;
  container: string;
  credentials: AzureCredentials;
  /** Azure's own for the account when left out. An emulator has the account's name as the path. */
  endpoint?: string;
  /** Certificates (PEM) to trust instead of the system's, for a service with its own authority. */
  ca?: string;
  /** Unencrypted HTTP to another machine is refused without this. */
  allowPlainHttp?: boolean;
}

/** Where the container is, and how requests are proved to come from us. */
export interface AzurePlace {
  account: string;
  endpoint: URL;
  /** The container's path, with a slash in front. */
  basePath: string;
  proof: { kind: 'key'; key: Buffer } | { kind: 'signature'; query: string };
}

const ACCOUNT = /^[a-z0-9]{3,24}$/;
const CONTAINER = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/;
const PREFIX = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*$/;
const PREFIX_LENGTH_MAX = 200;
const KEY = /^[A-Za-z0-9+/]{40,}={0,2}$/;
/** Before the names of settings in messages. */
export const AZURE_SETTINGS = 'storage.azure';

/** Checks what an operator has typed. @throws invalid. */
export function azurePlaceOf(options: AzureOptions): AzurePlace {
  const { account, container, prefix = '', section = AZURE_SETTINGS } = options;
  if (!ACCOUNT.test(account)) {
    refuse(`${section}.account is not the name of a storage account: small letters and digits.`);
  }
  if (!CONTAINER.test(container)) {
    refuse(`${section}.container is not the name of a container: 3 to 63 small letters, digits, `
      + 'and single hyphens.');
  }
  if (!PREFIX.test(prefix) || prefix.length > PREFIX_LENGTH_MAX) {
    refuse(`${section}.prefix must be empty or end in a slash, of letters, digits, . _ and -.`);
  }
  const endpoint = endpointOf(options);
  const basePath = `${endpoint.pathname.replace(/\/$/, '')}/${container}`;
  return { account, endpoint, basePath, proof: proofOf(options) };
}

function endpointOf(
  { account, endpoint: text, allowPlainHttp, section = AZURE_SETTINGS }: AzureOptions,
): URL {
  const address = text ?? `https://${account}.blob.core.windows.net`;
  if (!URL.canParse(address)) refuse(`${section}.endpoint must be an address (https://...).`);
  const endpoint = new URL(address);
  const isPlain = endpoint.protocol === 'http:';
  if (!isPlain && endpoint.protocol !== 'https:') {
    refuse(`${section}.endpoint must begin with https://.`);
  }
  const isHost = ['/', `/${account}`, `/${account}/`].includes(endpoint.pathname)
    && endpoint.search === '' && endpoint.username === '' && endpoint.password === '';
  if (!isHost) refuse(`${section}.endpoint must be a host, with the account as path at most.`);
  const isNear = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(endpoint.hostname);
  if (isPlain && !isNear && allowPlainHttp !== true) {
    refuse(`${section}.endpoint must begin with https://, or set ${section}.allow_plain_http.`);
  }
  return endpoint;
}

function proofOf(
  { credentials, section = AZURE_SETTINGS }: AzureOptions,
): AzurePlace['proof'] {
  if ('accountKey' in credentials) {
    const text = credentials.accountKey.trim();
    if (!KEY.test(text)) refuse(`${section}.account_key is not a key: copy all of it.`);
    return { kind: 'key', key: Buffer.from(text, 'base64') };
  }
  const query = credentials.sasToken.trim().replace(/^\?/, '');
  const names = new Set(new URLSearchParams(query).keys());
  if (!['sv', 'sig'].every((name) => names.has(name))) {
    refuse(`${section}.sas_token is not a shared access signature: it holds sv=... and sig=....`);
  }
  return { kind: 'signature', query };
}

function refuse(message: string): never {
  throw new HoldfastError('invalid', 'storage/AzureBlockStore.open', message);
}
