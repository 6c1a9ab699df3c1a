/**
 * The program's log: one JSON object a line.
 *
 * File names, tokens and content never go in. What callers hand over as facts is ids and numbers;
 * errors pass through `describeError`, which drops quoted text from foreign messages, because
 * libraries like to quote paths, values and pieces of input there.
 */
import { createRequire } from 'node:module';
import type { DestinationStream } from 'pino';
import { HoldfastError } from '../base/errors.ts';
import { InvariantError } from '../base/assert.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogFacts {
  /** An error: written by kind, op, code, facts and stack frames. */
  err?: unknown;
  [fact: string]: unknown;
}

type Write = (facts: LogFacts, message: string) => void;

/** Writing never throws and never waits for the disk. Lines keep the order of the calls. */
export interface Logger {
  trace: Write;
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
  fatal: Write;
  /** A logger that adds `facts` to every line. */
  child(facts: LogFacts): Logger;
}

const CAUSE_DEPTH_MAX = 5;
const QUOTED = /'[^']*'|"[^"]*"|`[^`]*`/g;
/** Their messages speak of our own code, so the quoted words are ours. */
const OWN_WORDS = [InvariantError, TypeError, RangeError, ReferenceError];

/** An error as plain data for the log, without what might be a user's. */
export function describeError(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = (error as { code?: unknown }).code;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const ours = error instanceof HoldfastError;
  const keepsQuotes = ours || OWN_WORDS.some((kind) => error instanceof kind);
  const cause = depth < CAUSE_DEPTH_MAX ? error.cause : undefined;
  return {
    type: error.name,
    ...(ours && { kind: error.kind, op: error.op, facts: error.facts }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    message: keepsQuotes ? error.message : error.message.replace(QUOTED, '[…]'),
    stack: frames.join('\n'),
    ...(cause !== undefined && { cause: describeError(cause, depth + 1) }),
  };
}

/** Facts under these keys are masked, should somebody hand them over by mistake. */
const SECRET_KEYS = [
  'password', 'token', 'secret', 'authorization', 'cookie', 'key', 'apiKey', 'appPassword',
];

export interface LogOptions {
  level: LogLevel;
  /** Where lines go: `stderr` leaves stdout to what commands print. */
  target: 'stderr' | 'stdout' | DestinationStream;
}

/** A logger, and what writes out the lines still held in memory: call it before exiting. */
export interface OpenLog {
  readonly log: Logger;
  readonly flush: () => void;
}

export function openLog(options: LogOptions): OpenLog {
  const { level, target } = options;
  // Most threads and many commands open no log.
  const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino');
  const settings = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: (error: unknown) => describeError(error) },
    redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: '[masked]' },
  };
  if (typeof target !== 'string') return { log: pino(settings, target), flush: () => undefined };
  const destination = pino.destination({ dest: target === 'stdout' ? 1 : 2, sync: false });
  return { log: pino(settings, destination), flush: () => destination.flushSync() };
}

/** For tests and tools that do not care. */
export const silentLog: Logger = {
  trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore, fatal: ignore,
  child: () => silentLog,
};

function ignore(): void {
  // Nobody wants to read it.
}
