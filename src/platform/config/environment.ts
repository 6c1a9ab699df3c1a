/** The only place that looks at the process's environment. */
import { readFile } from 'node:fs/promises';
import { HoldfastError } from '../../base/errors.ts';
import { Config } from './config.ts';
import type { ConfigSources, Mistake } from './config.ts';
import type { Slice } from './setting.ts';

export interface ConfigRequest {
  readonly slices: readonly Slice[];
  /** Named by the operator; else HOLDFAST_CONFIG; else there is no file. */
  readonly path?: string;
  readonly flags?: ConfigSources['flags'];
}

const CONFIG_BYTES_MAX = 1024 * 1024;

/** @throws invalid: a named file cannot be read, or any mistake in the configuration. */
export async function loadConfig(request: ConfigRequest): Promise<Config> {
  return Config.load(await sourcesOf(request));
}

/** @throws invalid: a named file cannot be read. Mistakes in it are the answer. */
export async function inspectConfig(request: ConfigRequest): Promise<Mistake[]> {
  return Config.inspect(await sourcesOf(request)).mistakes;
}

async function sourcesOf(request: ConfigRequest): Promise<ConfigSources> {
  const { slices, flags } = request;
  const path = request.path ?? process.env['HOLDFAST_CONFIG'];
  const file = path === undefined ? undefined : { text: await readText(path), label: path };
  return {
    slices,
    env: process.env,
    ...(file !== undefined && { file }),
    ...(flags !== undefined && { flags }),
  };
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > CONFIG_BYTES_MAX) throw new RangeError('over 1 MiB');
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const message = `The configuration file ${path} cannot be read. Check its path and rights.`;
    throw new HoldfastError('invalid', 'platform/loadConfig', message, { cause });
  }
}
