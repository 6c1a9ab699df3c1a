/** What the bench asks of the load client's process, and what it answers. Plain data. */

export interface Target {
  readonly host: string;
  readonly port: number;
  /** Path of the WebDAV root, with a slash at both ends. */
  readonly root: string;
  /** Header lines of every request, each ended by CR LF: the credentials. */
  readonly headers: string;
}

interface CellJob {
  readonly target: Target;
  /** Folder below the root, without slashes at its ends. Files are f0000000000 and so on. */
  readonly folder: string;
  readonly sizeBytes: number;
  readonly connectionCount: number;
  readonly timeLimitMs: number;
  readonly salt: number;
  /** Where the connections go by turns, as behind a load balancer; else all to the target. */
  readonly ports?: readonly number[];
}

/** Puts new files 0, 1, 2… until the time or `countMax` is reached. */
export interface PutJob extends CellJob {
  readonly kind: 'put';
  readonly countMax: number;
  /** Behind the name of each file, where the content has an address of its own. */
  readonly suffix?: string;
}

/** The same by tus, which takes two requests for each: the root is that of the API. */
export interface TusJob extends Omit<CellJob, 'folder'> {
  readonly kind: 'tus';
  readonly countMax: number;
  /** Id of the folder. */
  readonly parentId: string;
}

/** Gets files below `fileCount` in random order; checks a sixteenth of the bodies. */
export interface GetJob extends CellJob {
  readonly kind: 'get';
  readonly fileCount: number;
  /** Requests at most. */
  readonly countMax?: number;
}

interface StreamJob {
  readonly target: Target;
  readonly path: string;
  readonly sizeBytes: number;
  readonly salt: number;
}

/** One file in one stream. */
export interface UploadJob extends StreamJob {
  readonly kind: 'upload';
}

/** The same back; checks a sixteenth of the 64 KiB units. */
export interface DownloadJob extends StreamJob {
  readonly kind: 'download';
}

/** One request, or the same one several times in a row on one connection. */
export interface CallJob {
  readonly kind: 'call';
  readonly target: Target;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly count?: number;
  /** Counts how often this regular expression occurs in the first answer. */
  readonly countPattern?: string;
}

export type Job = PutJob | TusJob | GetJob | UploadJob | DownloadJob | CallJob;

export interface CellResult {
  /** Requests answered as they should be. */
  readonly count: number;
  readonly errorCount: number;
  /** The first few errors, in words. */
  readonly errors: readonly string[];
  readonly elapsedMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time that the load client itself used. */
  readonly driverCpuMs: number;
  /** How often the server closed a connection before its end. */
  readonly reconnectCount: number;
}

export interface CallResult {
  readonly statuses: readonly number[];
  readonly bodyBytes: readonly number[];
  readonly times: readonly number[];
  readonly matchCount: number;
}

export interface ResultOf {
  readonly put: CellResult;
  readonly tus: CellResult;
  readonly get: CellResult;
  readonly upload: CellResult;
  readonly download: CellResult;
  readonly call: CallResult;
}

export function fileNameOf(index: number): string {
  return `f${String(index).padStart(10, '0')}`;
}
