/** Uploads by tus 1.0.0: one request says what will come, the next one brings it. */
import { fillContent, stampContent } from './content.ts';
import { fileNameOf } from './jobs.ts';
import type { CellResult, TusJob } from './jobs.ts';
import { headOf, openConnections, runLoop } from './loops.ts';

const VERSION = 'Tus-Resumable: 1.0.0\r\n';
const CHUNK_TYPE = 'application/offset+octet-stream';
const LOCATION = /^location: *(\S+)\r?$/im;

export function runTus(job: TusJob): Promise<CellResult> {
  const { target, sizeBytes, salt, parentId } = job;
  const connections = openConnections({ target }, job.connectionCount);
  const bodies = connections.map(() => {
    const body = Buffer.alloc(sizeBytes);
    fillContent(body);
    return body;
  });
  const site = { ...target, root: '' };
  const bringing = `${VERSION}Upload-Offset: 0\r\nContent-Type: ${CHUNK_TYPE}\r\n`
    + `Content-Length: ${sizeBytes}\r\n`;
  return runLoop({ ...job, connections }, async (connectionIndex, index) => {
    const connection = connections[connectionIndex];
    const body = bodies[connectionIndex];
    if (connection === undefined || body === undefined) return 'no such connection';
    const metadata = `parentId ${base64(parentId)},name ${base64(fileNameOf(index))}`;
    const saying = `${VERSION}Upload-Length: ${sizeBytes}\r\nUpload-Metadata: ${metadata}\r\n`
      + 'Content-Length: 0\r\n';
    await connection.exchange(Buffer.from(headOf(target, 'POST', 'uploads', saying), 'latin1'));
    const address = LOCATION.exec(connection.parser.head)?.[1];
    if (address === undefined) return `POST answered ${connection.parser.status}`;
    stampContent(body, { salt, index });
    const head = Buffer.from(headOf(site, 'PATCH', address, bringing), 'latin1');
    await connection.exchange(Buffer.concat([head, body]));
    const { status } = connection.parser;
    return status === 204 ? undefined : `PATCH answered ${status}`;
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
