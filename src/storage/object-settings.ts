/** What the operator can say about a place in an object store: the same for the store itself and
 *  for the second one of a mirror, below another section. */
import { flag, oneOf, optionalText, setting } from '../platform/index.ts';

const CHECKS = ['head', 'read'] as const;
type PutCheck = (typeof CHECKS)[number];

function textSetting(key: string, docs: string, more: { secret?: true } = {}) {
  return setting<string | undefined>({
    key, default: undefined, parse: optionalText, docs, ...more,
  });
}

function secretSettings(key: string, docs: string) {
  return {
    text: textSetting(key, docs, { secret: true }),
    file: textSetting(`${key}_file`, 'The same in a file of its own, which holds nothing else.'),
  };
}

function commonSettings(section: string, place: string) {
  return {
    prefix: textSetting(`${section}.prefix`,
      `Where in the ${place} the blocks go: text that ends in a slash. Left empty: at its top. The `
      + 'place must be empty at the first start.'),
    putCheck: setting<PutCheck>({
      key: `${section}.put_check`, default: 'head', parse: oneOf(CHECKS),
      docs: 'How it is made sure that what was acknowledged is really there: `head` asks for the '
        + 'checksum that the service has worked out, `read` reads everything back.',
    }),
    caPath: textSetting(`${section}.ca_file`,
      'Certificates (PEM) to trust instead of the system\'s, for a service with an authority of '
      + 'its own.'),
    allowPlainHttp: setting<boolean>({
      key: `${section}.allow_plain_http`, default: false, parse: flag,
      docs: 'Lets the address begin with http:// though it is not this machine: who taps the '
        + 'network reads the files then.',
    }),
  };
}

export function s3Settings<const S extends string>(section: S) {
  const secret = secretSettings(`${section}.secret_access_key`, 'The secret of that key.');
  const token = secretSettings(`${section}.session_token`, 'Of temporary credentials.');
  return {
    endpoint: textSetting(`${section}.endpoint`,
      'For example `https://s3.example.org`. Left empty: Amazon\'s own for the region.'),
    region: setting<string>({
      key: `${section}.region`, default: 'us-east-1', parse: (raw) => optionalText(raw) ?? '',
      docs: 'The region of the bucket; services of one\'s own mostly take any.',
    }),
    bucket: textSetting(`${section}.bucket`, 'The bucket. It is not made: it must be there.'),
    accessKeyId: textSetting(`${section}.access_key_id`,
      'The access key. It must be allowed to list the bucket, and to get, put and delete objects.'),
    secretAccessKey: secret.text,
    secretAccessKeyPath: secret.file,
    sessionToken: token.text,
    sessionTokenPath: token.file,
    addressing: setting<'auto' | 'path' | 'host'>({
      key: `${section}.addressing`, default: 'auto', parse: oneOf(['auto', 'path', 'host']),
      docs: 'Whether the bucket\'s name goes into the path or in front of the host. `auto`: into '
        + 'the path at an endpoint of one\'s own, in front of the host at Amazon.',
    }),
    checksumHeaders: setting<boolean>({
      key: `${section}.checksum_headers`, default: true, parse: flag,
      docs: 'Off for a service that refuses headers with checksums; its ETag proves a write then.',
    }),
    ...commonSettings(section, 'bucket'),
  };
}

export function gcsSettings<const S extends string>(section: S) {
  const secret = secretSettings(`${section}.secret_access_key`, 'The secret of that key.');
  return {
    endpoint: textSetting(`${section}.endpoint`,
      'Left empty: `https://storage.googleapis.com`.'),
    bucket: textSetting(`${section}.bucket`, 'The bucket. It is not made: it must be there.'),
    accessKeyId: textSetting(`${section}.access_key_id`,
      'An HMAC key of a service account that may list the bucket, and get, make and delete '
      + 'objects.'),
    secretAccessKey: secret.text,
    secretAccessKeyPath: secret.file,
    ...commonSettings(section, 'bucket'),
  };
}

export function azureSettings<const S extends string>(section: S) {
  const key = secretSettings(`${section}.account_key`, 'The key of the storage account.');
  const sas = secretSettings(`${section}.sas_token`,
    'Instead of the key: a shared access signature that may list, read, add, create, write and '
    + 'delete in the container.');
  return {
    account: textSetting(`${section}.account`, 'The name of the storage account.'),
    container: textSetting(`${section}.container`,
      'The container. It is not made: it must be there.'),
    endpoint: textSetting(`${section}.endpoint`,
      'Left empty: `https://ACCOUNT.blob.core.windows.net`.'),
    accountKey: key.text,
    accountKeyPath: key.file,
    sasToken: sas.text,
    sasTokenPath: sas.file,
    ...commonSettings(section, 'container'),
  };
}
