/** Certificates for tests, made by the openssl program of the machine. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Certificates {
  cert: Buffer;
  key: Buffer;
  /** The authority to pin: here the certificate itself. */
  ca: Buffer;
}

/** A key and its self-signed certificate. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-tls-'));
  try {
    const [certPath, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await promisify(execFile)('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
      '-days', '2', '-subj', '/CN=filer.test', '-keyout', keyPath, '-out', certPath,
    ]);
    const cert = await readFile(certPath);
    return { cert, ca: cert, key: await readFile(keyPath) };
  } finally {
    await rm(folder, { recursive: true });
  }
}
