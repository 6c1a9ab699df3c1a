/**
 * Bulk upload: many small files in one POST. Each file succeeds or fails by itself, and the answer
 * says so by name.
 *
 * A file is stored only after it has arrived in full and matches its checksum, so a connection
 * that breaks leaves whole files or none. Several are stored at once, so that they share the
 * waiting for the disk; while too much waits, the sender is held back.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { Name } from '../../base/names.ts';
import { parsePath } from '../../base/names.ts';
import { bodyOf, checkedContent, etagOf, parseChecksum } from '../../files/index.ts';
import type { Checksum, FileService, UploadOptions } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { Exchange, HttpHandler } from '../../platform/index.ts';
import { accessOf } from '../../files/index.ts';
import type { Authenticator } from '../authenticate.ts';
import { sendDavError } from '../dav-error.ts';
import { bodySource } from '../request-body.ts';
import { fileIdOf } from '../webdav/dav-request.ts';
import { parseUnixSeconds } from '../webdav/http-date.ts';
import { lettersOf } from '../webdav/live-properties.ts';
import { answerOptions } from '../webdav/options.ts';
import { boundaryOf, MultipartReader } from './multipart.ts';
import type { Part } from './multipart.ts';
