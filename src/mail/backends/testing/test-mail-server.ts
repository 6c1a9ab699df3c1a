/** A real mail server for tests, on a free port of this machine, that can be told to misbehave. */
import net from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came over the wire. */
  readonly source: string;
  readonly isEncrypted: boolean;
  readonly user: string | undefined;
}

export interface TestMailServerOptions {
  /** Encryption from the first byte. */
  isTls?: boolean;
  /** No encryption is offered. */
  isPlain?: boolean;
  port?: number;
  tls?: { cert: string; key: string };
  /** Who may send; undefined: anybody, without a login. */
  login?: { user: string; password: string };
  /** Answers to a sender, a receiver and a mail: undefined takes it. */
  onSender?: (address: string) => [code: number, text: string] | undefined;
  onReceiver?: (address: string) => [code: number, text: string] | undefined;
  onMail?: (mail: ReceivedMail) => [code: number, text: string] | undefined;
  /** Nothing is answered to what comes after this. */
  hangsAt?: 'receiver' | 'mail';
}

const CLOSE_MS_MAX = 2_000;

export class TestMailServer {
  readonly mails: ReceivedMail[] = [];
  readonly port: number;
  readonly #server: SMTPServer;

  private constructor(server: SMTPServer, mails: ReceivedMail[], port: number) {
    this.#server = server;
    this.mails = mails;
    this.port = port;
  }

  static async open(options: TestMailServerOptions = {}): Promise<TestMailServer> {
    const mails: ReceivedMail[] = [];
    const server = makeServer(options, mails);
    server.on('error', () => undefined); // A client that goes away in the middle is what is tested.
    const listening = Promise.withResolvers<undefined>();
    server.listen(options.port ?? 0, '127.0.0.1', () => listening.resolve(undefined));
    await listening.promise;
    const { port } = server.server.address() as net.AddressInfo;
    return new TestMailServer(server, mails, port);
  }

  async close(): Promise<void> {
    for (const connection of this.#server.connections) connection.close();
    const closed = Promise.withResolvers<undefined>();
    this.#server.close(() => closed.resolve(undefined));
    await closed.promise;
  }
}

function makeServer(options: TestMailServerOptions, mails: ReceivedMail[]): SMTPServer {
  const { isTls = false, isPlain = false, login, tls, hangsAt } = options;
  type Done = (error?: Error | null) => void;
  const answer = (refusal: [number, string] | undefined, done: Done): void => {
    done(refusal === undefined ? null
      : Object.assign(new Error(refusal[1]), { responseCode: refusal[0] }));
  };
  return new SMTPServer({
    secure: isTls, ...tls, logger: false, closeTimeout: CLOSE_MS_MAX, disableReverseLookup: true,
    disabledCommands: [...(isPlain || isTls ? ['STARTTLS'] : []), ...(login ? [] : ['AUTH'])],
    allowInsecureAuth: isPlain, authOptional: login === undefined,
    onAuth({ username, password }, _session, done) {
      if (username === login?.user && password === login?.password) done(null, { user: username });
      else done(new Error('535 no such login'));
    },
    onMailFrom({ address }, _session, done) {
      answer(options.onSender?.(address), done);
    },
    onRcptTo({ address }, _session, done) {
      if (hangsAt !== 'receiver') answer(options.onReceiver?.(address), done);
    },
    onData(stream, { envelope, secure, user }, done) {
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        if (hangsAt === 'mail') return;
        const mail = {
          from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
          to: envelope.rcptTo.map(({ address }) => address),
          source: Buffer.concat(pieces).toString('utf8'), isEncrypted: secure,
          user: user === undefined ? undefined : String(user),
        };
        const refusal = options.onMail?.(mail);
        if (refusal === undefined) mails.push(mail);
        answer(refusal, done);
      });
    },
  });
}

/** Something else than a mail server: tells what it says to whoever connects, and may hang up. */
export async function openRawServer(
  act: (socket: net.Socket) => void,
): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    act(socket);
  });
  const listening = Promise.withResolvers<undefined>();
  server.listen(0, '127.0.0.1', () => listening.resolve(undefined));
  await listening.promise;
  return {
    port: (server.address() as net.AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      const closed = Promise.withResolvers<undefined>();
      server.close(() => closed.resolve(undefined));
      await closed.promise;
    },
  };
}
